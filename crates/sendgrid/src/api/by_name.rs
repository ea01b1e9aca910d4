//! IPs and pools by the older API: pools and subusers have names.

use serde::Deserialize;
use serde_json::json;

use super::ask::Ask;
use super::endpoint::Endpoint;
use super::error::{Error, found};
use super::http::Http;
use super::ips::Ip;
use super::paging::{self, PAGE};

/// The calls.
#[derive(Clone, Debug)]
pub(super) struct ByName {
    pub(super) http: Http,
}

#[derive(Deserialize)]
struct PoolAnswer {
    ips: Vec<String>,
}

#[derive(Deserialize)]
struct PoolName {
    name: String,
}

impl ByName {
    pub(super) async fn pools(&self) -> Result<Vec<String>, Error> {
        let pools: Vec<PoolName> = self.http.json(Ask::new(Endpoint::Pools)).await?;
        Ok(pools.into_iter().map(|pool| pool.name).collect())
    }

    pub(super) async fn create_pool(&self, pool: &str) -> Result<(), Error> {
        self.http.done(Ask::new(Endpoint::CreatePool).body(json!({ "name": pool }))).await
    }

    pub(super) async fn pool_ips(&self, pool: &str) -> Result<Option<Vec<String>>, Error> {
        let answer = self.http.json(Ask::of(Endpoint::PoolIps, &[pool])?).await;
        Ok(found(answer)?.map(|PoolAnswer { ips }| ips))
    }

    pub(super) async fn add_to_pool(&self, pool: &str, ip: &str) -> Result<(), Error> {
        self.http.done(Ask::of(Endpoint::AddToPool, &[pool])?.body(json!({ "ip": ip }))).await
    }

    pub(super) async fn remove_from_pool(&self, pool: &str, ip: &str) -> Result<(), Error> {
        let answer = self.http.done(Ask::of(Endpoint::RemoveFromPool, &[pool, ip])?).await;
        found(answer).map(|_| ())
    }

    pub(super) async fn all_ips(&self) -> Result<Vec<Ip>, Error> {
        paging::by_offset(&self.http, &Ask::new(Endpoint::Ips), PAGE).await
    }

    pub(super) async fn ip(&self, ip: &str) -> Result<Option<Ip>, Error> {
        found(self.http.json(Ask::of(Endpoint::Ip, &[ip])?).await)
    }

    pub(super) async fn subuser_ips(&self, name: &str) -> Result<Vec<Ip>, Error> {
        paging::by_offset(&self.http, &Ask::new(Endpoint::Ips).query([("subuser", name)]), PAGE).await
    }
}
