//! Why a decision was made: derived again from the log, recounted from the raw events, and said in sentences.
//!
//! A [`Review`] is given the decision as it was published and then the records of its partition, in their order, up to the
//! one that brought it about. It finishes as an [`Explanation`] that holds three answers which do not lean on each other:
//!
//! - [`Derived`]: the fold, run again over the same records, says the very same decision, byte for byte; or it does not,
//!   and then in which members, and why that may be.
//! - [`Recount`]: the bad events and the mails of the evidence's cohort, counted one by one without the fold's buckets.
//! - Words, for operators and for the customer.
//!
//! Pure: it reads no log and no clock. Of the partition's events only the customer's matter, because what it is compared
//! with comes in by the ticks; whoever reads the log may leave other customers' records out ([`Review::concerns`]).

mod derive;
mod explanation;
mod recount;
mod review;
mod words;

pub use derive::{Cause, Derived, Difference};
pub use explanation::Explanation;
pub use recount::{Recount, Recounting};
pub use review::{Recorded, Review};
pub use words::{Told, tell};
