//! What is to be done: a pure function of what should be and what is.
//!
//! Calls come in an order in which the customer has an IP at every moment: it is added before another is taken, and a
//! limit is set before anything is opened.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use sendgrid::api::{Credits, CreditsKind};
use serde::{Deserialize, Serialize};

/// A call that changes something at SendGrid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case")]
pub enum Call {
    /// `PUT /v3/subusers/{subuser}/ips`
    SetSubuserIps {
        /// Whose.
        subuser: String,
        /// All of them.
        ips: BTreeSet<String>,
    },
    /// `PUT /v3/subusers/{subuser}/credits`
    SetCredits {
        /// Whose.
        subuser: String,
        /// How many.
        credits: Credits,
    },
    /// `PATCH /v3/subusers/{subuser}`
    SetDisabled {
        /// Whose.
        subuser: String,
        /// Whether it may not send.
        disabled: bool,
    },
    /// `POST /v3/ips/pools/{pool}/ips`
    AddToPool {
        /// Which pool.
        pool: String,
        /// Which IP.
        ip: String,
    },
    /// `DELETE /v3/ips/pools/{pool}/ips/{ip}`
    RemoveFromPool {
        /// Which pool.
        pool: String,
        /// Which IP.
        ip: String,
    },
}

impl Call {
    /// Every kind's name.
    pub(crate) const NAMES: [&'static str; 5] =
        ["set_subuser_ips", "set_credits", "set_disabled", "add_to_pool", "remove_from_pool"];

    /// The kind, for metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SetSubuserIps { .. } => "set_subuser_ips",
            Self::SetCredits { .. } => "set_credits",
            Self::SetDisabled { .. } => "set_disabled",
            Self::AddToPool { .. } => "add_to_pool",
            Self::RemoveFromPool { .. } => "remove_from_pool",
        }
    }

    /// The subuser that it changes, if it changes one.
    pub fn subuser(&self) -> Option<&str> {
        match self {
            Self::SetSubuserIps { subuser, .. }
            | Self::SetCredits { subuser, .. }
            | Self::SetDisabled { subuser, .. } => Some(subuser),
            Self::AddToPool { .. } | Self::RemoveFromPool { .. } => None,
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetSubuserIps { subuser, ips } => {
                let ips: Vec<_> = ips.iter().map(String::as_str).collect();
                write!(f, "give subuser {subuser} the IPs {}", ips.join(", "))
            }
            Self::SetCredits { subuser, credits } => match credits.total {
                Some(total) => write!(f, "cap subuser {subuser} at {total} mails"),
                None => write!(f, "take the cap off subuser {subuser}"),
            },
            Self::SetDisabled { subuser, disabled: true } => write!(f, "stop subuser {subuser}"),
            Self::SetDisabled { subuser, disabled: false } => write!(f, "let subuser {subuser} send"),
            Self::AddToPool { pool, ip } => write!(f, "put {ip} into pool {pool}"),
            Self::RemoveFromPool { pool, ip } => write!(f, "take {ip} out of pool {pool}"),
        }
    }
}

/// What is to be done, and what can't be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Plan {
    /// In this order.
    pub calls: Vec<Call>,
    /// Why something that should be done is not.
    pub held_back: Vec<String>,
    /// What SendGrid can't do at all; where nothing else is left, the customer is as it can be.
    pub impossible: Vec<String>,
}

/// A subuser, as it is or should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubuserState {
    /// The IPs that it may send through.
    pub ips: BTreeSet<String>,
    /// How many mails it may send.
    pub credits: Credits,
    /// Whether it may not send at all.
    pub disabled: bool,
}

impl SubuserState {
    /// How it is after a call that changes it.
    pub(crate) fn take(&mut self, call: &Call) {
        match call {
            Call::SetSubuserIps { ips, .. } => self.ips.clone_from(ips),
            Call::SetCredits { credits, .. } => self.credits = credits.clone(),
            Call::SetDisabled { disabled, .. } => self.disabled = *disabled,
            Call::AddToPool { .. } | Call::RemoveFromPool { .. } => {}
        }
    }
}

/// The calls that make a subuser what it should be.
///
/// One that is to be disabled is so first, and one that is to send again does so last. An empty set of IPs is never
/// set: that, and letting it send again, is held back; a limit is set all the same.
pub fn subuser(name: &str, wanted: &SubuserState, found: &SubuserState) -> Plan {
    let mut plan = Plan::default();
    let subuser = || name.to_owned();
    if wanted.disabled && !found.disabled {
        plan.calls.push(Call::SetDisabled { subuser: subuser(), disabled: true });
    }
    if !same_limit(&wanted.credits, &found.credits) {
        plan.calls.push(Call::SetCredits { subuser: subuser(), credits: wanted.credits.clone() });
    }
    if wanted.ips.is_empty() {
        if !wanted.disabled {
            plan.held_back
                .push(format!("subuser {name} would be left without an IP: the pool that it should use is empty"));
        }
        return plan;
    }
    if wanted.ips != found.ips {
        plan.calls.push(Call::SetSubuserIps { subuser: subuser(), ips: wanted.ips.clone() });
    }
    if found.disabled && !wanted.disabled {
        plan.calls.push(Call::SetDisabled { subuser: subuser(), disabled: false });
    }
    plan
}

/// SendGrid tells a frequency of reset for unlimited credits too, where it means nothing.
fn same_limit(a: &Credits, b: &Credits) -> bool {
    let unlimited = |credits: &Credits| credits.kind == CreditsKind::Unlimited;
    (unlimited(a) && unlimited(b)) || a == b
}

