//! The cause of a refusal, and who is charged with it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The cause of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// There is no such mailbox, or no such domain.
    Address,
    /// The mailbox is full, disabled, or takes no mail of this kind.
    Mailbox,
    /// The mail's content: spam, a virus, a link.
    Content,
    /// The sending IP or domain is listed, blocked or complained about.
    Reputation,
    /// The mail is not authenticated, the IP has no name, or the mail breaks a standard.
    Configuration,
    /// The network, a timeout, a rate limit, or a server error.
    Transport,
    /// The receiver's own rule: size, relaying, posting to a list.
    Policy,
    /// No rule knows the reply.
    Unknown,
}

/// Who is charged with a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChargedTo {
    /// The customer: its list, its content, its domain.
    Customer,
    /// All customers of the IP pool.
    Pool,
    /// The recipient: the same would happen to any sender.
    Recipient,
    /// The recipient's domain, or the gateway in front of it.
    RecipientDomain,
    /// Nobody: the refusal is temporary, or its cause is unknown.
    Nobody,
}

impl Cause {
    /// The name in JSON.
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
    /// The name in JSON.
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
