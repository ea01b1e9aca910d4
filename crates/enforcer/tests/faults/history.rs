//! What an enforcer left on the log.

use std::collections::BTreeMap;
use std::time::Duration;

use enforcer::{Action, Before, Outcome};
use log::{Log, Start, Stored, Topic};
use model::{CaseView, CustomerId, EnforcementKey, HeldWhy, Stage, Standing};

use super::fleet::{self, Customer};

pub(crate) fn read(log: &dyn Log, topic: Topic) -> Vec<Stored> {
    let mut tail = log.tail(topic, Start::Earliest).unwrap();
    let mut records = Vec::new();
    while !tail.caught_up() {
        records.extend(tail.next(Duration::ZERO).unwrap());
    }
    records
}

pub(crate) fn actions(log: &dyn Log) -> Vec<Action> {
    let records = read(log, Topic::Actions);
    records.iter().map(|stored| serde_json::from_slice(&stored.record.value).unwrap()).collect()
}

/// What is remembered of customers; whoever is as it was is forgotten after an hour.
pub(crate) fn cases(log: &dyn Log) -> BTreeMap<CustomerId, CaseView> {
    let mut cases = BTreeMap::new();
    for stored in read(log, Topic::Enforcement) {
        let key = std::str::from_utf8(&stored.record.key).unwrap();
        let Some(EnforcementKey::Case(customer)) = EnforcementKey::parse(key) else { continue };
        if stored.record.value.is_empty() {
            cases.remove(&customer);
        } else {
            cases.insert(customer, serde_json::from_slice(&stored.record.value).unwrap());
        }
    }
    cases
}

/// Every time that a way back was noted, it was the way back to how the customer was at first.
pub(crate) fn assert_ways_back(actions: &[Action], customers: &[Customer]) {
    for customer in customers {
        let noted =
            actions.iter().filter(|action| action.customer == customer.id && action.outcome == Outcome::Observed);
        for before in noted.map(|action| action.before.as_ref().unwrap()) {
            let is_right = match (&customer.before, before) {
                (fleet::Before::Subuser { ips, credits, is_disabled, .. }, Before::Subuser(state)) => {
                    let is_unlimited = credits.total.is_none() && state.credits.total.is_none();
                    state.ips == *ips && state.disabled == *is_disabled && (is_unlimited || state.credits == *credits)
                }
                (fleet::Before::Ips { own, pool }, Before::Ips { own: noted }) => {
                    own.len() == noted.len()
                        && noted.iter().all(|ip| own.contains(&ip.ip) && ip.pools.iter().eq([pool]))
                }
                _ => false,
            };
            assert!(is_right, "{}: noted {before:?}, was {:?}", customer.id, customer.before);
        }
    }
}

/// What was let through last is where everybody stands, and only what SendGrid can't do is held back.
pub(crate) fn assert_cases(
    cases: &BTreeMap<CustomerId, CaseView>,
    customers: &[Customer],
    last: &BTreeMap<CustomerId, Standing>,
) {
    for customer in customers {
        let case = cases.get(&customer.id);
        let Some(standing) = last.get(&customer.id) else {
            assert_eq!(case, None, "{} never stood anywhere", customer.id);
            continue;
        };
        if let Some(in_force) = case.and_then(|case| case.in_force.as_ref()) {
            assert!(in_force.is(standing), "{in_force:?} is in force, {standing:?} should be");
        } else {
            assert!(standing.severity() <= Stage::Watch, "{}: not let through: {case:?}", customer.id);
        }
        let is_possible = !matches!(customer.before, fleet::Before::Ips { .. })
            || (standing.stage < Stage::Suspended && standing.daily_cap.is_none());
        let held = case.and_then(|case| case.held.as_ref()).map(|held| held.why);
        assert_eq!(held, (!is_possible).then_some(HeldWhy::NotPossible), "{}: {standing:?}", customer.id);
    }
}
