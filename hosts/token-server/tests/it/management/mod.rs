//! The management API: who may do what, what is refused, and what a change means for tokens already
//! issued.

mod admin_account;
mod audit;
mod authority;
mod browsers;
mod bundle;
mod credentials;
mod description;
mod discovery;
mod generations;
mod identities;
mod ids;
mod lists;
mod names;
mod requests;
mod restore;
mod revoke;
mod roles;
mod scope_maps;
mod service_principals;
mod tokens;
