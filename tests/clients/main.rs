//! Other people's software, unmodified, against our server.
//!
//! Everything listens on loopback, on ports that were free, and ends with its test.
//! `cargo xtask setup` installs it all. Where a client wants HTTPS, an authority of the test
//! vouches for `localhost`; nothing is changed on the machine.
//!
//! | module | holds |
//! |---|---|
//! | [`containers`] | skopeo, podman, buildah and docker against CNCF distribution |
//! | [`address`] | one address for both: which requests are whose, and the clients through it |
//! | [`azure`] | `az`, and the Azure SDKs for Python, node, Go and Java, against our server and our gateway |
//! | [`data_plane`] | the registry's own data plane, `/acr/v1`, over CNCF distribution, with Helm, regctl and what acr-cli sends |
//! | [`data_plane_faults`] | the same while the registry is slow or fails, and a gateway ends |
//! | [`documents`] | five documents about Azure Container Registry, typed line by line |
//! | [`faults`] | crashes, a database that goes away, a full disk, slow clients |
//! | [`gateway`] | the same tools through our gateway, and what must not get through it |
//! | [`worker`] | the same through our Worker in workerd |
//! | [`authz`] | the same through nginx, Caddy and Envoy, which ask the token server |
//! | [`envoy`] | the same through our filter in Envoy |
//! | [`conformance`] | the suite of the distribution specification, before the gateway and behind it |
//! | [`helm_index`] | the index of the charts in a registry, read by Helm and by scripts |
//! | [`honest`] | what honest clients send, through every edge as at the registry itself |
//! | [`load`] | what one client of the gateway can take from the others |
//! | [`mounts`] | a mount from another repository, named in every place that a registry may read one from |
//! | [`people`] | `az login` of people, in a real browser and with device codes |
//! | [`signing`] | cosign signs through every edge where it may push
//! | [`revoking`] | how soon each edge refuses what was revoked, by each way to revoke |
//! | [`passwords`] | a token of an OpenID provider, or of our authority, as a password |
//! | [`images`] | a large image through each of them |
//! | [`sameness`] | generated cases through every proxy: one digest |
//! | [`edge`] | what they all have to hold |
//! | [`software`] | what the clients talk to |
//! | [`drivers`] | how each client is called |

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "what fails ends the test"
)]

mod address;
mod authz;
mod azure;
mod conformance;
mod containers;
mod data_plane;
mod data_plane_faults;
mod documents;
mod drivers;
mod edge;
mod envoy;
mod faults;
mod gateway;
mod helm_index;
mod honest;
mod images;
mod load;
mod mounts;
mod passwords;
mod people;
mod revoking;
mod sameness;
mod signing;
mod software;
mod worker;
