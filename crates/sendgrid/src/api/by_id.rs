//! IPs and pools by the newer API: pools and subusers have ids, and the rest of Weir names them.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use serde::Deserialize;
use serde_json::json;

use super::ask::Ask;
use super::directory::Directory;
use super::endpoint::Endpoint;
use super::error::Error;
use super::http::Http;
use super::id::Id;
use super::ips::Ip;
use super::paging::{self, PAGE};
use super::refusal::Refusal;
use super::subusers::Subuser;

/// The calls, and which ids pools and subusers have.
#[derive(Clone, Debug)]
pub(super) struct ById {
    http: Http,
    pools: Directory,
    subusers: Directory,
}

#[derive(Deserialize)]
struct Pool {
    name: String,
    id: Id,
}

#[derive(Deserialize)]
struct SendIp {
    ip: String,
    #[serde(default)]
    pools: Vec<Pool>,
}

#[derive(Deserialize)]
struct PoolIp {
    ip: String,
}

impl ById {
    pub(super) fn new(http: Http) -> Self {
        Self { http, pools: Directory::default(), subusers: Directory::default() }
    }

    pub(super) async fn pools(&self) -> Result<Vec<String>, Error> {
        let pools: Vec<Pool> = paging::by_key(&self.http, &Ask::new(Endpoint::SendPools)).await?;
        self.pools.replace(pools.iter().map(|pool| (pool.name.clone(), pool.id.clone())).collect());
        Ok(pools.into_iter().map(|pool| pool.name).collect())
    }

    pub(super) async fn create_pool(&self, pool: &str) -> Result<(), Error> {
        self.http.done(Ask::new(Endpoint::CreateSendPool).body(json!({ "name": pool }))).await
    }

    pub(super) async fn pool_ips(&self, pool: &str) -> Result<Option<Vec<String>>, Error> {
        let ips = self.with_pool(pool, |id| async move {
            let ask = Ask::of(Endpoint::SendPoolIps, &[id.as_str()])?;
            paging::by_key::<PoolIp>(&self.http, &ask).await
        });
        Ok(super::error::found(ips.await)?.map(|ips| ips.into_iter().map(|ip| ip.ip).collect()))
    }

    pub(super) async fn add_to_pool(&self, pool: &str, ip: &str) -> Result<(), Error> {
        let body = &json!({ "ips": [ip] });
        self.with_pool(pool, |id| async move {
            self.http.done(Ask::of(Endpoint::AddToSendPool, &[id.as_str()])?.body(body.clone())).await
        })
        .await
    }

    pub(super) async fn remove_from_pool(&self, pool: &str, ip: &str) -> Result<(), Error> {
        let body = &json!({ "ips": [ip] });
        let removed = self.with_pool(pool, |id| async move {
            self.http.done(Ask::of(Endpoint::RemoveFromSendPool, &[id.as_str()])?.body(body.clone())).await
        });
        match removed.await {
            Err(error) if error.is_not_found() => Ok(()),
            // All or nothing: an IP that is not in the pool may be a wrong call.
            Err(error) if error.refusal() == Some(Refusal::Invalid) => {
                let is_in = self.pool_ips(pool).await?.is_some_and(|ips| ips.iter().any(|other| other == ip));
                if is_in { Err(error) } else { Ok(()) }
            }
            other => other,
        }
    }

    pub(super) async fn all_ips(&self) -> Result<Vec<Ip>, Error> {
        let found: Vec<SendIp> = paging::by_key(&self.http, &Ask::new(Endpoint::SendIps)).await?;
        let mut ips = Vec::with_capacity(found.len());
        for ip in found {
            ips.push(self.with_subusers(ip).await?);
        }
        Ok(ips)
    }

    pub(super) async fn ip(&self, ip: &str) -> Result<Option<Ip>, Error> {
        // A missing one is an empty list here; what the call for one IP says of it is not documented.
        let found: Vec<SendIp> = paging::by_key(&self.http, &Ask::new(Endpoint::SendIps).query([("ip", ip)])).await?;
        match found.into_iter().find(|other| other.ip == ip) {
            Some(ip) => self.with_subusers(ip).await.map(Some),
            None => Ok(None),
        }
    }

    pub(super) async fn subuser_ips(&self, name: &str) -> Result<Vec<Ip>, Error> {
        let mut ips = self.all_ips().await?;
        ips.retain(|ip| ip.subusers.contains(name));
        Ok(ips)
    }

    /// The IP with its subusers' names.
    async fn with_subusers(&self, ip: SendIp) -> Result<Ip, Error> {
        let ask = Ask::of(Endpoint::SendIpSubusers, &[&ip.ip])?;
        let ids: Vec<Id> = paging::by_key(&self.http, &ask).await?;
        let subusers = match names(&self.subusers.names(), &ids) {
            Ok(names) => names,
            Err(_) => names(&self.list_subusers().await?, &ids)
                // An IP whose user can't be named must not look free.
                .map_err(|id| Error::NoSuch { kind: "subuser of the id", name: id.to_string() })?,
        };
        Ok(Ip { ip: ip.ip, pools: ip.pools.into_iter().map(|pool| pool.name).collect(), subusers })
    }

    async fn list_subusers(&self) -> Result<BTreeMap<Id, String>, Error> {
        let all: Vec<Subuser> = paging::by_offset(&self.http, &Ask::new(Endpoint::Subusers), PAGE).await?;
        self.subusers.replace(all.into_iter().map(|subuser| (subuser.username, subuser.id)).collect());
        Ok(self.subusers.names())
    }

    /// Makes a call with a pool's id; a pool that was made anew under its name has another id.
    async fn with_pool<T, F: Future<Output = Result<T, Error>>>(
        &self,
        name: &str,
        call: impl Fn(Id) -> F,
    ) -> Result<T, Error> {
        let Some(known) = self.pools.id(name) else { return call(self.pool_id(name).await?).await };
        match call(known.clone()).await {
            // The documents declare no 404: an id that is gone may be a wrong call.
            Err(error) if matches!(error.refusal(), Some(Refusal::NotFound | Refusal::Invalid)) => {
                let id = self.pool_id(name).await?;
                if id == known { Err(error) } else { call(id).await }
            }
            other => other,
        }
    }

    /// A pool's id, as it is now.
    async fn pool_id(&self, name: &str) -> Result<Id, Error> {
        self.pools().await?;
        self.pools.id(name).ok_or_else(|| Error::NoSuch { kind: "pool", name: name.to_owned() })
    }
}

/// The names of these ids.
///
/// # Errors
///
/// The id that has none.
fn names(known: &BTreeMap<Id, String>, ids: &[Id]) -> Result<BTreeSet<String>, Id> {
    ids.iter().map(|id| known.get(id).cloned().ok_or_else(|| id.clone())).collect()
}
