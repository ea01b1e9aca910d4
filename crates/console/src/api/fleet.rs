//! What all customers' mail does together: counts, who weighs most, and which limits of the account are near.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use model::{Fleet, Rate};
use policy::{Crossing, Policy, Ranked, Scope, Share};
use serde::Serialize;

use crate::admin::Admin;

/// The fleet's counts, and what follows from them.
#[derive(Debug, Serialize)]
pub(crate) struct FleetAnswer {
    #[serde(flatten)]
    fleet: Arc<Fleet>,
    /// The customers with the most bad events of the last 24 hours, the worst first.
    ranking: Arc<[Ranked]>,
    /// The limits of the account, its pools and the providers that are crossed, or will be if every hour is like the last one, by
    /// the policy in force; null where no scorer of this process tells which one that is.
    limits: Option<Vec<Forecast>>,
}

/// A limit that is near.
#[derive(Debug, Serialize)]
struct Forecast {
    /// Its name in the policy.
    name: String,
    /// Of what: `account`, or the pool's or the provider's name.
    of: String,
    signal: &'static str,
    limit: f64,
    /// The rate of the last 24 hours, all customers together.
    rate: Rate,
    /// In how many hours it is crossed; 0 if it is.
    in_hours: f64,
    /// The smallest set of customers without whom the limit is kept, the heaviest first; null where no set that is small
    /// enough will do.
    heaviest: Option<Vec<Part>>,
}

/// A customer's part.
#[derive(Debug, Serialize)]
struct Part {
    customer: String,
    /// Its bad events of the last 24 hours.
    bad: u32,
    /// Of how many mails.
    mails: u32,
}

impl Forecast {
    fn new(crossing: &Crossing<'_>) -> Self {
        let part =
            |share: &Share| Part { customer: share.customer.to_string(), bad: share.own.hits, mails: share.own.mails };
        Self {
            name: crossing.limit.name.clone(),
            of: match &crossing.scope {
                Scope::Account => "account".to_owned(),
                Scope::Pool(pool) => pool.to_string(),
                Scope::Provider(provider) => provider.name().to_owned(),
            },
            signal: crossing.limit.signal.name(),
            limit: crossing.limit.enter,
            rate: Rate::of(crossing.whole.hits, crossing.whole.mails),
            in_hours: crossing.in_hours,
            heaviest: crossing.heaviest.as_ref().map(|set| set.iter().map(part).collect()),
        }
    }
}

pub(crate) async fn fleet(State(admin): State<Admin>) -> Json<FleetAnswer> {
    let fleet = admin.index.fleet();
    let policy = admin.policies.in_force(&admin.policy).await;
    let limits = policy.map(|policy| forecasts(&policy, &fleet));
    Json(FleetAnswer { ranking: admin.index.ranking(), limits, fleet })
}

fn forecasts(policy: &Policy, fleet: &Fleet) -> Vec<Forecast> {
    let crossings = policy.limits().iter().flat_map(|limit| limit.crossings(fleet));
    crossings.map(|crossing| Forecast::new(&crossing)).collect()
}
