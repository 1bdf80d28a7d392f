//! Other people's software, unmodified, against our server.
//!
//! Everything listens on loopback, on ports that were free, and ends with its test. `cargo xtask setup` installs it all. Where a client
//! wants HTTPS, an authority of the test vouches for `localhost`; nothing is changed on the machine.

mod azure;
mod containers;
mod drivers;
mod faults;
mod software;
