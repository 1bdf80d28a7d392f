//! People who sign in: what is remembered between the steps, and the tokens that they get.
//!
//! Follows RFC 6749 with RFC 7636 and RFC 8252, RFC 8628, and OpenID Connect Core 1.0. The
//! authority hands a person on to the one provider that the configuration names, and issues tokens
//! of its own for who comes back.
//!
//! Nothing is stored for a sign-in that is not over: what has to be remembered is a token that is
//! signed for this one purpose, in a cookie or as the device code, so any server behind one address
//! goes on with it. A code is stored, because it is good once.
//!
//! | module | holds |
//! |---|---|
//! | [`redirect`] | addresses on the client's own machine |
//! | [`pkce`] | challenges, verifiers and other random texts |
//! | [`request`] | what `authorize` remembers |
//! | [`device`] | what a device code holds, and how often it may be asked for |
//! | [`code`] | codes, good once |
//! | [`person`] | who has signed in, and the tokens for it |
//!
//! Left out: consent, and sessions at this server. The provider has both.

pub(crate) mod code;
pub(crate) mod device;
pub(crate) mod person;
pub(crate) mod pkce;
pub(crate) mod redirect;
pub(crate) mod request;
