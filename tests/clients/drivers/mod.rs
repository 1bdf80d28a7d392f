//! One module for each client: how it is called, and nothing else. Each keeps its credentials and
//! its memory in a folder of its own.

pub(crate) mod az;
pub(crate) mod buildah;
pub(crate) mod built;
pub(crate) mod cosign;
pub(crate) mod curl;
pub(crate) mod docker;
pub(crate) mod podman;
pub(crate) mod sdk;
pub(crate) mod skopeo;
