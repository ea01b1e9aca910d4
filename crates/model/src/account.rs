//! What SendGrid does to the account, or to a subuser: the very thing that Weir is there to prevent.
//!
//! Each change is a record of its own on the topic `enforcement`, under a key that only a copy of it has: changes that arrive in
//! another order than they were made replace none.

use serde::{Deserialize, Serialize};

use crate::{CustomerId, Timestamp};

/// What SendGrid did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AccountStatus {
    /// It was suspended.
    #[serde(rename = "compliance_suspend")]
    Suspended,
    /// It was deactivated.
    #[serde(rename = "compliance_deactivate")]
    Deactivated,
    /// It was banned.
    #[serde(rename = "compliance_ban")]
    Banned,
    /// It is active again.
    #[serde(rename = "reactivate")]
    Active,
    /// A status that Weir does not know.
    #[serde(rename = "unknown")]
    Unknown,
}

impl AccountStatus {
    /// Every status.
    pub const ALL: [Self; 5] = [Self::Suspended, Self::Deactivated, Self::Banned, Self::Active, Self::Unknown];

    /// The name in JSON and metrics: SendGrid's own word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Suspended => "compliance_suspend",
            Self::Deactivated => "compliance_deactivate",
            Self::Banned => "compliance_ban",
            Self::Active => "reactivate",
            Self::Unknown => "unknown",
        }
    }

    /// Reads SendGrid's word, in any case of letters.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        Self::ALL.into_iter().find(|status| status.name().eq_ignore_ascii_case(text)).unwrap_or(Self::Unknown)
    }

    /// What it says, to follow "SendGrid".
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Suspended => "suspended",
            Self::Deactivated => "deactivated",
            Self::Banned => "banned",
            Self::Active => "reactivated",
            Self::Unknown => "changed the status of",
        }
    }

    /// Whether it keeps mail from being sent, as far as is known.
    pub const fn is_restricted(self) -> bool {
        !matches!(self, Self::Active)
    }
}

/// A change of the status of the account or of a subuser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccountStatusChange {
    /// Whose subuser it is; `unattributed:` and the source's name where the event names no customer: then it is the account.
    pub customer: CustomerId,
    /// What SendGrid did.
    pub status: AccountStatus,
    /// When, by SendGrid's clock.
    pub at: Timestamp,
    /// SendGrid's id of the event; empty where it gave none.
    pub event: String,
}

impl AccountStatusChange {
    const PREFIX: &'static str = "account-status:";

    /// The key of its record: the same for a copy of the event, and another for every other change.
    pub fn key(&self) -> String {
        let Self { customer, status, at, event } = self;
        format!("{}{}:{}:{event}:{customer}", Self::PREFIX, at.millis(), status.name())
    }

    /// Whether a record with this key is such a change.
    pub fn is_key(key: &str) -> bool {
        key.starts_with(Self::PREFIX)
    }

    /// Whom it is about, in words: `customer acme`, or `the account (source main)`.
    pub fn whom(&self) -> String {
        match self.customer.source_of_unattributed() {
            Some(source) => format!("the account (source {source})"),
            None => format!("customer {}", self.customer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_has_sendgrids_name_everywhere() {
        for status in AccountStatus::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.name());
            assert_eq!(AccountStatus::parse(&status.name().to_uppercase()), status);
        }
        assert_eq!(AccountStatus::parse("compliance_pause"), AccountStatus::Unknown);
        assert!(AccountStatus::Unknown.is_restricted() && !AccountStatus::Active.is_restricted());
    }

    #[test]
    fn only_copies_share_a_key() {
        let change = AccountStatusChange {
            customer: CustomerId::new("acme").unwrap(),
            status: AccountStatus::Suspended,
            at: Timestamp::from_seconds(7),
            event: "e:1".to_owned(),
        };
        let json = serde_json::to_string(&change).unwrap();
        let copy: AccountStatusChange = serde_json::from_str(&json).unwrap();
        assert_eq!((copy.key(), &copy), (change.key(), &change));
        let others = [
            AccountStatusChange { status: AccountStatus::Active, ..change.clone() },
            AccountStatusChange { at: Timestamp::from_seconds(8), ..change.clone() },
            AccountStatusChange { event: String::new(), ..change.clone() },
            AccountStatusChange { customer: CustomerId::unattributed("main"), ..change.clone() },
        ];
        assert!(others.iter().all(|other| other.key() != change.key() && AccountStatusChange::is_key(&other.key())));
        assert_eq!((change.whom().as_str(), others[3].whom().as_str()), ("customer acme", "the account (source main)"));
    }
}
