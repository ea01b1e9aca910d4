//! Why a mail was refused, and whose doing it is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a mail was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// There is no such mailbox, or no such domain.
    Address,
    /// The mailbox is full, disabled, or takes no mail of this kind.
    Mailbox,
    /// What is in the mail: spam, a virus, a link.
    Content,
    /// The sending IP or domain is listed, blocked or complained about.
    Reputation,
    /// The mail is not authenticated, the IP has no name, or the mail breaks a standard.
    Configuration,
    /// The network, a time-out, a rate, or a fault of a server.
    Transport,
    /// A rule of the receiver: size, relaying, who may write to a list.
    Policy,
    /// No rule knows the reply.
    Unknown,
}

/// Whose doing a refusal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChargedTo {
    /// The customer: its list, its content, its domain.
    Customer,
    /// Everybody who sends through the IP pool.
    Pool,
    /// One recipient, whoever writes to it.
    Recipient,
    /// The recipient's domain, or the system before it.
    RecipientDomain,
    /// Nobody: it passes, or can't be told.
    Nobody,
}

impl Cause {
    /// The cause in a word, as in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Mailbox => "mailbox",
            Self::Content => "content",
            Self::Reputation => "reputation",
            Self::Configuration => "configuration",
            Self::Transport => "transport",
            Self::Policy => "policy",
            Self::Unknown => "unknown",
        }
    }
}

impl ChargedTo {
    /// Who, as in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Pool => "pool",
            Self::Recipient => "recipient",
            Self::RecipientDomain => "recipient_domain",
            Self::Nobody => "nobody",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for ChargedTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
