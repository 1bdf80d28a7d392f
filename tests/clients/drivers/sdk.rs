//! The Azure SDKs' registry clients: `azure-containerregistry` for Python and
//! `@azure/container-registry` for node.
//!
//! A script for each calls the SDK and prints what it gives; the two take the same arguments, so
//! one table of calls tests both.

use std::process::Command;

use serde_json::Value;

use super::az::environment;
use crate::software::front::Front;
use crate::software::process::run;
use crate::software::server::scripts;

/// Which SDK.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sdk {
    Python,
    Node,
}

/// How a client says who it is.
pub(crate) enum Credential<'a> {
    /// Not at all.
    Anonymous,
    /// With a token from somewhere, which the SDK takes to the exchange.
    Token(&'a str),
    /// With a client's secret, which `azure-identity` takes to an authority. In Python only.
    Secret { tenant: &'a str, client: &'a str, secret: &'a str },
}

impl Sdk {
    /// Makes calls, one after the other; gives what each returned, or the status of its error: 0
    /// when it was refused before the registry was asked.
    #[track_caller]
    pub(crate) fn call(
        self,
        front: &Front,
        who: &Credential<'_>,
        calls: &[&[&str]],
    ) -> Vec<Result<Value, u64>> {
        let who = match who {
            Credential::Anonymous => serde_json::json!({}),
            Credential::Token(token) => serde_json::json!({ "token": token }),
            Credential::Secret { tenant, client, secret } => {
                serde_json::json!({ "tenant": tenant, "client": client, "secret": secret })
            }
        };
        let asked = serde_json::json!({ "endpoint": front.url(), "who": who, "calls": calls });
        let printed = run(self.command(front).arg(asked.to_string()));
        let outcomes: Vec<Value> = serde_json::from_str(&printed).unwrap();
        outcomes
            .into_iter()
            .map(|mut outcome| match outcome["error"].as_u64() {
                Some(status) => Err(status),
                None => Ok(outcome["value"].take()),
            })
            .collect()
    }

    fn command(self, front: &Front) -> Command {
        let (program, script, trust) = match self {
            Self::Python => (environment().join("bin/python"), "sdk.py", "REQUESTS_CA_BUNDLE"),
            Self::Node => ("node".into(), "sdk.mjs", "NODE_EXTRA_CA_CERTS"),
        };
        let mut command = Command::new(program);
        command.arg(scripts().join(script)).env(trust, front.certificate());
        command.env("NO_PROXY", "localhost").env("NODE_NO_WARNINGS", "1");
        command
    }
}
