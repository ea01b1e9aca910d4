//! One customer: what is, what should be, and the calls between.

use std::collections::BTreeSet;

use model::{PoolName, Sending, Stage, Standing};
use sendgrid::api::{self, Client, Credits};

use crate::case::{Before, OwnIp};
use crate::eyes::Eyes;
use crate::observation::Observation;
use crate::placement::Placement;
use crate::plan::{self, Call, Plan, PoolsOf, SubuserState};

/// The pools that customers are moved between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PoolNames {
    pub(crate) home: PoolName,
    pub(crate) quarantine: PoolName,
    /// IPs that belong to one customer alone: no subuser is given them, whichever pool they are in.
    pub(crate) dedicated: BTreeSet<String>,
}

/// A customer, what is to be made true, and how it was before Weir first moved it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) placement: &'a Placement,
    pub(crate) standing: &'a Standing,
    pub(crate) before: Option<&'a Before>,
}

impl Subject<'_> {
    /// Looks at everything at SendGrid that the plan depends on.
    pub(crate) async fn observe(&self, eyes: &Eyes<'_>, pools: &PoolNames) -> Result<Observation, api::Error> {
        match self.placement {
            Placement::Route => Ok(Observation::default()),
            Placement::Subuser(name) => self.observe_subuser(eyes, pools, name).await,
            Placement::DedicatedIps(ips) => self.observe_ips(eyes, pools, ips).await,
        }
    }

    async fn observe_subuser(&self, eyes: &Eyes<'_>, pools: &PoolNames, name: &str) -> Result<Observation, api::Error> {
        let mut seen = Observation::default();
        let Some(disabled) = eyes.is_disabled(name).await? else { return Ok(seen) };
        let ips = eyes.ips_of_subuser(name).await?;
        if let Some(Before::Subuser(before)) = self.before.filter(|_| self.standing.stage < Stage::Quarantined) {
            for ip in before.ips.difference(&ips) {
                if eyes.pools_of(ip).await?.is_none() {
                    seen.gone.insert(ip.clone());
                }
            }
        }
        if self.standing.stage == Stage::Quarantined {
            seen.members = eyes.members([pools.quarantine.as_str()]).await?;
        }
        let credits = eyes.credits(name).await?;
        seen.subuser = Some((name.to_owned(), SubuserState { ips, credits, disabled }));
        Ok(seen)
    }

    async fn observe_ips(&self, eyes: &Eyes<'_>, pools: &PoolNames, ips: &[String]) -> Result<Observation, api::Error> {
        let mut seen = Observation::default();
        for ip in ips {
            if let Some(pools) = eyes.pools_of(ip).await? {
                seen.pools_of.insert(ip.clone(), pools);
            }
        }
        let earlier = match self.before {
            Some(Before::Ips { own }) => own.as_slice(),
            Some(Before::Subuser(_)) | None => &[],
        };
        let concerned = seen.pools_of.values().chain(earlier.iter().map(|own| &own.pools)).flatten();
        let concerned = concerned.map(String::as_str).chain([pools.home.as_str(), pools.quarantine.as_str()]);
        let concerned: BTreeSet<_> = concerned.collect();
        seen.members = eyes.members(concerned).await?;
        Ok(seen)
    }

    /// The calls that make it so; pure.
    pub(crate) fn plan(&self, seen: &Observation, pools: &PoolNames) -> Plan {
        match self.placement {
            Placement::Route => Plan::default(),
            Placement::Subuser(name) => self.plan_subuser(seen, pools, name),
            Placement::DedicatedIps(ips) => self.plan_ips(seen, pools, ips),
        }
    }

    /// How it was before Weir first moved it, as it is now.
    pub(crate) fn remembered(&self, seen: &Observation) -> Option<Before> {
        match self.placement {
            Placement::Route => None,
            Placement::Subuser(_) => seen.subuser.clone().map(|(_, state)| Before::Subuser(state)),
            Placement::DedicatedIps(_) => {
                let own = seen.pools_of.iter().map(|(ip, pools)| OwnIp { ip: ip.clone(), pools: pools.clone() });
                Some(Before::Ips { own: own.collect() })
            }
        }
    }

    fn plan_subuser(&self, seen: &Observation, pools: &PoolNames, name: &str) -> Plan {
        let Some((_, found)) = &seen.subuser else {
            return held_back(format!("there is no subuser {name}: name the customer's subuser in its placement"));
        };
        let home = match self.before {
            Some(Before::Subuser(before)) => before,
            Some(Before::Ips { .. }) | None => found,
        };
        let mut reasons = Vec::new();
        let sending = self.standing.sending;
        let ips = match self.standing.stage {
            // Where one that does not send would send does not matter.
            _ if sending.is_stopped() => found.ips.clone(),
            Stage::Quarantined => {
                let members = seen.members.get(pools.quarantine.as_str());
                reasons.extend(members.is_none().then(|| no_pool(&pools.quarantine)));
                members.into_iter().flatten().filter(|ip| !pools.dedicated.contains(*ip)).cloned().collect()
            }
            // By now an IP may be another customer's own.
            Stage::Healthy | Stage::Watch | Stage::Throttled | Stage::Suspended | Stage::Banned => {
                home.ips.difference(&seen.gone).filter(|ip| !pools.dedicated.contains(*ip)).cloned().collect()
            }
        };
        let disabled = sending.is_stopped() || home.disabled;
        let credits = match sending {
            Sending::None | Sending::Test => found.credits.clone(),
            Sending::Capped(cap) => Credits::daily(cap),
            Sending::Free => home.credits.clone(),
        };
        let mut plan = plan::subuser(name, &SubuserState { ips, credits, disabled }, found);
        plan.held_back.extend(reasons);
        plan
    }

    fn plan_ips(&self, seen: &Observation, names: &PoolNames, ips: &[String]) -> Plan {
        let is_poor = self.standing.stage >= Stage::Quarantined;
        if let Some(missing) =
            [&names.home, &names.quarantine].into_iter().find(|pool| !seen.members.contains_key(pool.as_str()))
        {
            return held_back(no_pool(missing));
        }
        let wanted: PoolsOf = ips
            .iter()
            .filter(|ip| seen.pools_of.contains_key(*ip))
            .map(|ip| (ip.clone(), if is_poor { one(&names.quarantine) } else { self.home_of(ip, seen, names) }))
            .collect();
        let mut plan = plan::dedicated(&wanted, &seen.pools_of, &seen.members);
        let unknown = ips.iter().filter(|ip| !seen.pools_of.contains_key(*ip));
        plan.held_back.extend(unknown.map(|ip| format!("the account has no IP {ip}: mend the customer's placement")));
        if self.standing.sending.is_stopped() {
            plan.impossible.push("SendGrid can't stop a customer that has only IPs: stop it in your mailer".to_owned());
        } else if self.standing.sending.daily_cap().is_some() {
            plan.impossible.push("SendGrid can't cap a customer that has only IPs: cap it in your mailer".to_owned());
        }
        plan
    }

    /// The pools where an IP was, as far as they still exist; the home pool where none does.
    fn home_of(&self, ip: &str, seen: &Observation, names: &PoolNames) -> BTreeSet<String> {
        let earlier = match self.before {
            Some(Before::Ips { own }) => own.iter().find(|own| own.ip == ip).map(|own| &own.pools),
            Some(Before::Subuser(_)) => None,
            None => seen.pools_of.get(ip),
        };
        let there: BTreeSet<_> =
            earlier.into_iter().flatten().filter(|pool| seen.members.contains_key(*pool)).cloned().collect();
        if there.is_empty() { one(&names.home) } else { there }
    }
}

