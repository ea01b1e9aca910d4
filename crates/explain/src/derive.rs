//! The decision once more: the same fold over the same records.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use model::{CustomerId, Decision, DecisionId, Offset, Position, Standing, Timestamp};
use policy::Policy;
use scoring::{Fold, Input, MemoryStore, Partition, Said};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Recorded;

/// What came of deriving a decision again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Derived {
    /// The same, byte for byte.
    Same,
    /// Another.
    Differently {
        /// In what.
        differences: Vec<Difference>,
        /// What may be the cause, where something is known.
        causes: Vec<Cause>,
    },
    /// None: the record moved nobody.
    NoDecision {
        /// What may be the cause, where something is known.
        causes: Vec<Cause>,
    },
    /// It was not tried: the decision was made under another policy file than the one at hand.
    UnderAnotherPolicy {
        /// The digest of the file at hand.
        at_hand: String,
    },
}

/// A member in which two decisions differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Difference {
    /// Its path, for example `evidence.numerator`.
    pub member: String,
    /// What was published.
    pub recorded: Value,
    /// What was derived.
    pub derived: Value,
}

/// Why a decision may be derived differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum Cause {
    /// Retention has dropped the log's beginning.
    LogCut {
        /// The oldest record kept.
        begins: Offset,
    },
    /// The customer had been moved before under a policy of which the log holds no record.
    EarlierPolicy {
        /// The digest of its file.
        policy: String,
    },
}

impl fmt::Display for Derived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same => f.write_str("derived again from the log: the same, byte for byte"),
            Self::Differently { differences, causes } => {
                f.write_str("derived differently from the log")?;
                for (index, difference) in differences.iter().enumerate() {
                    write!(f, "{} {difference}", if index == 0 { ":" } else { ";" })?;
                }
                causes.iter().try_for_each(|cause| write!(f, "; {cause}"))
            }
            Self::NoDecision { causes } => {
                f.write_str("not derived from the log: what it holds up to that record moves nobody")?;
                causes.iter().try_for_each(|cause| write!(f, "; {cause}"))
            }
            Self::UnderAnotherPolicy { at_hand } => {
                write!(f, "not derived again: the policy at hand is another ({at_hand})")
            }
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {} on record and {} derived", self.member, self.recorded, self.derived)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LogCut { begins } => write!(f, "the log no longer holds what came before record {begins}"),
            Self::EarlierPolicy { policy } => {
                write!(f, "the customer had been moved under a policy of which the log holds no record ({policy})")
            }
        }
    }
}

/// A decision that is being derived.
#[derive(Debug)]
pub(crate) struct Deriving {
    fold: Fold,
    store: MemoryStore,
    /// The record that brings it about.
    at: Offset,
    /// Its name: a record may bring about another one in shadow.
    id: DecisionId,
    derived: Option<Decision>,
    /// The digests of the policies that were in force.
    policies: BTreeSet<String>,
}

impl Deriving {
    pub(crate) fn new(decision: &Decision, policy: Arc<Policy>) -> Self {
        let Position { partition, offset } = decision.offset;
        let policies = BTreeSet::from([policy.digest().to_owned()]);
        let fold = Fold::new(policy, partition, Partition::default());
        Self { fold, store: MemoryStore::default(), at: offset, id: decision.id.clone(), derived: None, policies }
    }

    pub(crate) fn begin_at(&mut self, appended: Timestamp) {
        self.fold.begin_at(appended);
    }

    pub(crate) fn take(&mut self, offset: Offset, input: Input<'_>) {
        if let Input::Policy(policy) = &input {
            self.policies.insert(policy.digest().to_owned());
        }
        let Ok(applied) = self.fold.apply(&mut self.store, offset, input);
        if offset == self.at {
            let decisions = applied.said.into_iter().filter_map(|said| match said {
                Said::Decision(decision) => Some(decision),
                Said::Standing(_) | Said::Profile(_) | Said::AccountStatus(_) | Said::Share(_) => None,
            });
            let mut decisions: Vec<_> = decisions.collect();
            let same = decisions.iter().position(|decision| decision.id == self.id).unwrap_or_default();
            self.derived = (same < decisions.len()).then(|| decisions.swap_remove(same));
        }
    }

    /// Where the customer stands behind the record; `None` where the log holds nothing of it.
    pub(crate) fn standing(&self, customer: &CustomerId) -> Option<Standing> {
        let (_, known) = self.store.customers().find(|(id, known)| *id == customer && !known.is_new())?;
        Some(known.standing(customer, self.fold.policy(), self.fold.partition().now().unwrap_or_default()))
    }

    /// Holds what was derived against what was published.
    pub(crate) fn compare(self, recorded: &Recorded, history: &[Decision], log_begins: Offset) -> Derived {
        let causes = self.causes(history, log_begins);
        let Some(mut derived) = self.derived else { return Derived::NoDecision { causes } };
        if recorded.decision.cause.is_none() {
            // An earlier version wrote it, which did not tell these.
            derived = Decision { cause: None, phase: None, pilot_step: None, sending: None, ..derived };
        }
        let bytes = serde_json::to_vec(&derived).unwrap_or_default();
        if bytes == recorded.bytes {
            return Derived::Same;
        }
        let value = |bytes: &[u8]| serde_json::from_slice(bytes).unwrap_or_default();
        let mut differences = Vec::new();
        differ("", (&value(&recorded.bytes), &value(&bytes)), &mut differences);
        Derived::Differently { differences, causes }
    }

    fn causes(&self, history: &[Decision], log_begins: Offset) -> Vec<Cause> {
        let cut = (log_begins > Offset::ZERO).then_some(Cause::LogCut { begins: log_begins });
        let earlier = history.iter().rev().find(|earlier| !self.policies.contains(&earlier.policy));
        let earlier = earlier.map(|earlier| Cause::EarlierPolicy { policy: earlier.policy.clone() });
        cut.into_iter().chain(earlier).collect()
    }
}

/// Collects the members in which two documents differ.
fn differ(path: &str, pair: (&Value, &Value), differences: &mut Vec<Difference>) {
    match pair {
        (Value::Object(recorded), Value::Object(derived)) => {
            let added = derived.keys().filter(|name| !recorded.contains_key(*name));
            for name in recorded.keys().chain(added) {
                let member = |object: &serde_json::Map<String, Value>| object.get(name).cloned().unwrap_or_default();
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                differ(&path, (&member(recorded), &member(derived)), differences);
            }
        }
        (recorded, derived) if recorded != derived => differences.push(Difference {
            member: path.to_owned(),
            recorded: recorded.clone(),
            derived: derived.clone(),
        }),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn documents_differ_in_named_members() {
        let recorded = json!({"id": "a", "evidence": {"numerator": 31, "events": ["x"]}, "by": "ana"});
        let derived = json!({"id": "a", "evidence": {"numerator": 30, "events": ["x"]}, "blame": "pool"});
        let mut differences = Vec::new();
        differ("", (&recorded, &derived), &mut differences);
        let told: Vec<_> = differences.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "by is \"ana\" on record and null derived",
                "evidence.numerator is 31 on record and 30 derived",
                "blame is null on record and \"pool\" derived",
            ]
        );
    }
}
