//! Who sends through each pool, and who hurts it.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use model::{Counts, PoolName, Stage, Window};
use policy::Ranked;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::Admin;

/// A pool.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PoolAnswer {
    pub(crate) pool: PoolName,
    /// The stages whose customers are sent through it.
    pub(crate) leads_here: Vec<Stage>,
    /// The customers whose mail should leave through it, by stage; `/v1/customers?pool=` lists them.
    pub(crate) customers: BTreeMap<Stage, usize>,
    /// Counts of all mail that left through it.
    pub(crate) windows: BTreeMap<Window, Counts>,
    /// Those who send through it with the most bad events of the last 24 hours, the worst first.
    pub(crate) hurting: Vec<Ranked>,
}

/// All pools.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PoolList {
    /// By name.
    pools: Vec<PoolAnswer>,
}

/// The pools: who sends through each, how its mail fares, and who hurts it.
#[utoipa::path(get, path = "/v1/pools", responses((status = 200, description = "The pools", body = PoolList)))]
pub(crate) async fn pools(State(admin): State<Admin>) -> Json<PoolList> {
    Json(PoolList { pools: gather(&admin) })
}

/// All pools that anybody has, that the policy names, or that events have named, by name.
pub(crate) fn gather(admin: &Admin) -> Vec<PoolAnswer> {
    let (fleet, ranking) = (admin.index.fleet(), admin.index.ranking());
    let leads = |stage: &Stage, pool: &PoolName| admin.policy.pool(*stage).as_ref() == Some(pool);
    let mut names: BTreeSet<PoolName> = admin.index.pools().into_iter().collect();
    names.extend(Stage::ALL.into_iter().filter_map(|stage| admin.policy.pool(stage)));
    names.extend(fleet.windows.values().flat_map(|window| window.pools.keys().cloned()));
    let pool = |pool: PoolName| {
        let counted = |(window, counts): (&Window, &model::FleetCounts)| Some((*window, *counts.pools.get(&pool)?));
        PoolAnswer {
            leads_here: Stage::ALL.into_iter().filter(|stage| leads(stage, &pool)).collect(),
            customers: admin.index.stages(Some(&pool)),
            windows: fleet.windows.iter().filter_map(counted).collect(),
            hurting: ranking.iter().filter(|one| one.pool.as_ref() == Some(&pool)).cloned().collect(),
            pool,
        }
    };
    names.into_iter().map(pool).collect()
}
