//! The operators' HTTP API: see what Weir decided, and tell it what to do; and the gate that mailers ask before they send.
//!
//! Reads the public topics into memory ([`Index`]), and asks the scorer for a customer's counts and for the policy in force.
//! A change is never made here: a command or a policy is appended to the log like any event, so that it has an author, a
//! place in the order, and is there after a crash.

mod access;
mod acts;
mod admin;
mod api;
mod connections;
mod etag;
mod explainer;
mod gate;
mod health;
mod index;
mod observed;
mod pages;
mod policies;
mod problem;
mod readings;
mod rejects;
mod server;

pub use access::{Access, AccessError, Caller, Credential, Proxy, Role, Token, TokenError, new_token};
pub use admin::{Admin, Probes, Ready, Troubles};
pub use api::explanations::Explanations;
/// A header's name, as a proxy's settings have it.
pub use axum::http::HeaderName;
pub use connections::ConnectionLimits;
/// A source, as far as replaying its rejects needs it.
pub use decode::{RejectSource, Rewrite};
pub use explainer::{ExplainError, Explainer};
pub use gate::{Gate, GateConfig, GateError, Unknown};
pub use index::{Acted, CustomersQuery, Decided, Index, IndexError, Listed, Page, Risk};
pub use observed::list_metrics;
pub use policies::{Policies, PolicyViewed};
pub use readings::Readings;
pub use server::{Server, ServerError};

use std::pin::Pin;
use std::sync::Arc;

use model::{CustomerId, CustomerView};

/// Why nobody tells what only a scorer knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// The scorer of this process is starting, stopping or busy, or it is another's to know.
    #[error(
        "the scorer of this process can't answer just now: try again in a moment; a customer's counts are known only where its \
         partition is"
    )]
    Busy,
    /// This process has no scorer.
    #[error("this process has no scorer: ask one that runs with the roles scorer and console")]
    NoScorer,
}

/// The future answer about one customer; `None` for one that was never seen.
pub type Viewed = Pin<Box<dyn Future<Output = Result<Option<CustomerView>, Unavailable>> + Send>>;

/// Asks whoever scores for a customer's standing and counts.
pub type Views = Arc<dyn Fn(CustomerId) -> Viewed + Send + Sync>;
