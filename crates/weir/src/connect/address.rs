//! Where SendGrid reaches the receiver.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use receiver::{SourceName, WEBHOOK_PATH};
use reqwest::Url;

use super::user::User;

/// The address under which the world reaches the receiver, without the webhooks' path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Base(String);

/// Why an address can't be that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadBase {
    #[error("it is no address; write for example https://events.example.com")]
    NoAddress,
    #[error("it must begin with https://, or with http:// where nobody reads on the way")]
    Scheme,
    #[error("it must end with its host, its port or a path: no user, no query and no fragment")]
    Extra,
}

impl FromStr for Base {
    type Err = BadBase;

    fn from_str(text: &str) -> Result<Self, BadBase> {
        let url = Url::parse(text).map_err(|_| BadBase::NoAddress)?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(BadBase::Scheme);
        }
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || url.query().is_some() || url.fragment().is_some() {
            return Err(BadBase::Extra);
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Base {
    /// Where the webhook of this source posts to.
    pub(super) fn of_source(&self, source: &str) -> String {
        format!("{}{WEBHOOK_PATH}{source}", self.0)
    }

    /// Whether an address is one of these.
    pub(super) fn holds(&self, url: &str) -> bool {
        url.strip_prefix(&self.0).is_some_and(|path| path.starts_with(WEBHOOK_PATH))
    }

    /// Whether anyone on the way can read what is posted.
    pub(super) fn is_plain(&self) -> bool {
        self.0.starts_with("http:")
    }
}

/// The name of the account's own source.
pub(super) const OWN_SOURCE: &str = "sendgrid";

/// A name for a user's source that none of `taken` is.
pub(super) fn source_name(user: &User, taken: &BTreeSet<&str>) -> String {
    let wanted = match user.subuser() {
        None => OWN_SOURCE.to_owned(),
        Some(subuser) => format!("{OWN_SOURCE}-{}", plain(subuser)),
    };
    let numbered = (2_u32..).map(|number| {
        let ending = format!("-{number}");
        let length = SourceName::MAX_BYTES - ending.len();
        format!("{}{ending}", shortened(&wanted, length))
    });
    let first = shortened(&wanted, SourceName::MAX_BYTES);
    let mut names = std::iter::once(first).chain(numbered);
    names.find(|name| !taken.contains(name.as_str())).unwrap_or(wanted)
}

/// A subuser's name in the characters that a source's name may have.
fn plain(name: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    name.chars().map(|letter| if is_plain(letter) { letter } else { '-' }).collect()
}

/// All of it is ASCII.
fn shortened(name: &str, most: usize) -> String {
    name.chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_at_the_end_changes_nothing() {
        for written in ["https://events.example.com", "https://events.example.com/"] {
            let base: Base = written.parse().unwrap();
            assert_eq!(base.of_source("sendgrid"), "https://events.example.com/webhooks/sendgrid/sendgrid");
        }
        let base: Base = "https://example.com/weir/".parse().unwrap();
        assert_eq!(base.of_source("a"), "https://example.com/weir/webhooks/sendgrid/a");
        assert!(base.holds(&base.of_source("a")) && !base.holds("https://example.com/weirder/webhooks/sendgrid/a"));
    }

    #[test]
    fn what_sendgrid_could_not_post_to_is_refused() {
        for (written, why) in [
            ("events.example.com", BadBase::NoAddress),
            ("ftp://example.com", BadBase::Scheme),
            ("https://me@example.com", BadBase::Extra),
            ("https://example.com/?a=b", BadBase::Extra),
        ] {
            assert_eq!(written.parse::<Base>(), Err(why), "{written}");
        }
    }

    #[test]
    fn a_sources_name_can_be_one_and_is_nobody_elses() {
        let subuser = |name: &str| User::new(Some(name.to_owned()));
        let none = BTreeSet::new();
        assert_eq!(source_name(&User::OWN, &none), "sendgrid");
        assert_eq!(source_name(&subuser("acme"), &none), "sendgrid-acme");
        assert_eq!(source_name(&subuser("ac me@ü"), &none), "sendgrid-ac-me--");
        assert_eq!(source_name(&subuser("acme"), &BTreeSet::from(["sendgrid-acme"])), "sendgrid-acme-2");
        let long = "x".repeat(100);
        let first = source_name(&subuser(&long), &none);
        let second = source_name(&subuser(&long), &BTreeSet::from([first.as_str()]));
        assert!(first != second && [first, second].iter().all(|name| SourceName::new(name).is_ok()));
    }
}
