//! One line of the table.

use serde::Deserialize;

use crate::{Cause, ChargedTo};

/// Replies of one kind. One is of this kind where it says one of `any` and all of `all`, none of `unless`, and has one of
/// `status` and of `code`, as far as these are given.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, which is one rule's alone.
    pub name: String,
    /// Why such mail is refused.
    pub cause: Cause,
    /// Whose doing that is.
    pub charged_to: ChargedTo,
    /// What such a reply means, in a sentence.
    pub means: String,
    /// Where the words are documented, or `seen` where they are only known from mail.
    pub source: String,
    /// Phrases of which one is in the reply, in any case of letters.
    #[serde(default)]
    pub any: Vec<String>,
    /// Phrases that are all in it.
    #[serde(default)]
    pub all: Vec<String>,
    /// Phrases that are not in it.
    #[serde(default)]
    pub unless: Vec<String>,
    /// Beginnings of reply codes, of which it has one: `4` for those that ask to try again.
    #[serde(default)]
    pub code: Vec<String>,
    /// Enhanced status codes (RFC 3463), or their beginnings up to a full stop (`5.7.`), of which it has one.
    #[serde(default)]
    pub status: Vec<String>,
}

impl Rule {
    /// Every phrase that decides.
    pub(crate) fn phrases(&self) -> impl Iterator<Item = &String> {
        self.any.iter().chain(&self.all).chain(&self.unless)
    }

    /// Whether it is for replies with this enhanced status code and this reply code.
    pub(crate) fn has(&self, status: Option<&str>, code: Option<&str>) -> bool {
        let fits = |wanted: &String, status: &str| {
            wanted == status || (wanted.ends_with('.') && status.starts_with(wanted.as_str()))
        };
        let has_status = self.status.is_empty()
            || status.is_some_and(|status| self.status.iter().any(|wanted| fits(wanted, status)));
        let has_code = self.code.is_empty()
            || code.is_some_and(|code| self.code.iter().any(|wanted| code.starts_with(wanted.as_str())));
        has_status && has_code
    }
}
