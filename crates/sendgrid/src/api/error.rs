//! What went wrong with a call.

use std::time::Duration;

use reqwest::{Method, StatusCode};

use super::ask::Ask;
use super::refusal::{Message, Refusal};

/// A call that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// SendGrid answered and refused.
    #[error("{method} {path}: {refusal} (HTTP {status}{message})")]
    Refused {
        /// The call.
        method: Method,
        /// Its path.
        path: String,
        /// What kind of refusal it is.
        refusal: Refusal,
        /// The status.
        status: StatusCode,
        /// SendGrid's words.
        message: Message,
    },
    /// SendGrid takes no more of these calls for now, or Weir makes as many as it lets itself make.
    #[error("{method} {path}: too many calls{}", again(*wait))]
    RateLimited {
        /// The call.
        method: Method,
        /// Its path.
        path: String,
        /// How long to wait, as far as it is known.
        wait: Option<Duration>,
    },
    /// No answer came, however often it was tried.
    #[error("{method} {path}: SendGrid can't be reached")]
    Unreachable {
        /// The call.
        method: Method,
        /// Its path.
        path: String,
        /// What happened.
        #[source]
        source: reqwest::Error,
    },
    /// The call went out, and nobody knows what came of it. Twice would do harm, so it was not tried again: look first.
    #[error("{method} {path}: whether SendGrid did it is not known; it is not tried again by itself")]
    Unknown {
        /// The call.
        method: Method,
        /// Its path.
        path: String,
        /// What happened.
        #[source]
        source: Box<Self>,
    },
    /// SendGrid said yes, in a shape that it does not document.
    #[error("{method} {path}: the answer is not what SendGrid documents ({what})")]
    UnexpectedAnswer {
        /// The call.
        method: Method,
        /// Its path.
        path: String,
        /// What was found.
        what: String,
    },
    /// The account has no such thing, so nothing was asked of it.
    #[error("there is no {kind} {name:?} in the account")]
    NoSuch {
        /// What kind of thing.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// A name that can't stand in an address or a header: the call would become another one.
    #[error("{method} {path}: {name:?} can't be asked for by name")]
    Name {
        /// The call.
        method: Method,
        /// Its path, without names.
        path: &'static str,
        /// The name.
        name: String,
    },
    /// The base address or the key can't be used.
    #[error("the SendGrid client can't be set up: {0}")]
    Config(String),
}

impl Error {
    /// How long SendGrid asks to wait before the next call of this kind, where it does.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { wait, .. } => *wait,
            _ => None,
        }
    }

    /// What kind of refusal it is, where SendGrid refused.
    pub const fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Refused { refusal, .. } => Some(*refusal),
            _ => None,
        }
    }

    /// Whether it says that there is no such thing.
    pub(super) const fn is_not_found(&self) -> bool {
        matches!(self, Self::NoSuch { .. } | Self::Refused { refusal: Refusal::NotFound, .. })
    }

    pub(super) fn unexpected(ask: &Ask, what: String) -> Self {
        Self::UnexpectedAnswer { method: ask.endpoint.method(), path: ask.path.clone(), what }
    }

    pub(super) fn unknown(ask: &Ask, source: Self) -> Self {
        Self::Unknown { method: ask.endpoint.method(), path: ask.path.clone(), source: Box::new(source) }
    }

    pub(super) fn rate_limited(ask: &Ask, wait: Option<Duration>) -> Self {
        Self::RateLimited { method: ask.endpoint.method(), path: ask.path.clone(), wait }
    }
}

fn again(wait: Option<Duration>) -> String {
    wait.map(|wait| format!("; again in {} s", wait.as_secs_f64().ceil())).unwrap_or_default()
}

/// `None` where there is no such thing.
pub(super) fn found<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
