//! The wasmtime side of the engine's boundary: load, pool, decide, limits.
//!
//! A [`Runtime`] compiles the engine once and keeps instances of it. A call takes an idle instance,
//! or makes one while there are fewer than [`Limits::instances`], and gives it back; it never waits
//! for another call. Tables belong to the host: a [`PolicyTable`] is shared and immutable, an
//! instance loads it when it first meets it and forgets the least recently used ones when it runs
//! short. Swapping a scope map is therefore swapping an `Arc`, under any load.
//!
//! A trap, or an invalid table, is an error of that one call. The instance that trapped is thrown
//! away.
//!
//! ```
//! use scopegate_core::Settings;
//! use scopegate_runtime::{Limits, Runtime};
//!
//! let runtime = Runtime::new(Limits::default())?;
//! let table = runtime.compile("my-map", ["repositories/samples/*/content/read"])?;
//! let report = runtime.claims(&[&table], &["repository:samples/nginx:pull,push"], &Settings::default())?;
//! assert_eq!(report.access[0].to_string(), "repository:samples/nginx:pull");
//! assert_eq!(report.denied[0].to_string(), "repository:samples/nginx:push");
//! # Ok::<(), scopegate_runtime::Error>(())
//! ```
//!
//! Left out: interruption. The engine's loops are bounded by its input, and the input is capped; a
//! module that is not ours would need epochs.

mod code;
mod error;
mod instance;
mod pool;
mod seal;
mod table;

pub use code::{ENGINE_SHA256, ENGINE_WASM};
pub use error::Error;
pub use instance::{Acceptance, Admission, Handle, Route};
pub use pool::{Limits, Runtime, Session};
pub use table::PolicyTable;
