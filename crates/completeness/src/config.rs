//! How the comparison is set up.

use std::time::Duration;

use model::{MailAccount, Millis};

/// A webhook that events come in by, and whose mail it tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name, as it stands in the header `source` of its events.
    pub name: String,
    /// The account at SendGrid that the webhook is one of.
    pub account: MailAccount,
}

/// Settings; [`Config::new`] has the documented defaults.
#[derive(Clone, Debug)]
pub struct Config {
    /// The sources. Those of one account are counted together.
    pub sources: Vec<Source>,
    /// How long after a day's end it is compared: SendGrid's statistics settle, and events come late.
    pub after: Millis,
    /// How often the tally is kept.
    pub keeping: Duration,
    /// How long to wait before an account is asked for again that could not be compared; longer each time.
    pub retry: Duration,
}

impl Config {
    /// Six hours after the day's end; the tally is kept every minute; a failure is tried again after five minutes.
    pub const fn new(sources: Vec<Source>) -> Self {
        Self { sources, after: Millis::hours(6), keeping: Duration::from_secs(60), retry: Duration::from_secs(300) }
    }
}
