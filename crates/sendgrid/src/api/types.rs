//! What the API gives and takes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// A subuser.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Subuser {
    /// Its name, by which it is addressed.
    pub username: String,
    /// Whether it may not send.
    pub disabled: bool,
}

/// An IP and where it is used.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Ip {
    /// The address.
    pub ip: String,
    /// The pools that it is in.
    #[serde(default)]
    pub pools: BTreeSet<String>,
    /// The subusers that may send through it.
    #[serde(default)]
    pub subusers: BTreeSet<String>,
}

/// How a subuser gets its credits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CreditsKind {
    /// Any number of mails.
    Unlimited,
    /// A number of mails that is given anew again and again.
    Recurring,
    /// A number of mails, once.
    Nonrecurring,
}

/// A subuser's credits: how many mails it may send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credits {
    /// How it gets them.
    #[serde(rename = "type")]
    pub kind: CreditsKind,
    /// How often they are given anew: `monthly`, `weekly` or `daily`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_frequency: Option<String>,
    /// How many are given; at least 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u32>,
}

impl Credits {
    /// No limit.
    pub const fn unlimited() -> Self {
        Self { kind: CreditsKind::Unlimited, reset_frequency: None, total: None }
    }

    /// So many mails a day; SendGrid knows no cap below 1.
    pub fn daily(total: u32) -> Self {
        let reset_frequency = Some("daily".to_owned());
        Self { kind: CreditsKind::Recurring, reset_frequency, total: Some(total.max(1)) }
    }
}
