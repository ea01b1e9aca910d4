//! What SendGrid shows of a customer, and what Weir knows better: its own latest changes, which SendGrid may not show yet.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use model::CustomerId;
use tokio::time::Instant;

use crate::plan::{Call, SubuserState};

/// What SendGrid shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Observation {
    /// The subuser, where the customer is one and there is one.
    pub(crate) subuser: Option<(String, SubuserState)>,
    /// The pools of the customer's own IPs, as far as the account has them.
    pub(crate) pools_of: BTreeMap<String, BTreeSet<String>>,
    /// The IPs of pools; none is here that does not exist.
    pub(crate) members: BTreeMap<String, BTreeSet<String>>,
    /// IPs of an earlier state that the account no longer has.
    pub(crate) gone: BTreeSet<String>,
}

impl Observation {
    /// How it is once the call has taken effect.
    pub(crate) fn take(&mut self, call: &Call) {
        if let Some((name, state)) = &mut self.subuser
            && call.subuser() == Some(name)
        {
            state.take(call);
        }
        match call {
            Call::AddToPool { pool, ip } => {
                self.members.get_mut(pool).into_iter().for_each(|members| {
                    members.insert(ip.clone());
                });
                self.pools_of.get_mut(ip).into_iter().for_each(|pools| {
                    pools.insert(pool.clone());
                });
            }
            Call::RemoveFromPool { pool, ip } => {
                self.members.get_mut(pool).into_iter().for_each(|members| {
                    members.remove(ip);
                });
                self.pools_of.get_mut(ip).into_iter().for_each(|pools| {
                    pools.remove(pool);
                });
            }
            Call::SetSubuserIps { .. } | Call::SetCredits { .. } | Call::SetDisabled { .. } => {}
        }
    }
}

/// Weir's latest changes.
#[derive(Debug)]
pub(crate) struct Recent {
    /// How long SendGrid may show a state from before a change.
    settling: Duration,
    made: VecDeque<(Instant, Call)>,
    /// About whom nobody knows what came of a change, and since when.
    doubts: BTreeMap<CustomerId, Instant>,
}

impl Recent {
    pub(crate) const fn new(settling: Duration) -> Self {
        Self { settling, made: VecDeque::new(), doubts: BTreeMap::new() }
    }

    /// Notes a change that was made, or may have been.
    pub(crate) fn note(&mut self, call: Call, now: Instant) {
        self.made.push_back((now, call));
    }

    /// Notes that a customer may have been changed or not.
    pub(crate) fn doubt(&mut self, customer: &CustomerId, now: Instant) {
        self.doubts.insert(customer.clone(), now);
    }

    /// From when on a look shows for sure what came of every change to the customer; `None` where it does.
    pub(crate) fn doubted_until(&self, customer: &CustomerId) -> Option<Instant> {
        self.doubts.get(customer).map(|since| *since + self.settling)
    }

    /// What a look that began at `looked` has observed, as it will be once it has settled.
    pub(crate) fn over(&mut self, mut observed: Observation, looked: Instant) -> Observation {
        let settling = self.settling;
        while self.made.front().is_some_and(|(then, _)| *then + settling <= looked) {
            self.made.pop_front();
        }
        self.doubts.retain(|_, since| looked < *since + settling);
        self.made.iter().for_each(|(_, call)| observed.take(call));
        observed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(members: &[&str]) -> Observation {
        let members = members.iter().map(|ip| (*ip).to_owned()).collect();
        Observation { members: [("good".to_owned(), members)].into(), ..Observation::default() }
    }

    #[test]
    fn what_was_just_taken_out_counts_as_out_until_it_has_settled() {
        let (mut recent, start) = (Recent::new(Duration::from_secs(60)), Instant::now());
        recent.note(Call::RemoveFromPool { pool: "good".to_owned(), ip: "a".to_owned() }, start);
        let stale = observed(&["a", "b"]);
        assert_eq!(recent.over(stale.clone(), start + Duration::from_secs(59)), observed(&["b"]));
        assert_eq!(recent.over(stale.clone(), start + Duration::from_secs(60)), stale, "then it did not happen");
    }
}
