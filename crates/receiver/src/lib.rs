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
//! Whatever a stranger can make it hold is bounded: connections by their number, bodies and what is made of them by the bytes
//! in flight, time by a deadline for each step and a minimum rate. Where a bound is reached, clients that are behind lose their
//! places first; beyond it the receiver answers 503, and SendGrid comes again.
//!
//! # Not here
//!
//! Judging an event's age is the fold's affair, and so is recognising duplicates, so that a replay decides the same. Copies
//! of the latest events are told here too, but only to spare the log.

mod admission;
mod answer;
mod batch;
mod body;
mod config;
mod connection;
mod error;
mod metrics;
mod origin;
mod pace;
mod places;
mod pseudonym;
mod recall;
mod recent;
mod repeats;
mod request;
mod rewrite;
mod search;
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
