//! What a rule did to customers since a time, by their decisions. No log, no clock.

use std::collections::{BTreeMap, BTreeSet};

use model::{CustomerId, Decision, Mode, Stage, Timestamp};

/// What a decision by [`model::Order::Undo`] names as its rule.
const UNDONE: &str = "command:undo";

/// Where customers stood before a rule moved them.
#[derive(Debug)]
pub(super) struct Chains {
    rule: String,
    since: Timestamp,
    before: BTreeMap<CustomerId, Stage>,
    /// Those whom another rule has moved further up since, and where they stood before this one.
    moved_on: BTreeMap<CustomerId, Stage>,
    /// The rules that moved anybody since then.
    rules: BTreeSet<String>,
}

impl Chains {
    pub(super) fn new(rule: &str, since: Timestamp) -> Self {
        let (before, moved_on, rules) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        Self { rule: rule.to_owned(), since, before, moved_on, rules }
    }

    /// Takes in the next decision. Those of one customer come in the order in which they were made.
    pub(super) fn take(&mut self, decision: &Decision) {
        if decision.mode == Mode::Shadow || decision.from == decision.to {
            return;
        }
        let is_since = decision.at >= self.since;
        if is_since && !self.rules.contains(&decision.rule) {
            self.rules.insert(decision.rule.clone());
        }
        if is_since && decision.rule == self.rule {
            self.moved_on.remove(&decision.customer);
            self.before.entry(decision.customer.clone()).or_insert(decision.from);
            return;
        }
        if decision.rule.starts_with("command:") {
            self.take_order(decision);
        } else if decision.to > decision.from
            && let Some(before) = self.before.remove(&decision.customer)
        {
            self.moved_on.insert(decision.customer.clone(), before);
        }
        // Whoever comes down by good conduct is still where the rule has brought it, a step less far.
    }

    /// A person has moved the customer: it is the rule's no more, unless what was taken back leaves it where the rule brought it.
    fn take_order(&mut self, decision: &Decision) {
        let known = [self.before.remove(&decision.customer), self.moved_on.remove(&decision.customer)];
        let before = known.into_iter().flatten().next();
        if let Some(before) = before.filter(|before| decision.rule == UNDONE && decision.to > *before) {
            self.before.insert(decision.customer.clone(), before);
        }
    }

    /// Whom the rule's decisions brought where they are, and where they stood before.
    pub(super) const fn before(&self) -> &BTreeMap<CustomerId, Stage> {
        &self.before
    }

    /// Whom another rule has moved further up since, so that it is no longer this rule that keeps them there, and where they stood
    /// before this one.
    pub(super) const fn moved_on(&self) -> &BTreeMap<CustomerId, Stage> {
        &self.moved_on
    }

    /// The rules that moved anybody since then, as far as they are not the one that is meant; `None` where that one did, too.
    pub(super) fn others_only(&self) -> Option<impl Iterator<Item = &str>> {
        let is_known = self.rules.contains(&self.rule);
        (!is_known).then(|| self.rules.iter().map(String::as_str).filter(|rule| !rule.starts_with("command:")))
    }
}

#[cfg(test)]
mod tests {
    use model::{DecisionId, Offset, PartitionId, Position};

    use super::*;
    use Stage::{Healthy, Quarantined, Suspended, Throttled, Watch};

    fn id(name: &str) -> CustomerId {
        CustomerId::new(name).unwrap()
    }

    fn chains(decisions: &[(&str, i64, &str, Stage, Stage)]) -> Chains {
        let mut chains = Chains::new("bad", Timestamp::from_seconds(100));
        for (customer, at, rule, from, to) in decisions {
            chains.take(&Decision {
                id: DecisionId::from_bits(0),
                customer: id(customer),
                at: Timestamp::from_seconds(*at),
                from: *from,
                to: *to,
                cause: None,
                phase: None,
                pilot_step: None,
                sending: None,
                mode: Mode::Enforce,
                rule: (*rule).to_owned(),
                blame: None,
                evidence: None,
                reason: None,
                by: None,
                policy: String::new(),
                offset: Position { partition: PartitionId::new(0), offset: Offset::new(0) },
            });
        }
        chains
    }

    #[test]
    fn a_customer_goes_back_to_where_it_stood_before_the_first_of_the_rules_decisions_since_then() {
        let chains = chains(&[
            ("a", 50, "bad", Healthy, Watch),
            ("a", 100, "bad", Watch, Throttled),
            ("a", 110, "bad", Throttled, Suspended),
            ("a", 120, "calm", Suspended, Quarantined),
            ("b", 110, "worse", Healthy, Suspended),
        ]);
        assert_eq!(*chains.before(), [(id("a"), Watch)].into());
    }

    #[test]
    fn whom_a_person_or_another_rule_has_moved_since_is_left_alone() {
        let chains = chains(&[
            ("a", 100, "bad", Healthy, Throttled),
            ("a", 110, "command:release", Throttled, Healthy),
            ("b", 100, "bad", Healthy, Throttled),
            ("b", 110, "worse", Throttled, Suspended),
            ("c", 100, "bad", Healthy, Throttled),
            ("c", 110, "command:undo", Throttled, Healthy),
            ("c", 120, "bad", Healthy, Quarantined),
        ]);
        assert_eq!(*chains.before(), [(id("c"), Healthy)].into());
        assert_eq!(*chains.moved_on(), [(id("b"), Healthy)].into());
        assert!(chains.others_only().is_none());
    }

    #[test]
    fn whom_another_rule_has_moved_on_is_forgotten_once_a_person_moves_it() {
        let chains = chains(&[
            ("a", 100, "bad", Healthy, Throttled),
            ("a", 110, "worse", Throttled, Suspended),
            ("a", 120, "command:release", Suspended, Healthy),
            ("b", 100, "bad", Healthy, Throttled),
            ("b", 110, "worse", Throttled, Suspended),
            ("b", 120, "command:undo", Suspended, Throttled),
        ]);
        assert!(chains.moved_on().is_empty(), "{chains:?}");
        assert_eq!(
            *chains.before(),
            [(id("b"), Healthy)].into(),
            "what the other rule did is taken back, and this one's is not"
        );
    }

    #[test]
    fn a_rule_that_moved_nobody_is_told_with_those_that_did() {
        let chains = chains(&[("a", 100, "worse", Healthy, Throttled), ("b", 99, "bad", Healthy, Throttled)]);
        assert_eq!(chains.others_only().map(Iterator::collect::<Vec<_>>), Some(vec!["worse"]));
    }
}
