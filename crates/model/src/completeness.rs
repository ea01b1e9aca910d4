//! Whether Weir has every event that SendGrid counted: what a day's comparison found.
//!
//! A report is a record on the topic `enforcement`, of which the latest of each [`CompletenessKey`] counts.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Counter, Day, Timestamp};

/// An account at SendGrid whose mail is counted for itself. Written as `parent`, or `subuser:` and the name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MailAccount {
    /// The API key's own.
    Parent,
    /// A subuser's, by its name.
    Subuser(String),
}

impl MailAccount {
    const PARENT: &'static str = "parent";
    const SUBUSER: &'static str = "subuser:";

    /// The account of a source, by the subuser that it is said to belong to.
    pub fn of(subuser: Option<&str>) -> Self {
        subuser.map_or(Self::Parent, |name| Self::Subuser(name.to_owned()))
    }

    /// The subuser's name; `None` for the parent.
    pub fn subuser(&self) -> Option<&str> {
        match self {
            Self::Parent => None,
            Self::Subuser(name) => Some(name),
        }
    }

    /// Reads what was written; `None` for another text.
    pub fn parse(text: &str) -> Option<Self> {
        let named = || text.strip_prefix(Self::SUBUSER).filter(|name| !name.is_empty());
        if text == Self::PARENT { Some(Self::Parent) } else { named().map(|name| Self::Subuser(name.to_owned())) }
    }
}

impl fmt::Display for MailAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parent => f.write_str(Self::PARENT),
            Self::Subuser(name) => write!(f, "{}{name}", Self::SUBUSER),
        }
    }
}

impl Serialize for MailAccount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MailAccount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format_args!("{text:?} is no account")))
    }
}

/// How many events of a kind SendGrid counted in a day, and Weir.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Figure {
    /// The kind.
    pub kind: Counter,
    /// SendGrid's number.
    pub sendgrid: u64,
    /// Weir's number, each event once.
    pub weir: u64,
    /// SendGrid's less Weir's: above zero, events are missing.
    pub gap: i64,
    /// The gap as a share of SendGrid's number, at most 1. Where SendGrid counted none and Weir some, -1.
    pub share: f64,
}

impl Figure {
    /// These two numbers, and what follows from them.
    pub fn new(kind: Counter, sendgrid: u64, weir: u64) -> Self {
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let gap = whole(sendgrid).saturating_sub(whole(weir));
        #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
        let share = match (sendgrid, gap) {
            (_, 0) => 0.0,
            (0, _) => -1.0,
            (sendgrid, gap) => gap as f64 / sendgrid as f64,
        };
        Self { kind, sendgrid, weir, gap, share }
    }

    /// Whether Weir has fewer.
    pub const fn is_short(&self) -> bool {
        self.gap > 0
    }
}

/// An hour of which Weir has fewer events of a kind than SendGrid has addresses on its list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Fewer {
    /// The kind.
    pub kind: Counter,
    /// Addresses that came onto SendGrid's list within the hour: no more than there were events.
    pub sendgrid: u64,
    /// Weir's events.
    pub weir: u64,
}

/// An hour of which events are missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MissingHour {
    /// When it begins, in UTC.
    pub hour: Timestamp,
    /// Whether Weir has no event at all of it, on a day that lacks events, in an hour that should have had some.
    pub silent: bool,
    /// The lists of suppressions of which Weir lacks events.
    #[serde(default)]
    pub fewer: Vec<Fewer>,
}

/// What the comparison of an account's day found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CompletenessReport {
    /// Whose mail.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "subuser:acme"))]
    pub account: MailAccount,
    /// The sources that its events come in by.
    pub sources: Vec<String>,
    /// The day, in UTC.
    pub day: Day,
    /// When it was compared.
    pub compared_at: Timestamp,
    /// The day's numbers by kind.
    pub figures: Vec<Figure>,
    /// The hours of which events are missing, in their order.
    pub missing_hours: Vec<MissingHour>,
}

impl CompletenessReport {
    /// Whether nothing is missing, as far as can be told.
    pub fn is_complete(&self) -> bool {
        self.missing_hours.is_empty() && !self.figures.iter().any(Figure::is_short)
    }

    /// The key of its record.
    pub fn key(&self) -> CompletenessKey {
        CompletenessKey { account: self.account.clone(), day: self.day }
    }
}

/// The key of a report's record: `completeness:`, the account, `:` and the day.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CompletenessKey {
    /// Whose mail.
    pub account: MailAccount,
    /// The day.
    pub day: Day,
}

impl CompletenessKey {
    const PREFIX: &'static str = "completeness:";

    /// Reads a key; `None` for one that is not of these.
    pub fn parse(text: &str) -> Option<Self> {
        let (account, day) = text.strip_prefix(Self::PREFIX)?.rsplit_once(':')?;
        Some(Self { account: MailAccount::parse(account)?, day: day.parse().ok()? })
    }
}

impl fmt::Display for CompletenessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}:{}", Self::PREFIX, self.account, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_whatever_the_subuser_is_called() {
        let day = "2026-09-21".parse().unwrap();
        for account in [MailAccount::Parent, MailAccount::of(Some("a:b:2026-01-01")), MailAccount::of(Some("parent"))] {
            let key = CompletenessKey { account, day };
            assert_eq!(CompletenessKey::parse(&key.to_string()), Some(key));
        }
        for text in ["case:acme", "completeness:", "completeness:subuser::2026-09-21", "completeness:parent:today"] {
            assert_eq!(CompletenessKey::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_gap_is_a_share_of_what_sendgrid_counted() {
        let share = |sendgrid, weir| Figure::new(Counter::Delivered, sendgrid, weir).share;
        let close = |share: f64, to: f64| assert!((share - to).abs() < 1e-12, "{share} is not {to}");
        close(share(200, 150), 0.25);
        close(share(200, 250), -0.25);
        close(share(200, 0), 1.0);
        close(share(0, 0), 0.0);
        close(share(0, 7), -1.0);
        assert!(Figure::new(Counter::Delivered, 1, 0).is_short());
        assert!(!Figure::new(Counter::Delivered, 0, 1).is_short());
    }
}
