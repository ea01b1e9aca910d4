//! An ordered, partitioned, durable log.
//!
//! Everything that can change a verdict goes through here, and everything that Weir decides comes out of here. A crate
//! that uses the log holds an [`Arc<dyn Log>`](Log) and can't tell which backend it has; the suite in `tests/` is written
//! against this seam, so that each backend is put under the same promises.
//!
//! - A [`Producer`] appends records and resolves once they are durable.
//! - A [`Subscription`] hands out the records of the partitions that it was assigned, in order.
//! - [`Outputs`] publishes what the fold decided, in sequence, and tells what was published before.
//! - A [`Candidacy`] is for work that one process at a time shall do.
//! - A [`Tail`] reads one topic from its beginning or from now on, for those who only look.
//! - [`measured()`] counts and times what any backend's producers append.

pub mod embedded;
pub mod kafka;
mod measured;
mod partitioner;
mod record;
mod seam;
mod topic;

pub use measured::{list_metrics, measured};
pub use partitioner::partition_of;
pub use record::{Headers, REJECT_PSEUDONYMISED, Record, RecordKind, Stored};
pub use seam::{
    Append, BoxFuture, Candidacy, Error, Log, Output, Outputs, PartitionCount, Polled, Producer, Published, Reach,
    Result, Route, Sequence, Start, Subscription, Tail,
};
pub use topic::{Cleanup, Topic};
