//! Makes SendGrid's state equal to the standings, and records each call.
//!
//! Level-triggered: it holds what should be (`weir.standings`) against what SendGrid reports, and makes the fewest calls
//! that close the difference ([`plan`]). A standing that comes twice makes no call; a call that failed is made again at
//! the next pass. Every call, and everything that was held back, is a record on `weir.actions`, and so is how a
//! subuser was before the first change, to which it is put back.

mod action;
mod enforcer;
mod error;
mod heard;
mod metrics;
mod placement;
pub mod plan;
mod queue;
mod reconcile;

pub use action::{Action, Outcome};
pub use enforcer::{Config, Enforcer};
pub use error::Error;
pub use placement::{PlacementRule, Placements};

/// A way to read the time.
pub type Clock = std::sync::Arc<dyn Fn() -> model::Timestamp + Send + Sync>;
