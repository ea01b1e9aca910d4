//! The client.

use super::account::Account;
use super::config::Config;
use super::error::Error;
use super::http::Http;
use super::ips::IpCalls;

/// A client of SendGrid's API, as the parent account. Cheap to clone; clones keep to the same pace.
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) http: Http,
    pub(super) ips: IpCalls,
}

impl Client {
    /// A client with these settings.
    ///
    /// # Errors
    ///
    /// [`Error::Config`].
    pub fn new(config: Config) -> Result<Self, Error> {
        let ip_api = config.ip_api;
        let http = Http::new(config)?;
        let ips = IpCalls::new(ip_api, http.clone());
        Ok(Self { http, ips })
    }

    /// The parent account itself.
    pub fn own(&self) -> Account {
        Account::own(self.http.clone())
    }

    /// A subuser's account.
    ///
    /// # Errors
    ///
    /// [`Error::Name`] where the name can't stand in a header.
    pub fn on_behalf_of(&self, subuser: &str) -> Result<Account, Error> {
        Account::of_subuser(self.http.clone(), subuser)
    }
}
