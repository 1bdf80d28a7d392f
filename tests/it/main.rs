//! The integration tests, in one binary.

mod browser;
mod corpus;
mod embed;
mod house;
mod properties;
mod sameness;
mod strategies;
mod walks;
