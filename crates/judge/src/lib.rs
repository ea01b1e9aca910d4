//! The scorecard of a policy.
//!
//! Weir's fold under a policy, and rules of fixed percentages as others use them ([`Rival`]), watch the same simulated month
//! (`simulator::month`). The [`Scorecard`] says for each kind of customer how many of the bad were found, how many mails
//! they had sent and after what time, beside the mails that the best sequential test of the same limits needs on average at
//! the same error rates ([`policy::wald`]); and how many of the good were touched.
//!
//! Weir's verdicts take effect: who is throttled, quarantined or suspended sends accordingly. A rival sees the traffic as if
//! nobody had been stopped, until it would first act on a customer; later acts do not count. That is what it would see in a
//! loop of its own, because up to a customer's first move nothing depends on who watches.
//!
//! # Laws
//!
//! - **The same policy, seed and size give the same scorecard**, however many threads the machine runs at once.

mod outcome;
mod quantiles;
mod rival;
mod rivals;
mod score;
mod scorecard;
mod table;
mod theory;
mod weir;

pub use outcome::{Found, Move, Outcome};
pub use quantiles::Quantiles;
pub use rival::{Rival, Rule};
pub use score::score;
pub use scorecard::{Beaten, KindScore, Score, Scorecard, Totals, Touch};

/// The parts into which the customers are divided, one a thread; not the machine's to say, since each is a partition whose
/// share of the fleet is known to the others only with the next tick.
const PARTS: usize = 2;

/// How often events are handed on: the webhook posts every few seconds, so verdicts take effect between two mails.
const STEP: model::Millis = model::Millis::seconds(5);

/// How often time passes for the fold.
const TICK: model::Millis = model::Millis::minutes(5);
