//! The gateway: a reverse proxy before a registry that lets through what a token may do, and
//! answers the rest itself.
//!
//! Life of a request: [`request`] refuses what two readers could read in two ways, [`token`] and
//! [`password`] find the credential, [`scopegate_edge::decide`] decides, and [`proxy`] forwards the
//! canonical request or answers.
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | the configuration |
//! | [`request`] | what is refused before anything is decided |
//! | [`peers`] | how many connections one client may have |
//! | [`head`] | how long the head of a request may take |
//! | [`keys`] | the public keys of the issuer |
//! | [`jws`] | what the issuer signed |
//! | [`token`] | tokens, verified once and remembered |
//! | [`password`] | names and passwords, asked about at the token server |
//! | [`feed`] | what the token server tells of itself |
//! | [`revocation`] | what the revocation feed has said |
//! | [`bundle`] | the policy of the registry, held here |
//! | [`status`] | where the status of tokens is known from |
//! | [`proxy`] | the request and the answer, between client and registry |
//! | [`headers`] | what a client may not send on, and what an answer may not bring back |
//! | [`listing`] | the repositories and the tags, page by page |
//! | [`admin`] | metrics, and whether the gateway lives and is ready |
//! | [`telemetry`] | the log and the decision log |
//! | [`client`] | asking the token server |
//! | [`serve`](mod@serve) | all of it, running |
//!
//! Left out: which tokens, scopes and paths are good, which `scopegate-edge` and the engine decide;
//! storage, which is the registry's; issuing, which is the token server's.

pub mod admin;
pub mod bundle;
pub mod client;
pub mod config;
pub mod feed;
pub mod head;
pub mod headers;
pub mod jws;
pub mod keys;
pub mod listing;
pub mod password;
pub mod peers;
pub mod proxy;
pub mod request;
pub mod revocation;
pub mod serve;
#[cfg(test)]
mod signer;
pub mod status;
pub mod telemetry;
pub mod token;
