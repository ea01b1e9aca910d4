//! Tells customer success, and customers, what was decided, why, and what to mend.
//!
//! What is told of a customer is a [`Letter`] that a template of [`Templates`] makes a [`Message`]. Each channel tells of each
//! customer in order and only the latest; what was told, and that something is about to be, is kept in the log before it goes
//! (`book`, `memory`), so that nothing is told twice. A customer itself hears only of what is in force ([`Force`]). Whoever would
//! rather send it itself has the same as drafts in the log. Once a week a [`Digest`] says whom to call.

mod alarms;
mod book;
mod calendar;
mod channel;
mod chat;
mod config;
mod contacts;
mod diary;
mod digest;
mod digesting;
mod draft;
mod error;
mod examples;
mod feed;
mod force;
mod harm;
mod house;
mod letter;
mod line_breaks;
mod mail;
mod markdown;
mod memory;
mod metrics;
mod outreach;
mod pauses;
mod policies;
mod recovery;
mod settling;
mod telling;
mod templates;
mod worker;

pub use calendar::{NoWeekly, Weekly};
pub use config::{Address, Config, NoAddress, Secret, Smtp, Tls, WAITS};
pub use contacts::{Contact, Contacts, ContactsFault};
pub use digest::Digest;
pub use error::Error;
pub use examples::{Example, as_they_go_out as example_letters, decision as example, digests as example_digests};
pub use force::Force;
pub use letter::{Audience, Circumstances, CustomerTold, Letter};
pub use metrics::list_metrics;
pub use outreach::Outreach;
pub use policies::Policies;
pub use recovery::{Exit, Place, Recovery, Why};
pub use templates::{BUILT_IN, DIGEST, Message, TemplateFault, Templates};

/// A way to read the time.
pub type Clock = std::sync::Arc<dyn Fn() -> model::Timestamp + Send + Sync>;
