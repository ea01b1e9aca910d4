//! Why SendGrid refused, in its words and in kinds.

use std::fmt;

use model::without_addresses;
use reqwest::StatusCode;
use serde_json::Value;

/// Kinds of refusal that an operator acts on differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 401: the key is wrong, expired or revoked.
    BadKey,
    /// 401: the key is good and lacks a permission.
    LacksPermission,
    /// 401: the account's credits are used up.
    CreditsUsedUp,
    /// 401 in other words: any of the three.
    Unauthorised,
    /// 403: a scope is missing, or the IP access list shuts this machine out.
    Forbidden,
    /// 404.
    NotFound,
    /// Another 4xx: the call itself is wrong.
    Invalid,
    /// 5xx, still after trying again.
    Server,
}

impl Refusal {
    /// The kind of a 4xx or 5xx; 401 says too little by itself, so SendGrid's words decide.
    pub(super) fn of(status: StatusCode, message: &Message) -> Self {
        match status.as_u16() {
            401 => Self::unauthorised(message),
            403 => Self::Forbidden,
            404 => Self::NotFound,
            400..=499 => Self::Invalid,
            _ => Self::Server,
        }
    }

    fn unauthorised(message: &Message) -> Self {
        let words = message.0.as_deref().unwrap_or_default().to_ascii_lowercase();
        let says = |any: &[&str]| any.iter().any(|words_of_kind| words.contains(words_of_kind));
        if says(&["credit"]) {
            Self::CreditsUsedUp
        } else if says(&["not authorized", "permission", "scope"]) {
            Self::LacksPermission
        } else if says(&["authorization grant", "revoked", "expired", "api key"]) {
            Self::BadKey
        } else {
            Self::Unauthorised
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadKey => "the key is wrong, expired or revoked",
            Self::LacksPermission => "the key lacks a permission",
            Self::CreditsUsedUp => "the account's credits are used up",
            Self::Unauthorised => "the key is not accepted, lacks a permission, or credits are used up",
            Self::Forbidden => "the key lacks a scope, or the account's IP access list shuts this machine out",
            Self::NotFound => "there is no such thing",
            Self::Invalid => "SendGrid takes the call for wrong",
            Self::Server => "SendGrid failed",
        })
    }
}

/// SendGrid's own words, as far as it said any; addresses in them are hidden.
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
        Self(message.map(|message| without_addresses(message).chars().take(MESSAGE_CHARACTERS).collect()))
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

    fn said(words: &str) -> Message {
        Message::of(serde_json::json!({ "errors": [{ "message": words }] }).to_string().as_bytes())
    }

    #[test]
    fn a_message_is_found_in_every_shape() {
        let of = |body: &str| Message::of(body.as_bytes()).to_string();
        assert_eq!(of(r#"{"errors":[{"field":null,"message":"too many requests"}]}"#), ": too many requests");
        assert_eq!(of(r#"{"error":"Unable to locate"}"#), ": Unable to locate");
        assert_eq!(of(r#"{"errors":{"error":"bad","field":"x"}}"#), ": bad");
        assert_eq!(of("<html>"), "");
        assert_eq!(of(""), "");
    }

    #[test]
    fn a_message_hides_addresses() {
        assert_eq!(said("no mail to ann@example.com, ever").to_string(), ": no mail to <address> ever");
    }

    #[test]
    fn a_401_is_told_apart_by_its_words() {
        let of = |words: &str| Refusal::of(StatusCode::UNAUTHORIZED, &said(words));
        assert_eq!(of("The provided authorization grant is invalid, expired, or revoked"), Refusal::BadKey);
        assert_eq!(of("Authenticated user is not authorized to send mail"), Refusal::LacksPermission);
        assert_eq!(of("Maximum credits exceeded"), Refusal::CreditsUsedUp);
        assert_eq!(of("authorization required"), Refusal::Unauthorised);
        assert_eq!(Refusal::of(StatusCode::UNAUTHORIZED, &Message::default()), Refusal::Unauthorised);
    }
}