/// Makes one call.
pub(crate) async fn make(client: &Client, call: &Call) -> Result<(), api::Error> {
    match call {
        Call::SetSubuserIps { subuser, ips } => {
            let ips: Vec<String> = ips.iter().cloned().collect();
            client.set_subuser_ips(subuser, &ips).await
        }
        Call::SetCredits { subuser, credits } => client.set_credits(subuser, credits).await,
        Call::SetDisabled { subuser, disabled } => client.set_disabled(subuser, *disabled).await,
        Call::AddToPool { pool, ip } => client.add_to_pool(pool, ip).await,
        Call::RemoveFromPool { pool, ip } => client.remove_from_pool(pool, ip).await,
    }
}

fn one(pool: &PoolName) -> BTreeSet<String> {
    BTreeSet::from([pool.as_str().to_owned()])
}

fn held_back(reason: String) -> Plan {
    Plan { held_back: vec![reason], ..Plan::default() }
}

fn no_pool(pool: &PoolName) -> String {
    format!("there is no pool {pool} at SendGrid: make it, or name another one in the policy")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_that_is_gone_gives_way_to_the_home_pool() {
        let names =
            PoolNames { home: PoolName::new("home"), quarantine: PoolName::new("poor"), dedicated: BTreeSet::new() };
        let before = Before::Ips { own: vec![OwnIp { ip: "a".to_owned(), pools: BTreeSet::from(["old".to_owned()]) }] };
        let members = ["home", "poor"].map(|pool| (pool.to_owned(), BTreeSet::new())).into();
        let seen = Observation { members, ..Observation::default() };
        let standing = crate::tests::standing("acme", Stage::Healthy, None);
        let placement = Placement::DedicatedIps(vec!["a".to_owned()]);
        let subject = Subject { placement: &placement, standing: &standing, before: Some(&before) };
        assert_eq!(subject.home_of("a", &seen, &names), one(&names.home));
    }
}
