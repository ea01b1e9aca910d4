//! Whether Weir has every event: what it counted is held against what SendGrid counted, day by day.
//!
//! One process at a time reads all events and keeps a [`tally`]: how many there were by source, hour and kind, each counted
//! once. Some hours after a day's end it asks SendGrid for the day's statistics and for what came onto the lists of
//! suppressions, of each account that a source belongs to, and says where Weir has fewer ([`comparison`], [`hours`]). The
//! report is a record on the topic `enforcement`; a day that lacks something is compared again each day that the tally has it.
//!
//! The tally is kept in the log with the place that it reaches to, source by source, so that a crash makes nothing count
//! twice or not at all. Which events were seen is not kept but read again.
//!
//! No address of a recipient leaves this crate: of a suppression nothing but its time is looked at.

pub mod comparison;
mod completeness;
mod config;
mod error;
mod hour;
pub mod hours;
mod look;
mod memory;
mod metrics;
mod reader;
mod retries;
mod schedule;
pub mod seen;
pub mod tally;
mod term;

pub use completeness::Completeness;
pub use config::{Config, Source};
pub use error::Error;
pub use hour::Hour;
pub use metrics::list_metrics;

/// A way to read the time.
pub type Clock = std::sync::Arc<dyn Fn() -> model::Timestamp + Send + Sync>;
