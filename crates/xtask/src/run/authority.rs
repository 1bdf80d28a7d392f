//! A throw-away certificate authority, and a certificate for `localhost` from it.
//!
//! The program `openssl` creates them: developer commands are built first on every machine, and
//! should not need a library for this alone.

use std::path::Path;

use anyhow::Context as _;
use xshell::{Shell, cmd};

/// The validity of both, in days. Every run has new ones.
const DAYS: &str = "30";

/// The extensions that clients check: the authority's basic constraints, and the server's host
/// names and authority key.
const EXTENSIONS: &str = "\
[req]
distinguished_name = name
prompt = no
[name]
CN = Scopegate throw-away authority
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1
authorityKeyIdentifier = keyid
";

/// Creates `ca.crt` for clients, and `tls.crt` and `tls.key` for servers, in a folder.
pub(super) fn make(shell: &Shell, folder: &Path) -> anyhow::Result<()> {
    let _folder = shell.push_dir(folder);
    shell.write_file("tls.cnf", EXTENSIONS)?;
    let key = "req -new -config tls.cnf -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1";
    for arguments in [
        format!("{key} -x509 -days {DAYS} -extensions authority -keyout ca.key -out ca.crt"),
        format!("{key} -subj /CN=localhost -keyout tls.key -out tls.csr"),
        format!(
            "x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days {DAYS} \
             -extfile tls.cnf -extensions server -out tls.crt"
        ),
    ] {
        let arguments = arguments.split_whitespace();
        cmd!(shell, "openssl {arguments...}")
            .quiet()
            .ignore_stderr()
            .run()
            .context("no certificate could be made; is `openssl` installed?")?;
    }
    Ok(())
}
