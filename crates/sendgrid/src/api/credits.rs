//! Subusers' credits: how many mails they may send.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::ask::Ask;
use super::client::Client;
use super::endpoint::Endpoint;
use super::error::Error;

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

/// A subuser's credits, and what is left of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CreditsLeft {
    /// How it gets them.
    #[serde(flatten)]
    pub credits: Credits,
    /// How many are left; none where there is no limit.
    pub remain: Option<u64>,
    /// How many are used; none where that is not counted.
    pub used: Option<u64>,
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

impl Client {
    /// A subuser's credits.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn credits(&self, name: &str) -> Result<Credits, Error> {
        self.http.json(Ask::of(Endpoint::Credits, &[name])?).await
    }

    /// A subuser's credits, and what is left of them.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn credits_left(&self, name: &str) -> Result<CreditsLeft, Error> {
        self.http.json(Ask::of(Endpoint::Credits, &[name])?).await
    }

    /// Sets a subuser's credits. SendGrid may then give it the whole number at once, whatever it has sent before.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn set_credits(&self, name: &str, credits: &Credits) -> Result<(), Error> {
        self.http.done(Ask::of(Endpoint::SetCredits, &[name])?.body(json!(credits))).await
    }

    /// Adds to what is left of a subuser's credits, or takes from it, and says how they are then.
    ///
    /// Twice would change twice, so it is never repeated where nobody knows what came of it.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] there: read the credits before asking again.
    pub async fn change_remaining_credits(&self, name: &str, delta: i64) -> Result<CreditsLeft, Error> {
        let body = json!({ "allocation_update": delta });
        self.http.json(Ask::of(Endpoint::ChangeRemainingCredits, &[name])?.body(body)).await
    }
}
