//! What a policy would have decided over recorded events: the fold that decides in life, over the same events, with another
//! policy.
//!
//! [`over_recordings`] takes files of events and makes time out of the events themselves.
//!
//! What would have become of the mail is not guessed: a customer whom a candidate holds back goes on in the recording as it did
//! in life.

mod clock;
mod error;
mod lane;
mod lines;
mod outcome;
mod parse;
mod recorded;
mod rounds;
mod series;

use model::Stage;

pub use error::Error;
pub use lines::Recording;
pub use outcome::{Candidate, Effects, Live, Made, Outcome, Read, Run};
pub use recorded::{Reading, over_recordings};
pub use series::Sample;

/// A customer counts as found from this stage on: it no longer sends as it likes.
pub const FOUND: Stage = Stage::Throttled;
