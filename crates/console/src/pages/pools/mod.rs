//! The IP pools: how each one's mail fares, who sends through it, and who hurts it most.

mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use model::{Bucket, Cell, CellCounts, Counts, Fleet, Grain, PoolName, Provider, Stage, Window};
use policy::{Fraction, Limit, OpenIncident, Policy, Ranked, Rule, Scope, Signal, Whole};

use super::overview::mail::SHOWN;
use super::shell::{self, Place};
use super::visit::Visit;
use crate::admin::Admin;
use crate::api::pools::{PoolAnswer, gather};

/// What the page tells.
#[derive(Debug)]
struct Pools {
    fleet: Arc<Fleet>,
    /// Those with the most mail first.
    pools: Vec<Pool>,
    /// Whether somebody could say which policy is in force: without it there are neither limits nor incidents.
    is_policy_known: bool,
}

/// A pool.
#[derive(Debug)]
struct Pool {
    name: PoolName,
    /// The stages whose customers are sent through it.
    leads_here: Vec<Stage>,
    /// Those whose mail should leave through it, by stage.
    customers: BTreeMap<Stage, usize>,
    /// Mails attempted in the last hour and the last day.
    mails: [u32; 2],
    figures: [Figure; SHOWN.len()],
    /// The last hour, those with the most mail first.
    providers: Vec<(Provider, CellCounts)>,
    /// The worst first.
    hurting: Vec<Ranked>,
    incidents: Vec<OpenIncident>,
}

/// A signal of a pool's mail.
#[derive(Debug)]
struct Figure {
    signal: Signal,
    hour: Fraction,
    day: Fraction,
    /// All mail's, of the last day.
    all: Fraction,
    bound: Option<Bound>,
    /// In how many hours the pool's own limit is crossed if every hour is like the last one; 0 where it is.
    crossed_in: Option<f64>,
}

/// What a signal is held against.
#[derive(Debug, PartialEq)]
struct Bound {
    rate: f64,
    /// Its name in the policy.
    name: String,
    of: BoundOf,
}

/// Whose rate a bound is meant for. A pool without a limit of its own is shown beside the account's, or else a customer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BoundOf {
    Pool,
    Account,
    Customer,
}

/// Answers `/pools`.
pub(super) async fn show(State(admin): State<Admin>, visit: Visit) -> Response {
    let pools = Pools::gather(&admin).await;
    shell::page(&visit, Place::Pools, "Pools", &view::pools(&pools)).into_response()
}

impl Pools {
    async fn gather(admin: &Admin) -> Self {
        let fleet = admin.index.fleet();
        let policy = admin.policies.in_force(&admin.policy).await;
        let incidents = policy.as_ref().map(|policy| policy.open_incidents(&fleet)).unwrap_or_default();
        let pool = |answer| Pool::of(answer, &fleet, policy.as_deref(), &incidents);
        let mut pools: Vec<_> = gather(admin).into_iter().map(pool).collect();
        pools.sort_by_key(|pool| std::cmp::Reverse(pool.mails[1]));
        Self { pools, is_policy_known: policy.is_some(), fleet }
    }
}

impl Pool {
    fn of(answer: PoolAnswer, fleet: &Fleet, policy: Option<&Policy>, incidents: &[OpenIncident]) -> Self {
        let PoolAnswer { pool: name, leads_here, customers, windows, hurting } = answer;
        let counts = |window| windows.get(&window).copied().unwrap_or(Counts::ZERO);
        let (hour, day) = (counts(Window::Hour), counts(Window::Day));
        let figure = |signal: Signal| Figure {
            signal,
            // Its counts know no provider: complaints are held against all mail delivered from it.
            hour: signal.fraction(Provider::Other, &hour),
            day: signal.fraction(Provider::Other, &day),
            all: all_mail(signal, fleet),
            bound: policy.and_then(|policy| Bound::of(signal, policy)),
            crossed_in: policy.and_then(|policy| crossed_in(signal, &name, policy, fleet)),
        };
        let concerns = |incident: &&OpenIncident| incident.pool.as_ref() == Some(&name);
        Self {
            leads_here,
            customers,
            mails: [hour.attempted(), day.attempted()],
            figures: SHOWN.map(figure),
            providers: by_provider(fleet, &name),
            hurting,
            incidents: incidents.iter().filter(concerns).cloned().collect(),
            name,
        }
    }
}

