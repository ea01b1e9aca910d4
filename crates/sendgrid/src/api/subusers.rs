//! Subusers.

use serde::Deserialize;
use serde_json::json;

use super::ask::Ask;
use super::client::Client;
use super::endpoint::Endpoint;
use super::error::Error;
use super::id::Id;
use super::paging::{self, PAGE};

/// A subuser.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Subuser {
    /// Its name, by which it is addressed.
    pub username: String,
    /// Whether it may not send.
    pub disabled: bool,
    /// Its number, by which the newer API for IPs names it.
    pub id: Id,
}

/// What SendGrid thinks of a subuser's mail.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Reputation {
    /// The subuser's name.
    pub username: String,
    /// 0 to 100; for subusers of the European region it is not exact.
    pub reputation: f64,
}

impl Client {
    /// All subusers.
    ///
    /// # Errors
    ///
    /// [`Error`], like every call here.
    pub async fn subusers(&self) -> Result<Vec<Subuser>, Error> {
        paging::by_offset(&self.http, &Ask::new(Endpoint::Subusers), PAGE).await
    }

    /// The subuser; `None` where there is none of that name.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn subuser(&self, name: &str) -> Result<Option<Subuser>, Error> {
        let ask = Ask::new(Endpoint::Subusers).query([("username", name)]);
        // The filter is a search: only the very name counts.
        let found: Vec<Subuser> = paging::by_offset(&self.http, &ask, PAGE).await?;
        Ok(found.into_iter().find(|subuser| subuser.username == name))
    }

    /// Lets a subuser send, or not.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn set_disabled(&self, name: &str, disabled: bool) -> Result<(), Error> {
        self.http.done(Ask::of(Endpoint::SetDisabled, &[name])?.body(json!({ "disabled": disabled }))).await
    }

    /// Gives a subuser exactly these IPs.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn set_subuser_ips(&self, name: &str, ips: &[String]) -> Result<(), Error> {
        self.http.done(Ask::of(Endpoint::SetSubuserIps, &[name])?.body(json!(ips))).await
    }

    /// These subusers' reputations; a subuser that SendGrid says nothing of is left out.
    ///
    /// One call a subuser: how several names are to be asked for at once is not documented.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn reputations(&self, names: &[&str]) -> Result<Vec<Reputation>, Error> {
        let mut all = Vec::with_capacity(names.len());
        for name in names {
            let ask = Ask::new(Endpoint::Reputations).query([("usernames", *name)]);
            let said: Vec<Reputation> = self.http.json(ask).await?;
            all.extend(said.into_iter().find(|reputation| reputation.username == *name));
        }
        Ok(all)
    }
}
