//! Accepts signed POSTs and answers 2xx only once every event in them is durable.
//!
//! The first room of the flow: a POST comes in at [`Receiver`], each event of it goes out as one record of the topic
//! `events`, keyed by its customer and carrying SendGrid's own bytes. What is signed but makes no sense goes to `rejects`
//! with the reason, so that one bad element neither blocks the others nor is lost; what is not signed is not even parsed.
//!
//! ```text
//!   connection ─▶ request ─▶ body ─▶ (verify, split, parse) ─▶ batch ─▶ log ─▶ answer
//!    deadlines     head      bytes      nothing unverified      records  durable  2xx
//! ```
//!
//! Everything that a stranger can use up is limited: connections by their number, bodies and their records by memory, time by
//! deadlines and a minimum rate. At a limit, slow clients are evicted first; then the receiver answers 503 and SendGrid retries.
//!
//! # Not here
//!
//! The fold judges an event's age and recognises duplicates, so that a replay of the log decides the same. The receiver drops copies
//! of recent events too, but only to spare the log.

mod address_matcher;
mod admission;
mod answer;
mod batch;
mod body;
mod bounded_map;
mod config;
mod connection;
mod connection_slots;
mod duplicates;
mod error;
mod metrics;
mod origin;
mod pace;
mod preload;
mod pseudonym;
mod request;
mod rewrite;
mod server;
mod tls;

pub use config::{Config, Source, SourceName, TimestampTolerance, Tls};
pub use error::Error;
pub use metrics::list_metrics;
pub use pseudonym::PseudonymKey;
pub use request::WEBHOOK_PATH;
pub use sendgrid::webhook::CustomerRule;
pub use server::Receiver;

/// A way to read the time.
pub type Clock = std::sync::Arc<dyn Fn() -> model::Timestamp + Send + Sync>;
