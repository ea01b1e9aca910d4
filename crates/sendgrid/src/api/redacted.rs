//! What must not be shown.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A text that must not reach a log or an error: a recipient's address, or words that may hold one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Redacted(String);

impl Redacted {
    /// Hides `text`.
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
