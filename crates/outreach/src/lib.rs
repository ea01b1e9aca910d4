//! Tells customer success, and customers, what was decided, why, and what to mend.
//!
//! What is told of a customer is a [`Letter`] that a template of [`Templates`] makes a [`Message`]. Each channel tells of each
//! customer in order and only the latest; what was told, and that something is about to be, is kept in the log before it goes
//! (`book`, `memory`), so that nothing is told twice. A customer itself hears only of what is in force ([`Force`]).

mod book;
mod channel;
mod chat;
mod config;
mod contacts;
mod error;
mod examples;
mod feed;
mod force;
mod letter;
mod mail;
mod markdown;
mod memory;
mod metrics;
mod outreach;
mod templates;
mod worker;

pub use config::{Address, Config, NoAddress, Secret, Smtp, Tls, WAITS};
pub use contacts::{Contact, Contacts, ContactsFault};
pub use error::Error;
pub use examples::decision as example;
pub use force::Force;
pub use letter::{Audience, Circumstances, CustomerTold, Letter};
pub use metrics::list_metrics;
pub use outreach::Outreach;
pub use templates::{BUILT_IN, Message, TemplateFault, Templates};

/// A way to read the time.
pub type Clock = std::sync::Arc<dyn Fn() -> model::Timestamp + Send + Sync>;
