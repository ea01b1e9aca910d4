//! A typed client for the calls that Weir makes.
//!
//! - [`Client`] steers subusers, their credits and their IPs, and pools: what only a parent account has.
//! - [`Account`] is what every account has, the parent's own or a subuser's: webhooks, suppressions, statistics,
//!   scheduled sends, domains. Only these calls can be made on behalf of a subuser.
//! - [`Endpoint`] lists every call there is, with what SendGrid documents of it; [`needs`] says which scopes they need.
//!
//! Every call has a time limit and keeps to SendGrid's rate limits. It is tried again after a 429, a 5xx or a broken
//! connection, unless doing it twice would do harm ([`Repeat`]): then [`Error::Unknown`] says that nobody knows what came
//! of it. Any other refusal is final and is told as an [`Error`] that says what was asked and what SendGrid answered. The key
//! and recipients' addresses are never shown.

mod account;
mod ask;
mod by_id;
mod by_name;
mod client;
mod config;
mod credits;
mod directory;
mod domains;
mod endpoint;
mod error;
mod http;
mod id;
mod ips;
pub mod needs;
pub mod pacing;
mod paging;
mod quota;
mod redacted;
mod refusal;
mod scheduled_sends;
mod stats;
mod subusers;
mod suppressions;
mod turn;
mod watcher;
mod webhooks;

pub use account::{Account, AccountCredits, AccountDetails, AccountKind};
pub use client::Client;
pub use config::{ApiKey, Config, IpApi};
pub use credits::{Credits, CreditsKind, CreditsLeft};
pub use domains::{Domain, ReverseDns};
pub use endpoint::{Endpoint, OnBehalfOf, Repeat};
pub use error::Error;
pub use id::Id;
pub use ips::Ip;
pub use redacted::Redacted;
pub use refusal::Refusal;
pub use scheduled_sends::{BatchId, ScheduledSend, Stop};
pub use stats::{Day, Days, Metrics, NamedDay, ProviderMetrics};
pub use subusers::{Reputation, Subuser};
pub use suppressions::{Suppression, SuppressionList, TimeWindow};
pub use watcher::{CallOutcome, TriedCall, Watcher};
pub use webhooks::{Webhook, WebhookEvent, WebhookKey, WebhookOAuth, WebhookSettings, Webhooks};
