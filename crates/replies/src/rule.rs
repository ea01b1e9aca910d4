//! A rule of the table.

use serde::Deserialize;

use crate::{Cause, ChargedTo};

/// A rule for replies of one kind. It matches a reply that contains one phrase of `any`, every phrase of `all` and no phrase of
/// `unless`, and has one status of `status` and one code of `code`. An empty list is no condition.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The unique name.
    pub name: String,
    /// The cause of such a refusal.
    pub cause: Cause,
    /// Who is charged with it.
    pub charged_to: ChargedTo,
    /// The meaning in one sentence.
    pub means: String,
    /// Where the words are documented, or `seen` if they are only known from mail.
    pub source: String,
    /// The reply contains one of these, ignoring case.
    #[serde(default)]
    pub any: Vec<String>,
    /// The reply contains all of these.
    #[serde(default)]
    pub all: Vec<String>,
    /// The reply contains none of these.
    #[serde(default)]
    pub unless: Vec<String>,
    /// Prefixes of SMTP reply codes: `4` matches all temporary refusals.
    #[serde(default)]
    pub code: Vec<String>,
    /// Enhanced status codes (RFC 3463), or prefixes that end with a full stop (`5.7.`).
    #[serde(default)]
    pub status: Vec<String>,
}

impl Rule {
    /// All phrases of the rule.
    pub(crate) fn phrases(&self) -> impl Iterator<Item = &String> {
        self.any.iter().chain(&self.all).chain(&self.unless)
    }

    /// Whether the rule's codes match these.
    pub(crate) fn matches_codes(&self, status: Option<&str>, code: Option<&str>) -> bool {
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
