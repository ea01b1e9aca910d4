//! What a policy would have decided over recorded events: the fold that decides in life, over the same events, with another
//! policy.
//!
//! [`over_recordings`] takes files of events and makes time out of the events themselves. [`over_log`] takes the log as it
//! stands, with its ticks and commands, and sets what was decided in life beside it.
//!
//! What would have become of the mail is not guessed: a customer whom a candidate holds back goes on in the recording as it did
//! in life.

mod clock;
mod compare;
mod error;
mod lane;
mod life;
mod lines;
mod logged;
mod outcome;
mod parse;
mod peaks;
mod policies;
mod recorded;
pub mod report;
mod rounds;
mod series;

use model::Stage;

pub use compare::{Difference, Finding, Kind, Tally, differences, findings};
pub use error::Error;
pub use lines::Recording;
pub use logged::over_log;
pub use outcome::{Behind, Candidate, Effects, Force, Live, Made, Outcome, PutInForce, Read, Run};
pub use recorded::{Reading, over_recordings};
pub use series::Sample;

/// A customer counts as found from this stage on: it no longer sends as it likes.
pub const FOUND: Stage = Stage::Throttled;
