//! What SendGrid refused, and why.

use std::fmt;

use reqwest::{Method, StatusCode};
use serde_json::Value;

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
    /// The base address or the key can't be used.
    #[error("the SendGrid client can't be set up: {0}")]
    Config(String),
}

/// Kinds of refusal that an operator acts on differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 401. Not only for a bad key: SendGrid says so too when a key lacks a permission or credits are used up.
    Unauthorised,
    /// 403: a scope is missing, or the IP access list shuts this machine out.
    Forbidden,
    /// 404.
    NotFound,
    /// 429, still after waiting.
    RateLimited,
    /// Another 4xx: the call itself is wrong.
    Invalid,
    /// 5xx, still after trying again.
    Server,
}

impl Refusal {
    pub(super) const fn of(status: StatusCode) -> Self {
        match status.as_u16() {
            401 => Self::Unauthorised,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            429 => Self::RateLimited,
            400..=499 => Self::Invalid,
            _ => Self::Server,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unauthorised => "the key is not accepted, lacks a permission, or credits are used up",
            Self::Forbidden => "the key lacks a scope, or the account's IP access list shuts this machine out",
            Self::NotFound => "there is no such thing",
            Self::RateLimited => "too many calls",
            Self::Invalid => "SendGrid takes the call for wrong",
            Self::Server => "SendGrid failed",
        })
    }
}

/// SendGrid's own words, as far as it said any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message(Option<String>);

/// Longer messages are cut: an edge may answer with a page.
const MESSAGE_CHARACTERS: usize = 300;

impl Message {
    /// The message in an error's body, whichever of SendGrid's shapes it has.
    pub(super) fn of(body: &[u8]) -> Self {
        let value: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let errors = &value["errors"];
        let message = match errors {
            Value::Array(errors) => errors.iter().find_map(|error| error["message"].as_str()),
            Value::Object(error) => error.get("error").and_then(Value::as_str),
            _ => value["error"].as_str(),
        };
        Self(message.map(|message| message.chars().take(MESSAGE_CHARACTERS).collect()))
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |message| write!(f, ": {message}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_found_in_every_shape() {
        let of = |body: &str| Message::of(body.as_bytes()).to_string();
        assert_eq!(of(r#"{"errors":[{"field":null,"message":"too many requests"}]}"#), ": too many requests");
        assert_eq!(of(r#"{"error":"Unable to locate"}"#), ": Unable to locate");
        assert_eq!(of(r#"{"errors":{"error":"bad","field":"x"}}"#), ": bad");
        assert_eq!(of("<html>"), "");
    }
}
