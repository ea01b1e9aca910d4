//! Looking at SendGrid: one by one, or everything at once for a sweep.

use std::collections::{BTreeMap, BTreeSet};

use sendgrid::api::{self, Client, Credits};

/// Everything that a few calls show of the whole account.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    /// Whether each subuser is disabled.
    subusers: BTreeMap<String, bool>,
    pools: BTreeSet<String>,
    ips: Vec<api::Ip>,
}

impl Snapshot {
    pub(crate) async fn take(client: &Client) -> Result<Self, api::Error> {
        let subusers = client.subusers().await?;
        Ok(Self {
            subusers: subusers.into_iter().map(|subuser| (subuser.username, subuser.disabled)).collect(),
            pools: client.pools().await?.into_iter().collect(),
            ips: client.all_ips().await?,
        })
    }
}

/// Looks at SendGrid, or at a snapshot where there is one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Eyes<'a> {
    pub(crate) client: &'a Client,
    pub(crate) snapshot: Option<&'a Snapshot>,
}

impl Eyes<'_> {
    /// Whether the subuser is disabled; `None` where there is none of that name.
    pub(crate) async fn is_disabled(&self, name: &str) -> Result<Option<bool>, api::Error> {
        match self.snapshot {
            Some(snapshot) => Ok(snapshot.subusers.get(name).copied()),
            None => Ok(self.client.subuser(name).await?.map(|subuser| subuser.disabled)),
        }
    }

    /// The IPs that a subuser may send through.
    pub(crate) async fn ips_of_subuser(&self, name: &str) -> Result<BTreeSet<String>, api::Error> {
        match self.snapshot {
            Some(snapshot) => {
                let own = snapshot.ips.iter().filter(|ip| ip.subusers.contains(name));
                Ok(own.map(|ip| ip.ip.clone()).collect())
            }
            None => Ok(self.client.subuser_ips(name).await?.into_iter().map(|ip| ip.ip).collect()),
        }
    }

    /// A subuser's credits, which no snapshot shows.
    pub(crate) async fn credits(&self, name: &str) -> Result<Credits, api::Error> {
        self.client.credits(name).await
    }

    /// The pools of an IP; `None` where the account does not have it.
    pub(crate) async fn pools_of(&self, ip: &str) -> Result<Option<BTreeSet<String>>, api::Error> {
        match self.snapshot {
            Some(snapshot) => Ok(snapshot.ips.iter().find(|known| known.ip == ip).map(|known| known.pools.clone())),
            None => Ok(self.client.ip(ip).await?.map(|known| known.pools)),
        }
    }

    /// The IPs of those of these pools that exist.
    pub(crate) async fn members(
        &self,
        pools: impl IntoIterator<Item = &str>,
    ) -> Result<BTreeMap<String, BTreeSet<String>>, api::Error> {
        let mut members = BTreeMap::new();
        for pool in pools {
            if let Some(ips) = self.members_of(pool).await? {
                members.insert(pool.to_owned(), ips);
            }
        }
        Ok(members)
    }

    async fn members_of(&self, pool: &str) -> Result<Option<BTreeSet<String>>, api::Error> {
        match self.snapshot {
            Some(snapshot) if !snapshot.pools.contains(pool) => Ok(None),
            Some(snapshot) => {
                let inside = snapshot.ips.iter().filter(|ip| ip.pools.contains(pool));
                Ok(Some(inside.map(|ip| ip.ip.clone()).collect()))
            }
            None => Ok(self.client.pool_ips(pool).await?.map(|ips| ips.into_iter().collect())),
        }
    }
}