/// IPs, each with its pools.
pub type PoolsOf = BTreeMap<String, BTreeSet<String>>;

/// The calls that bring a customer's own IPs into the pools where they should be, and into no other. `members` are the IPs of
/// the pools that they may have to leave: the last IP never leaves a pool.
pub fn dedicated(wanted: &PoolsOf, found: &PoolsOf, members: &PoolsOf) -> Plan {
    let mut plan = Plan::default();
    let none = BTreeSet::new();
    let mut left: BTreeMap<&str, usize> = members.iter().map(|(pool, ips)| (pool.as_str(), ips.len())).collect();
    for (ip, pools) in wanted {
        for pool in pools.difference(found.get(ip).unwrap_or(&none)) {
            *left.entry(pool).or_default() += 1;
            plan.calls.push(Call::AddToPool { pool: pool.clone(), ip: ip.clone() });
        }
    }
    for (ip, pools) in wanted {
        for pool in found.get(ip).unwrap_or(&none).difference(pools) {
            match left.get_mut(pool.as_str()) {
                Some(left) if *left > 1 => {
                    plan.calls.push(Call::RemoveFromPool { pool: pool.clone(), ip: ip.clone() });
                    *left -= 1;
                }
                _ => plan.held_back.push(format!("{ip} is the last IP of pool {pool}: add another one to it first")),
            }
        }
    }
    plan
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn credits() -> impl Strategy<Value = Credits> {
        prop_oneof![Just(Credits::unlimited()), (1_u32..5).prop_map(Credits::daily)]
    }

    fn state(fewest: usize) -> impl Strategy<Value = SubuserState> {
        (prop::collection::btree_set("[a-d]", fewest..4), credits(), any::<bool>())
            .prop_map(|(ips, credits, disabled)| SubuserState { ips, credits, disabled })
    }

    fn pools() -> impl Strategy<Value = PoolsOf> {
        let pools = prop::collection::btree_set("good|poor|own", 1..3);
        prop::collection::btree_map("[a-d]", pools, 1..4)
    }

    /// The IPs of every pool, with strangers' among them.
    fn members(found: &PoolsOf, strangers: &BTreeSet<String>) -> PoolsOf {
        let mut members: PoolsOf = ["good", "poor", "own"].map(|pool| (pool.to_owned(), strangers.clone())).into();
        for (ip, pools) in found {
            pools.iter().for_each(|pool| assert!(members.get_mut(pool).unwrap().insert(ip.clone())));
        }
        members
    }

    proptest! {
        #[test]
        fn a_subusers_plan_reaches_its_end_and_then_has_nothing_to_do(wanted in state(1), found in state(0)) {
            let mut now = found;
            for call in subuser("a", &wanted, &now.clone()).calls {
                now.take(&call);
                prop_assert!(now.disabled || !now.ips.is_empty() || now.credits == wanted.credits);
            }
            prop_assert_eq!(subuser("a", &wanted, &now), Plan::default());
            prop_assert_eq!(now.disabled, wanted.disabled);
            if !wanted.disabled {
                prop_assert_eq!(now, wanted);
            }
        }

        #[test]
        fn a_subuser_is_never_opened_before_it_is_limited(wanted in state(1), found in state(1)) {
            let calls = subuser("a", &wanted, &found).calls;
            let opens = calls.iter().position(|call| matches!(call, Call::SetDisabled { disabled: false, .. }));
            prop_assert!(opens.is_none_or(|at| at == calls.len() - 1), "{calls:?}");
        }

        #[test]
        fn moved_ips_are_always_in_a_pool_and_no_pool_is_emptied(
            wanted in pools(),
            mut found in pools(),
            strangers in prop::collection::btree_set("[x-z]", 0..3),
        ) {
            found.retain(|ip, _| wanted.contains_key(ip));
            let mut members = members(&found, &strangers);
            let plan = dedicated(&wanted, &found, &members);
            for call in &plan.calls {
                let (pool, ip, there) = match call {
                    Call::AddToPool { pool, ip } => (pool, ip, true),
                    Call::RemoveFromPool { pool, ip } => (pool, ip, false),
                    other => panic!("not a pool's call: {other:?}"),
                };
                let (inside, pools) = (members.get_mut(pool).unwrap(), found.entry(ip.clone()).or_default());
                let changed = if there {
                    inside.insert(ip.clone()) && pools.insert(pool.clone())
                } else {
                    inside.remove(ip) && pools.remove(pool)
                };
                prop_assert!(changed, "a call that changes nothing");
                prop_assert!(!found[ip].is_empty() && (there || !members[pool].is_empty()));
            }
            let again = dedicated(&wanted, &found, &members);
            prop_assert_eq!(again.calls, vec![]);
            prop_assert_eq!(again.held_back.len(), plan.held_back.len());
            for (ip, pools) in &wanted {
                prop_assert!(found[ip].is_superset(pools));
                prop_assert!(!plan.held_back.is_empty() || found[ip] == *pools);
            }
        }
    }

    #[test]
    fn a_subuser_is_never_left_without_an_ip() {
        let found = SubuserState { ips: ["a".to_owned()].into(), credits: Credits::unlimited(), disabled: false };
        let wanted = SubuserState { ips: BTreeSet::new(), credits: Credits::daily(5), disabled: false };
        let plan = subuser("a", &wanted, &found);
        let capped = Call::SetCredits { subuser: "a".to_owned(), credits: Credits::daily(5) };
        assert_eq!((plan.calls, plan.held_back.len()), (vec![capped], 1));
    }
}
