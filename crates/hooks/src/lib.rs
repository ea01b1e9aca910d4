//! Posts decisions to the platform's own endpoints, signed as the [Standard Webhooks](https://www.standardwebhooks.com)
//! specification says.
//!
//! A delivery is made at least once: how far each hook is, is kept in the log, and what a crash forgets is delivered again
//! under the same id. A customer's deliveries are made in their order, each after the one before it is done. One that fails is tried
//! again by a [`Schedule`], and after that it is a dead letter in the log. Each hook reads, waits and fails by itself, and
//! reads no further while too much waits.

mod address;
mod error;
mod feed;
mod hook;
mod hooks;
mod memory;
mod metrics;
mod post;
mod progress;
mod queue;
mod resolver;
mod schedule;
mod secret;
mod target;
mod told;
mod worker;

pub use address::Refused;
pub use error::Error;
pub use hook::{Hook, HookName, HookNameError};
pub use hooks::Hooks;
pub use metrics::list_metrics;
pub use schedule::Schedule;
pub use secret::{SecretError, Secrets};
pub use target::{Reach, Target, TargetError};

/// A way to read the time.
pub type Clock = std::sync::Arc<dyn Fn() -> model::Timestamp + Send + Sync>;
