//! Makes SendGrid's state equal to the standings, and records each call.
//!
//! Level-triggered: it holds what should be (`weir.standings`) against what SendGrid reports, and makes the fewest calls
//! that close the difference ([`plan`]). A standing that comes twice makes no call; a call that failed is made again. There is
//! no atomic move at SendGrid: what is half done when a process dies is finished by the next one.
//!
//! A customer's turn goes through these files: `queue` says whose it is, `permit` whether it may be done (mode, approval,
//! pause), `observation` and `eyes` what is there, `reconcile` and [`plan`] what is to be done, `catch` whether it is too much at
//! once, `breaker` whether SendGrid answers at all. `carrying` carries it out, `calling` makes a call. What must not be forgotten
//! (`case`) is on the log before a call is made: how the customer was, that it was let through, what is held back. Every call is a record on `weir.actions`.

mod action;
mod attend;
mod breaker;
mod calling;
mod carrying;
mod case;
mod catch;
mod config;
mod enforcer;
mod error;
mod eyes;
mod former;
mod heard;
mod hold;
mod mail_watch;
mod memory;
mod metrics;
mod observation;
mod permit;
mod placement;
pub mod plan;
mod queue;
mod reconcile;
mod scopes;
mod stray;
mod sweep;

pub use action::{Action, Outcome};
pub use case::{Before, OwnIp};
pub use config::{Config, Limits, OnDrift};
pub use enforcer::Enforcer;
pub use error::Error;
pub use metrics::list_metrics;
pub use placement::{PlacementRule, Placements};

/// A way to read the time.
pub type Clock = std::sync::Arc<dyn Fn() -> model::Timestamp + Send + Sync>;

#[cfg(test)]
mod tests {
    use model::{CustomerId, DecisionId, Reason, Stage, Standing, Timestamp};

    /// A standing that a rule brought about.
    pub(crate) fn standing(name: &str, stage: Stage, daily_cap: Option<u32>) -> Standing {
        let reason = Reason { decision: DecisionId::from_bits(7), rule: "rule".to_owned(), text: String::new() };
        Standing {
            reasons: vec![reason],
            ..Standing::at(CustomerId::new(name).unwrap(), stage, daily_cap, Timestamp::from_seconds(0))
        }
    }
}
