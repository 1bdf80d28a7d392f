//! The integration tests, in one binary.

mod corpus;
mod house;
mod properties;
mod strategies;
mod walks;
