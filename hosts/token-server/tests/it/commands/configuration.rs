//! Values of the configuration that are wrong.

use std::process::Command;

use super::{Data, SEED};

#[test]
fn a_wrong_value_is_named() {
    let data = Data::new();
    let seed = data.write("seed.yaml", SEED).display().to_string();
    let nothing = data.write("nothing.pem", "").display().to_string();
    for (more, says) in [
        (&["--set", "limits.bodi=1"][..], "`bodi`"),
        (&["--set", "limits.body=1"], "limits.body is 1"),
        (&["--set", "limits.body"], "limits.body"),
        (&["--set", "tokens.algorithm=HS256"], "`HS256` is not one of"),
        (&["--set", "registry.name=x"], "registry.name `x`"),
        (&["--set", "registry.name=administrator"], "registry.name `administrator`"),
        (
            &["--service", "https://r.example", "--public-url", "https://r.example/"],
            "publicUrl `https://r.example/`",
        ),
        (&["--public-url", "ftp://x/"], "publicUrl"),
        (&["--config", "/nowhere.yaml"], "/nowhere.yaml"),
        (&["--seed", "/nowhere.yaml"], "/nowhere.yaml"),
        (&["--database-url", "mysql://u:hunter2@db/x"], "databaseUrl"),
        (&["--tls-certificate", "/nowhere.pem", "--tls-key", &nothing], "/nowhere.pem"),
        (&["--listen", "192.0.2.1:1", "--seed", &seed], "192.0.2.1:1"),
    ] {
        let error = data.refused(&["serve"], more);
        let known =
            error.contains(says) || (says == "databaseUrl" && error.contains("postgres://"));
        assert!(known, "{more:?}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    // What the command line itself does not know is the command line library's to say.
    for line in [&["serve", "--colour"][..], &["paint"], &["keys"], &["doctor"], &[]] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_scopegate-server")).args(line).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{line:?}");
    }
}
