//! What is to be done: a pure function of what should be and what is.
//!
//! Calls come in an order in which the customer has an IP at every moment: it is added before another is taken, and a
//! limit is set before anything is opened.

use std::collections::{BTreeMap, BTreeSet};

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
}

/// What is to be done, and what can't be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Plan {
    /// In this order.
    pub calls: Vec<Call>,
    /// Why something that should be done is not.
    pub held_back: Vec<String>,
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

/// The calls that make a subuser what it should be.
///
/// One that is to be disabled is only disabled: where it would send does not matter then. An empty set of IPs is never
/// set: that, and letting it send again, is held back; a limit is set all the same.
pub fn subuser(name: &str, wanted: &SubuserState, found: &SubuserState) -> Plan {
    let mut plan = Plan::default();
    let subuser = || name.to_owned();
    if wanted.disabled {
        if !found.disabled {
            plan.calls.push(Call::SetDisabled { subuser: subuser(), disabled: true });
        }
        return plan;
    }
    if !same_limit(&wanted.credits, &found.credits) {
        plan.calls.push(Call::SetCredits { subuser: subuser(), credits: wanted.credits.clone() });
    }
    if wanted.ips.is_empty() {
        plan.held_back
            .push(format!("subuser {name} would be left without an IP: the pool that it should use is empty"));
        return plan;
    }
    if wanted.ips != found.ips {
        plan.calls.push(Call::SetSubuserIps { subuser: subuser(), ips: wanted.ips.clone() });
    }
    if found.disabled {
        plan.calls.push(Call::SetDisabled { subuser: subuser(), disabled: false });
    }
    plan
}

/// SendGrid tells a frequency of reset for unlimited credits too, where it means nothing.
fn same_limit(a: &Credits, b: &Credits) -> bool {
    let unlimited = |credits: &Credits| credits.kind == CreditsKind::Unlimited;
    (unlimited(a) && unlimited(b)) || a == b
}

/// The two pools between which dedicated IPs are moved, and who is in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pools {
    /// Where the IPs should be.
    pub into: String,
    /// Where they should not be.
    pub out_of: String,
    /// The IPs of both.
    pub members: BTreeMap<String, BTreeSet<String>>,
}

impl Pools {
    fn has(&self, pool: &str, ip: &str) -> bool {
        self.members.get(pool).is_some_and(|members| members.contains(ip))
    }
}

/// The calls that move a customer's own IPs from one pool to another. The last IP never leaves a pool.
pub fn dedicated(ips: &[String], pools: &Pools) -> Plan {
    let mut plan = Plan::default();
    let mut left = pools.members.get(&pools.out_of).map_or(0, BTreeSet::len);
    for ip in ips {
        if !pools.has(&pools.into, ip) {
            plan.calls.push(Call::AddToPool { pool: pools.into.clone(), ip: ip.clone() });
        }
    }
    for ip in ips.iter().filter(|ip| pools.has(&pools.out_of, ip)) {
        if left <= 1 {
            plan.held_back.push(format!("{ip} is the last IP of pool {}: add another one to it first", pools.out_of));
        } else {
            plan.calls.push(Call::RemoveFromPool { pool: pools.out_of.clone(), ip: ip.clone() });
            left -= 1;
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

    fn apply(state: &mut SubuserState, call: &Call) {
        match call {
            Call::SetSubuserIps { ips, .. } => state.ips.clone_from(ips),
            Call::SetCredits { credits, .. } => state.credits = credits.clone(),
            Call::SetDisabled { disabled, .. } => state.disabled = *disabled,
            Call::AddToPool { .. } | Call::RemoveFromPool { .. } => panic!("not a subuser's call: {call:?}"),
        }
    }

    proptest! {
        #[test]
        fn a_subusers_plan_reaches_its_end_and_then_has_nothing_to_do(wanted in state(1), found in state(0)) {
            let mut now = found;
            for call in subuser("a", &wanted, &now.clone()).calls {
                apply(&mut now, &call);
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
            own in prop::collection::btree_set("[a-d]", 1..4),
            good in prop::collection::btree_set("[a-f]", 1..6),
            poor in prop::collection::btree_set("[a-f]", 0..6),
        ) {
            let ips: Vec<_> = own.iter().cloned().collect();
            let mut pools = Pools {
                into: "poor".to_owned(),
                out_of: "good".to_owned(),
                members: BTreeMap::from([("good".to_owned(), good), ("poor".to_owned(), poor)]),
            };
            let plan = dedicated(&ips, &pools);
            for call in &plan.calls {
                let (pool, ip, there) = match call {
                    Call::AddToPool { pool, ip } => (pool, ip, true),
                    Call::RemoveFromPool { pool, ip } => (pool, ip, false),
                    other => panic!("not a pool's call: {other:?}"),
                };
                let members = pools.members.get_mut(pool).unwrap();
                let changed = if there { members.insert(ip.clone()) } else { members.remove(ip) };
                prop_assert!(changed, "a call that changes nothing");
                prop_assert!(pools.has("good", ip) || pools.has("poor", ip));
                prop_assert!(!pools.members["good"].is_empty());
            }
            let again = dedicated(&ips, &pools);
            prop_assert_eq!(again.calls, vec![]);
            prop_assert_eq!(again.held_back, plan.held_back);
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
