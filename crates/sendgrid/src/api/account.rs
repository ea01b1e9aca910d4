//! What every account has, the parent's own or a subuser's.

use reqwest::header::HeaderValue;
use serde::Deserialize;

use super::ask::Ask;
use super::endpoint::Endpoint;
use super::error::Error;
use super::http::Http;

/// An account: the key's own, or a subuser on whose behalf the parent's key asks.
///
/// It has only the calls for which SendGrid documents the header `on-behalf-of`.
#[derive(Clone, Debug)]
pub struct Account {
    pub(super) http: Http,
    subuser: Option<HeaderValue>,
}

/// What kind of account it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountKind {
    /// It costs nothing.
    Free,
    /// It is paid for.
    Paid,
    /// Some other.
    #[serde(other)]
    Other,
}

/// An account's kind and reputation.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct AccountDetails {
    /// The kind.
    #[serde(rename = "type")]
    pub kind: AccountKind,
    /// What SendGrid thinks of its mail, 0 to 100.
    pub reputation: f64,
}

/// How many mails an account may send.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AccountCredits {
    /// Mails left.
    pub remain: i64,
    /// Mails given.
    pub total: i64,
    /// Mails over what was given.
    pub overage: i64,
    /// Mails sent.
    pub used: i64,
    /// The day on which they were last given.
    pub last_reset: String,
    /// The day on which they are given next.
    pub next_reset: String,
    /// How often they are given.
    pub reset_frequency: String,
}

#[derive(Deserialize)]
struct ScopesAnswer {
    scopes: Vec<String>,
}

impl Account {
    pub(super) const fn own(http: Http) -> Self {
        Self { http, subuser: None }
    }

    pub(super) fn of_subuser(http: Http, name: &str) -> Result<Self, Error> {
        let refused = || {
            let endpoint = Endpoint::Scopes;
            Error::Name { method: endpoint.method(), path: endpoint.template(), name: name.to_owned() }
        };
        if name.is_empty() {
            return Err(refused());
        }
        let subuser = HeaderValue::from_str(name).map_err(|_| refused())?;
        Ok(Self { http, subuser: Some(subuser) })
    }

    /// What the key may do in this account.
    ///
    /// # Errors
    ///
    /// [`Error`], like every call here.
    pub async fn scopes(&self) -> Result<Vec<String>, Error> {
        let ScopesAnswer { scopes } = self.http.json(self.ask(Endpoint::Scopes)).await?;
        Ok(scopes)
    }

    /// The account's kind and reputation.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn details(&self) -> Result<AccountDetails, Error> {
        self.http.json(self.ask(Endpoint::AccountDetails)).await
    }

    /// The account's credits.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn credits(&self) -> Result<AccountCredits, Error> {
        self.http.json(self.ask(Endpoint::AccountCredits)).await
    }

    pub(super) fn ask(&self, endpoint: Endpoint) -> Ask {
        Ask::new(endpoint).for_subuser(self.subuser.as_ref())
    }

    pub(super) fn ask_of(&self, endpoint: Endpoint, names: &[&str]) -> Result<Ask, Error> {
        Ok(Ask::of(endpoint, names)?.for_subuser(self.subuser.as_ref()))
    }
}
