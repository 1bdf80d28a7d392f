//! What the clients talk to: our server, and other people's software around it.

pub(crate) mod authority;
pub(crate) mod echo;
pub(crate) mod faulty;
pub(crate) mod front;
pub(crate) mod gateway;
pub(crate) mod image;
pub(crate) mod large;
pub(crate) mod mirror;
pub(crate) mod old_go;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod provider;
pub(crate) mod proxy;
pub(crate) mod registry;
pub(crate) mod server;
pub(crate) mod slow;
pub(crate) mod tap;
pub(crate) mod wire;
pub(crate) mod workerd;
