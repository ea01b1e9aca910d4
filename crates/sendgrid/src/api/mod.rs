//! A typed client for the calls that steer subusers, IPs and pools.
//!
//! Every call has a time limit and is tried again after a 429, a 5xx or a broken connection; all calls here may be
//! repeated safely. Any other refusal is final and is told as an [`Error`] that says what was asked and what SendGrid
//! answered. The key is never shown.

mod client;
mod error;
mod http;
mod types;

pub use client::Client;
pub use error::{Error, Refusal};
pub use http::{ApiKey, Config};
pub use types::{Credits, CreditsKind, Ip, Subuser};
