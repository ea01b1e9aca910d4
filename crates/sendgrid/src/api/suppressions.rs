//! Suppressions: addresses that SendGrid sends no mail to, or could not.
//!
//! They are kept for each account by itself. None names the message or the customer that it came of.

use std::collections::HashSet;

use model::Timestamp;
use serde::Deserialize;

use super::account::Account;
use super::endpoint::Endpoint;
use super::error::Error;
use super::paging;
use super::redacted::Redacted;

/// A list of suppressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuppressionList {
    /// Hard bounces.
    Bounces,
    /// Mails that were refused for a while; the address is not suppressed.
    Blocks,
    /// Complaints.
    SpamReports,
    /// Addresses that can't exist.
    InvalidEmails,
    /// Addresses that want no mail at all.
    Unsubscribes,
}

impl SuppressionList {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Bounces, Self::Blocks, Self::SpamReports, Self::InvalidEmails, Self::Unsubscribes];

    const fn endpoint(self) -> Endpoint {
        match self {
            Self::Bounces => Endpoint::Bounces,
            Self::Blocks => Endpoint::Blocks,
            Self::SpamReports => Endpoint::SpamReports,
            Self::InvalidEmails => Endpoint::InvalidEmails,
            Self::Unsubscribes => Endpoint::Unsubscribes,
        }
    }
}

/// A stretch of time, both ends in it, by the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeWindow {
    /// Its first second.
    pub first: Timestamp,
    /// Its last second. In a window that is over nothing new appears while its pages are read.
    pub last: Timestamp,
}

/// An address on a list. The address, and words that may hold it, are never shown.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Suppression {
    /// Since when.
    pub created: Timestamp,
    /// The address.
    pub recipient: Redacted,
    /// Why, in a mailbox provider's words.
    pub reason: Option<Redacted>,
    /// The enhanced status code, such as `5.1.1`.
    pub status: Option<String>,
    /// The IP that the mail came from; complaints only.
    pub sending_ip: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    created: i64,
    email: Redacted,
    reason: Option<Redacted>,
    status: Option<String>,
    ip: Option<String>,
}

/// The most on one page.
const PAGE: usize = 500;

impl Account {
    /// What came onto a list within a stretch of time.
    ///
    /// Pages are counted by offset: what others remove meanwhile moves the rest, and as many may be missed.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn suppressions(&self, list: SuppressionList, within: TimeWindow) -> Result<Vec<Suppression>, Error> {
        let (first, last) = (within.first.seconds().to_string(), within.last.seconds().to_string());
        let ask = self.ask(list.endpoint()).query([("start_time", first.as_str()), ("end_time", &last)]);
        let answers: Vec<Answer> = paging::by_offset(&self.http, &ask, PAGE).await?;
        let mut seen = HashSet::new();
        let all = answers.into_iter().map(Suppression::from);
        // A list that grows gives what was on a page again on the next one.
        Ok(all.filter(|suppression| seen.insert(suppression.clone())).collect())
    }
}

impl From<Answer> for Suppression {
    fn from(Answer { created, email, reason, status, ip }: Answer) -> Self {
        Self { created: Timestamp::from_seconds(created), recipient: email, reason, status, sending_ip: ip }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_the_address_nor_the_reason_is_shown() {
        let answer: Answer =
            serde_json::from_str(r#"{"created":1,"email":"ann@example.com","reason":"550 no ann","status":"5.1.1"}"#)
                .unwrap();
        let suppression = Suppression::from(answer);
        let shown = format!("{suppression:?}");
        assert!(!shown.contains("ann") && shown.contains("5.1.1"), "{shown}");
        assert_eq!(suppression.recipient.expose(), "ann@example.com");
    }
}
