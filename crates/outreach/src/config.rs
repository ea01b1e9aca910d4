//! What outreach is told.

use std::fmt;
use std::time::Duration;

use lettre::message::Mailbox;
use model::{EnforcerModes, Millis};
use zeroize::Zeroizing;

use crate::channel::Channel;
use crate::{Contacts, Policies, Templates, Weekly};

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// TLS from the first byte on.
    Implicit,
    /// By STARTTLS, and no mail without.
    StartTls,
    /// None: a mail server on this machine.
    None,
}

/// A word that nothing shows.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// This word.
    pub fn new(word: String) -> Self {
        Self(Zeroizing::new(word))
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A mail server.
#[derive(Clone, Debug)]
pub struct Smtp {
    /// Its name, which its certificate must have.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// The user and the password, where it asks for them.
    pub login: Option<(String, Secret)>,
    /// How long each step may take.
    pub timeout: Duration,
}

/// An address, which `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(pub(crate) Mailbox);

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<address>")
    }
}

impl std::str::FromStr for Address {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        text.parse().map(Self).map_err(|_| NoAddress)
    }
}

/// A text that is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no mail address; write \"ann@example.com\" or \"Ann <ann@example.com>\"")]
pub struct NoAddress;

/// Everything that outreach is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Mail: the server, and from whom it comes.
    pub mail: Option<(Smtp, Address)>,
    /// To whom customer success's mail goes.
    pub success: Option<Address>,
    /// The URL of an incoming webhook of Slack, or of what is compatible with it; a secret.
    pub chat: Option<Secret>,
    /// Who the customers' and the owners' addresses are; read again when the file changes.
    pub contacts: Contacts,
    /// Whether customers are written to.
    pub tell_customers: bool,
    /// Whether what is told is put into the log as drafts, for whoever would rather send it itself.
    pub drafts: bool,
    /// When customer success is told whom to call.
    pub digest: Option<Weekly>,
    /// How long a customer is not written about again, unless it gets stricter.
    pub quiet: Millis,
    /// The waits between tries; behind the last one a message is given up.
    pub waits: Vec<Millis>,
    /// What is said.
    pub templates: Templates,
    /// Where the operators' pages are.
    pub console: Option<url::Url>,
    /// How the enforcer acts.
    pub modes: EnforcerModes,
    /// Which policy is in force: what is said of the way back is derived from it.
    pub policies: Policies,
}

impl Config {
    /// Whether something is told in this channel.
    pub(crate) const fn tells(&self, channel: Channel) -> bool {
        match channel {
            Channel::SuccessMail => self.mail.is_some() && self.success.is_some(),
            Channel::SuccessChat => self.chat.is_some(),
            Channel::CustomerMail => self.mail.is_some() && self.tell_customers,
            Channel::SuccessDraft | Channel::CustomerDraft => self.drafts,
            Channel::DigestMail => self.digest.is_some() && self.mail.is_some() && self.success.is_some(),
            Channel::DigestChat => self.digest.is_some() && self.chat.is_some(),
        }
    }
}

/// The waits between tries that are documented: eight tries over two days.
pub const WAITS: [Millis; 7] = [
    Millis::seconds(10),
    Millis::minutes(1),
    Millis::minutes(10),
    Millis::hours(1),
    Millis::hours(6),
    Millis::hours(16),
    Millis::hours(24),
];
