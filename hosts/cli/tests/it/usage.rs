//! The command line itself.

use crate::support::Folder;

#[test]
fn wrong_usage_exits_with_2_and_help_has_an_example() {
    let folder = Folder::new();
    for (args, exit) in [
        (&["--version"][..], 0),
        (&["--help"], 0),
        (&["decide", "--help"], 0),
        (&[], 2),
        (&["fly"], 2),
        (&["decide"], 2),
        (&["decide", "--scope-map", "team.json"], 2),
        (&["decide", "--scope-map", "team.json", "--catalog", "sometimes", "a:b:c"], 2),
        (&["decide", "--scope-map", "team.json", "--profile", "other", "a:b:c"], 2),
        (&["explain", "a:b:c"], 2),
        (&["lint"], 2),
        (&["diff", "team.json"], 2),
        (&["test"], 2),
    ] {
        assert_eq!(folder.run(args, b"").status.code(), Some(exit), "{args:?}");
    }
    for command in ["decide", "explain", "lint", "diff", "test"] {
        let help = folder.run(&[command, "--help"], b"").stdout;
        assert!(
            String::from_utf8(help).unwrap().contains(&format!("Example:\n  scopegate {command} "))
        );
    }
}
