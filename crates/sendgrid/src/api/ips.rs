//! IPs and pools, by whichever API steers them.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::by_id::ById;
use super::by_name::ByName;
use super::client::Client;
use super::config::IpApi;
use super::error::Error;
use super::http::Http;

/// An IP and where it is used.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Ip {
    /// The address.
    pub ip: String,
    /// The names of the pools that it is in.
    #[serde(default)]
    pub pools: BTreeSet<String>,
    /// The names of the subusers that may send through it.
    #[serde(default)]
    pub subusers: BTreeSet<String>,
}

/// The calls of the API that steers an account's IPs.
#[derive(Clone, Debug)]
pub(super) enum IpCalls {
    ByName(ByName),
    ById(ById),
}

/// The same call of whichever API it is.
macro_rules! either {
    ($client:ident, $calls:ident => $call:expr) => {
        match &$client.ips {
            IpCalls::ByName($calls) => $call.await,
            IpCalls::ById($calls) => $call.await,
        }
    };
}

impl IpCalls {
    pub(super) fn new(ip_api: IpApi, http: Http) -> Self {
        match ip_api {
            IpApi::Names => Self::ByName(ByName { http }),
            IpApi::Ids => Self::ById(ById::new(http)),
        }
    }
}

impl Client {
    /// The names of all pools.
    ///
    /// # Errors
    ///
    /// [`Error`], like every call here.
    pub async fn pools(&self) -> Result<Vec<String>, Error> {
        either!(self, calls => calls.pools())
    }

    /// Creates an empty pool.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] where nobody knows whether there is one now: look before asking again.
    pub async fn create_pool(&self, pool: &str) -> Result<(), Error> {
        either!(self, calls => calls.create_pool(pool))
    }

    /// The IPs in a pool; `None` where there is no such pool.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn pool_ips(&self, pool: &str) -> Result<Option<Vec<String>>, Error> {
        either!(self, calls => calls.pool_ips(pool))
    }

    /// Puts an IP into a pool; it takes up to a minute to have effect.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn add_to_pool(&self, pool: &str, ip: &str) -> Result<(), Error> {
        either!(self, calls => calls.add_to_pool(pool, ip))
    }

    /// Takes an IP out of a pool; one that is not in it is out already.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn remove_from_pool(&self, pool: &str, ip: &str) -> Result<(), Error> {
        either!(self, calls => calls.remove_from_pool(pool, ip))
    }

    /// Every IP of the account.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn all_ips(&self) -> Result<Vec<Ip>, Error> {
        either!(self, calls => calls.all_ips())
    }

    /// An IP; `None` where the account does not have it.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn ip(&self, ip: &str) -> Result<Option<Ip>, Error> {
        either!(self, calls => calls.ip(ip))
    }

    /// The IPs that a subuser may send through. The newer API has to be asked for every IP of the account.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn subuser_ips(&self, name: &str) -> Result<Vec<Ip>, Error> {
        either!(self, calls => calls.subuser_ips(name))
    }
}
