//! Accepts signed POSTs and answers 2xx only once every event in them is durable.
//!
//! The first room of the flow: a POST comes in at [`Receiver`], each event of it goes out as one record of
//! `weir.events`, keyed by its customer. What is signed but makes no sense goes to `weir.rejects` with the reason; what
//! is not signed is not even parsed. The order of work for one POST stands in `request`, cheapest check first.

mod admission;
mod answer;
mod attribution;
mod batch;
mod config;
mod error;
mod metrics;
mod pseudonym;
mod request;
mod server;
mod tls;

pub use attribution::CustomerRule;
pub use config::{Config, Source, Tls, Tolerance};
pub use error::Error;
pub use pseudonym::PseudonymKey;
pub use server::Receiver;

/// A way to read the time.
pub type Clock = std::sync::Arc<dyn Fn() -> model::Timestamp + Send + Sync>;
