//! Who sent a mail.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

/// A customer of the platform, by the name that the platform gave it.
///
/// 1 to 200 bytes of text without control characters. The names that begin with `unattributed:` are Weir's own: each
/// source has one, for events that name no customer. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, min_length = 1, max_length = 200))]
#[serde(try_from = "String", into = "String")]
pub struct CustomerId(Arc<str>);

/// Why a text can't be a customer's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CustomerIdError {
    /// The text is empty.
    #[error("a customer id is empty")]
    Empty,
    /// The text is over [`CustomerId::MAX_BYTES`].
    #[error("a customer id has {0} bytes (at most {max})", max = CustomerId::MAX_BYTES)]
    TooLong(usize),
    /// The text holds a control character, for example NUL or a line break.
    #[error("a customer id holds a control character at byte {0}")]
    Control(usize),
}

impl CustomerId {
    /// The longest name, in bytes.
    pub const MAX_BYTES: usize = 200;

    const UNATTRIBUTED: &str = "unattributed:";

    /// What stands in a path before a name that can't be a segment by itself, or that begins with the like.
    const ESCAPE: char = '~';
    /// What a segment of a path holds as it is. Everything that could end a link in HTML or Markdown is encoded.
    const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

    /// The name `text`, or why it can't be one.
    pub fn new(text: &str) -> Result<Self, CustomerIdError> {
        Self::check(text).map(|()| Self(text.into()))
    }

    /// Whether `text` can be a name, without making one.
    pub fn check(text: &str) -> Result<(), CustomerIdError> {
        if text.is_empty() {
            return Err(CustomerIdError::Empty);
        }
        if text.len() > Self::MAX_BYTES {
            return Err(CustomerIdError::TooLong(text.len()));
        }
        if let Some(at) = text.find(char::is_control) {
            return Err(CustomerIdError::Control(at));
        }
        Ok(())
    }

    /// The customer that takes a source's events that can't be attributed.
    pub fn unattributed(source: &str) -> Self {
        Self(format!("{}{source}", Self::UNATTRIBUTED).into())
    }

    /// Whether this stands for events that could not be attributed. Such a one is counted and never judged.
    pub fn is_unattributed(&self) -> bool {
        self.0.starts_with(Self::UNATTRIBUTED)
    }

    /// The source whose unattributed events it stands for, if it does.
    pub fn source_of_unattributed(&self) -> Option<&str> {
        self.0.strip_prefix(Self::UNATTRIBUTED)
    }

    /// Where the customer's page is, below the console's address. `.` and `..` are escaped with a `~`, since browsers take such
    /// segments away, percent-encoded or not.
    pub fn page_path(&self) -> String {
        let name = self.as_str();
        let is_escaped = name == "." || name == ".." || name.starts_with(Self::ESCAPE);
        let escape = if is_escaped { Self::ESCAPE.to_string() } else { String::new() };
        format!("/customers/{escape}{}", utf8_percent_encode(name, Self::PLAIN))
    }

    /// The customer whose page is at `segment`, which is no longer percent-encoded, or why there can't be one.
    pub fn of_page(segment: &str) -> Result<Self, CustomerIdError> {
        Self::new(segment.strip_prefix(Self::ESCAPE).unwrap_or(segment))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CustomerId {
    type Error = CustomerIdError;

    fn try_from(text: String) -> Result<Self, CustomerIdError> {
        Self::new(&text)
    }
}

impl From<CustomerId> for String {
    fn from(id: CustomerId) -> Self {
        id.0.as_ref().to_owned()
    }
}

impl Borrow<str> for CustomerId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_could_break_a_log_line_or_a_key_is_refused() {
        assert_eq!(CustomerId::new(""), Err(CustomerIdError::Empty));
        assert_eq!(CustomerId::new("a\0b"), Err(CustomerIdError::Control(1)));
        assert_eq!(CustomerId::new(&"x".repeat(201)), Err(CustomerIdError::TooLong(201)));
        assert_eq!(CustomerId::new("acme & söhne").unwrap().as_str(), "acme & söhne");
    }

    #[test]
    fn a_page_s_path_is_plain_text_that_leads_back_to_its_customer() {
        let paths = [
            ("acme.com", "acme.com"),
            ("..", "~.."),
            (".", "~."),
            ("~x", "~~x"),
            ("../a b?<söhne>/%)|", "..%2Fa%20b%3F%3Cs%C3%B6hne%3E%2F%25%29%7C"),
        ];
        for (name, expected) in paths {
            let path = CustomerId::new(name).unwrap().page_path();
            let segment = path.strip_prefix("/customers/").unwrap();
            assert_eq!(segment, expected);
            let decoded = percent_encoding::percent_decode_str(segment).decode_utf8().unwrap();
            assert_eq!(CustomerId::of_page(&decoded).unwrap().as_str(), name);
        }
    }
}
