//! Authenticated domains and reverse DNS, as they are. Weir changes neither.

use serde::Deserialize;

use super::account::Account;
use super::endpoint::Endpoint;
use super::error::{Error, found};
use super::id::Id;
use super::paging::{self, PAGE};

/// A domain that mail is authenticated for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Domain {
    /// Its id.
    pub id: Id,
    /// The domain.
    pub domain: String,
    /// The part before it.
    #[serde(default)]
    pub subdomain: Option<String>,
    /// Whose it is.
    #[serde(default)]
    pub username: String,
    /// Whether its DNS records were right when they were last looked at.
    pub valid: bool,
    /// Whether mail from any other domain is authenticated with it.
    #[serde(default)]
    pub default: bool,
}

/// An IP's reverse DNS.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ReverseDns {
    /// Its id.
    pub id: Id,
    /// The IP.
    pub ip: String,
    /// The name that it leads to.
    pub rdns: String,
    /// Whether that was found right when it was last looked at; `false` may mean that it could not be looked at.
    pub valid: bool,
}

impl Account {
    /// The account's authenticated domains.
    ///
    /// # Errors
    ///
    /// [`Error`], like every call here.
    pub async fn domains(&self) -> Result<Vec<Domain>, Error> {
        paging::by_offset(&self.http, &self.ask(Endpoint::Domains), PAGE).await
    }

    /// An authenticated domain; `None` where there is none of that id.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn domain(&self, id: &Id) -> Result<Option<Domain>, Error> {
        found(self.http.json(self.ask_of(Endpoint::Domain, &[id.as_str()])?).await)
    }

    /// The account's reverse DNS records.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn reverse_dns_records(&self) -> Result<Vec<ReverseDns>, Error> {
        paging::by_offset(&self.http, &self.ask(Endpoint::ReverseDnsRecords), PAGE).await
    }

    /// A reverse DNS record; `None` where there is none of that id.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn reverse_dns_record(&self, id: &Id) -> Result<Option<ReverseDns>, Error> {
        found(self.http.json(self.ask_of(Endpoint::ReverseDnsRecord, &[id.as_str()])?).await)
    }
}