impl Bound {
    /// The strictest limit of pools; else of the account; else the strictest rule.
    fn of(signal: Signal, policy: &Policy) -> Option<Self> {
        let limit_of = |whole| {
            let limits = policy.limits().iter().filter(|limit| limit.signal == signal && limit.of == whole);
            limits.min_by(|a, b| a.enter.total_cmp(&b.enter))
        };
        let limit = |limit: &Limit, of| Self { rate: limit.enter, name: limit.name.clone(), of };
        let rule = |rule: &Rule| Self { rate: rule.enter, name: rule.name.clone(), of: BoundOf::Customer };
        let rules = || policy.rules().iter().filter(|rule| rule.signal == signal);
        let of_pools = limit_of(Whole::Pool).map(|found| limit(found, BoundOf::Pool));
        let of_account = || limit_of(Whole::Account).map(|found| limit(found, BoundOf::Account));
        of_pools.or_else(of_account).or_else(|| rules().min_by(|a, b| a.enter.total_cmp(&b.enter)).map(rule))
    }
}

fn crossed_in(signal: Signal, pool: &PoolName, policy: &Policy, fleet: &Fleet) -> Option<f64> {
    let limits = policy.limits().iter().filter(|limit| limit.signal == signal && limit.of == Whole::Pool);
    let crossings = limits.flat_map(|limit| limit.crossings(fleet));
    let own = crossings.filter(|crossing| crossing.scope == Scope::Pool(pool.clone()));
    own.map(|crossing| crossing.in_hours).min_by(f64::total_cmp)
}

/// The signal over the fleet's mail of the last day.
fn all_mail(signal: Signal, fleet: &Fleet) -> Fraction {
    let of = |provider| signal.fraction(provider, &fleet.provider(Window::Day, provider));
    Provider::ALL.into_iter().map(of).fold(Fraction::default(), Fraction::plus)
}

/// What became of the pool's mail of the last hour at each provider, as far as incidents are looked for in it.
fn by_provider(fleet: &Fleet, pool: &PoolName) -> Vec<(Provider, CellCounts)> {
    let Some((cells, now)) = fleet.pool(pool).zip(fleet.as_of) else { return Vec::new() };
    let grain = Grain::FiveMinutes;
    let newest = Bucket::of(grain, now);
    let sum = |provider| {
        let buckets = (0..grain.reach()).map(|back| Cell { grain, bucket: newest.back(back), provider });
        let sum = buckets.map(|cell| cells.at(cell)).fold(CellCounts::default(), CellCounts::plus);
        (provider, sum)
    };
    let mut all: Vec<_> = Provider::ALL.map(sum).into_iter().filter(|(_, counts)| counts.attempted > 0).collect();
    all.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.attempted));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_held_against_the_limit_that_is_nearest_to_a_pools() {
        let standard = Policy::parse(policy::DEFAULT).unwrap();
        let bound = Bound::of(Signal::HardBounce, &standard).unwrap();
        assert_eq!(bound, Bound { rate: 0.05, name: "account-bounces".to_owned(), of: BoundOf::Account });
        assert_eq!(Bound::of(Signal::ReputationBlock, &standard).unwrap().of, BoundOf::Customer);
        assert_eq!(Bound::of(Signal::Deferral, &standard), None);
        let own = "[[limit]]\nname = \"pools\"\nof = \"pool\"\nsignal = \"hard_bounce\"\nenter = \"9 %\"\nahead = \"6 h\"\nstage = \"watch\"\nat_most = 3\n";
        let with_own = Policy::parse(&format!("{}\n{own}", policy::DEFAULT)).unwrap();
        let bound = Bound::of(Signal::HardBounce, &with_own).unwrap();
        assert_eq!(bound, Bound { rate: 0.09, name: "pools".to_owned(), of: BoundOf::Pool });
    }
}
