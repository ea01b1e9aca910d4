//! What is said of enforcement.

use std::collections::{BTreeMap, BTreeSet};

use enforcer::{Config, Limits, OnDrift, PlacementRule, Placements};
use model::{CustomerId, EnforcerMode, EnforcerModes, Millis, Mode, PoolName, Stage};
use policy::Policy;
use toml::Spanned;

use super::check::Check;
use super::raw::{RawCustomer, RawEnforcer};

/// What the enforcer does under this policy; under one that would be carried out where it is faulty.
pub(super) fn check(check: &mut Check<'_>, raw: &RawEnforcer, policy: Option<&Policy>) -> Config {
    let pool = |stage, name: &str| policy.and_then(|policy| policy.pool(stage)).unwrap_or_else(|| PoolName::new(name));
    let is_carried_out = policy.is_none_or(|policy| policy.mode() == Mode::Enforce);
    let written = EnforcerModes { default: raw.mode.unwrap_or_default(), by_stage: raw.stages.clone() };
    // What a policy only says, nobody carries out.
    let modes = if is_carried_out { written } else { EnforcerModes::all(EnforcerMode::Shadow) };
    let mut config =
        Config::new(modes, check.placements(raw), pool(Stage::Healthy, "home"), pool(Stage::Quarantined, "quarantine"));
    config.sweep_interval = check.span(raw.sweep_interval.as_ref(), Millis::minutes(5));
    config.settling = check.span(raw.settling.as_ref(), Millis::minutes(1));
    let approval = check.span(raw.approval_time.as_ref(), config.approval_time);
    config.approval_time = Millis::new(i64::try_from(approval.as_millis()).unwrap_or(i64::MAX));
    config.limits = Limits {
        customers_per_hour: raw.customers_per_hour.unwrap_or(config.limits.customers_per_hour),
        volume_per_hour: check.share(raw.volume_per_hour.as_ref(), config.limits.volume_per_hour),
    };
    config.on_drift = match raw.on_drift.as_ref().map(Spanned::get_ref).map(String::as_str) {
        None | Some("correct") => OnDrift::Correct,
        Some("adopt") => OnDrift::Adopt,
        Some(other) => {
            let message = format!("on_drift {other:?} is not known; \"correct\" and \"adopt\" are");
            check.fault_at(raw.on_drift.as_ref().map(|written| written.span().start), &message);
            OnDrift::Correct
        }
    };
    config
}

/// What a customer has for itself at SendGrid, in words.
fn own<'a>(id: &'a CustomerId, rule: &'a PlacementRule) -> Box<dyn Iterator<Item = String> + 'a> {
    match rule {
        PlacementRule::Subuser(name) => {
            Box::new(std::iter::once(format!("subuser {}", name.as_deref().unwrap_or(id.as_str()))))
        }
        PlacementRule::DedicatedIps(ips) => Box::new(ips.iter().map(|ip| format!("IP {ip}"))),
        PlacementRule::Route => Box::new(std::iter::empty()),
    }
}

impl Check<'_> {
    fn placements(&mut self, raw: &RawEnforcer) -> Placements {
        let default = match raw.placement.as_ref().map(Spanned::get_ref).map(String::as_str) {
            None | Some("subuser") => PlacementRule::Subuser(None),
            Some("route") => PlacementRule::Route,
            Some(other) => {
                let message = format!("placement {other:?} is not known; \"subuser\" and \"route\" are");
                self.fault_at(raw.placement.as_ref().map(|placement| placement.span().start), &message);
                PlacementRule::Route
            }
        };
        let mut by_customer = BTreeMap::new();
        let mut taken = BTreeSet::new();
        for customer in &raw.customer {
            match (CustomerId::new(customer.name.get_ref()), placement(customer)) {
                (Ok(id), Some(rule)) => {
                    for own in own(&id, &rule).filter(|own| !taken.insert(own.clone())) {
                        let message = format!("{own} is another customer's already: each restrains one customer alone");
                        self.fault(&customer.name, message);
                    }
                    by_customer.insert(id, rule);
                }
                (Err(error), _) => self.fault(&customer.name, error.to_string()),
                (_, None) => {
                    self.fault(&customer.name, "give one of subuser = \"…\", ips = [\"…\"] or route = true".to_owned());
                }
            }
        }
        Placements { default, by_customer }
    }

    /// A share of a whole, written as a percentage; from 0 to 1.
    pub(super) fn share(&mut self, written: Option<&Spanned<String>>, default: f64) -> f64 {
        let Some(written) = written else { return default };
        let number = written.get_ref().strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
        number.filter(|percent| (0.0..=100.0).contains(percent)).map_or_else(
            || {
                let message = format!("{:?} is no share; write for example \"20 %\"", written.get_ref());
                self.fault(written, message);
                default
            },
            |percent| percent / 100.0,
        )
    }
}

/// How a customer is placed; `None` unless exactly one way is given.
fn placement(customer: &RawCustomer) -> Option<PlacementRule> {
    match (&customer.subuser, &customer.ips, customer.route) {
        (Some(subuser), None, None) => Some(PlacementRule::Subuser(Some(subuser.clone()))),
        (None, Some(ips), None) if !ips.is_empty() => Some(PlacementRule::DedicatedIps(ips.clone())),
        (None, None, Some(true)) => Some(PlacementRule::Route),
        _ => None,
    }
}
