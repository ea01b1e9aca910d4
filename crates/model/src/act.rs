//! What persons did, to be read back: who, when, what and why.
//!
//! Each act has a record of its own on the topic `enforcement`, under a key that no other has, so that none replaces another:
//! whoever resumes enforcement does not wipe out who paused it. The change itself is another record, written together with this
//! one. Commands about a customer have none: the decisions that follow them say it all.

use serde::{Deserialize, Serialize};

use crate::{AccountStatus, AccountStatusChange, CustomerId, Decision, DecisionId, PolicyOrigin, Stage, Timestamp};

/// Something that a person did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Act {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// Why, in the author's words.
    pub reason: String,
    /// What.
    #[serde(flatten)]
    pub deed: Deed,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Deed {
    /// All enforcement was stopped.
    Pause,
    /// Enforcement went on.
    Resume,
    /// What waited was let through.
    Approve {
        /// About whom.
        customer: CustomerId,
        /// What waited.
        decision: DecisionId,
        /// Where it puts the customer.
        stage: Stage,
    },
    /// What waited was not let through.
    Reject {
        /// About whom.
        customer: CustomerId,
        /// What waited.
        decision: DecisionId,
        /// Where it would have put the customer.
        stage: Stage,
    },
    /// A policy was put in force.
    Policy {
        /// Its digest.
        digest: String,
        /// The digest of the one before; `None` where nobody could tell.
        previous: Option<String>,
        /// Where its text comes from.
        origin: PolicyOrigin,
    },
    /// What a rule did was taken back.
    Undo {
        /// The rule.
        rule: String,
        /// Since when.
        since: Timestamp,
        /// How many customers were told to go back.
        customers: usize,
    },
    /// Rejected events of a source were read again.
    Replay {
        /// The source.
        source: String,
        /// How many rejects were read.
        rejects: usize,
        /// How many events were found in them.
        events: usize,
    },
    /// SendGrid did something to the account or to a subuser. Never written: it is the change, told in these words.
    AccountStatus {
        /// Whose subuser it is; `unattributed:` and a source where it is the account.
        customer: CustomerId,
        /// What SendGrid did.
        status: AccountStatus,
    },
    /// Somebody has seen what SendGrid did.
    Acknowledge {
        /// Whose subuser it is; `unattributed:` and a source where it is the account.
        customer: CustomerId,
        /// What SendGrid did.
        status: AccountStatus,
        /// When SendGrid did it.
        changed_at: Timestamp,
    },
    /// A customer was given a command. Never written: it is the decision, told in these words.
    Command {
        /// The order's name.
        order: String,
        /// To whom.
        customer: CustomerId,
        /// The decision that followed.
        decision: DecisionId,
        /// Where the customer stood.
        from: Stage,
        /// Where it stands since.
        to: Stage,
    },
}

impl Deed {
    /// The name in JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Approve { .. } => "approve",
            Self::Reject { .. } => "reject",
            Self::Policy { .. } => "policy",
            Self::Undo { .. } => "undo",
            Self::Replay { .. } => "replay",
            Self::AccountStatus { .. } => "account_status",
            Self::Acknowledge { .. } => "acknowledge",
            Self::Command { .. } => "command",
        }
    }

    /// What it was done to, by name; empty where it was done to all.
    fn object(&self) -> &str {
        match self {
            Self::Pause | Self::Resume => "",
            Self::Approve { customer, .. }
            | Self::Reject { customer, .. }
            | Self::AccountStatus { customer, .. }
            | Self::Acknowledge { customer, .. }
            | Self::Command { customer, .. } => customer.as_str(),
            Self::Policy { digest, .. } => digest,
            Self::Undo { rule, .. } => rule,
            Self::Replay { source, .. } => source,
        }
    }
}

impl Act {
    const PREFIX: &'static str = "act:";
    const COMMAND: &'static str = "command:";

    /// The key of its record. The same person does the same thing to the same customer once within a millisecond.
    pub fn key(&self) -> String {
        format!("{}{}:{}:{}:{}", Self::PREFIX, self.at.millis(), self.deed.name(), self.deed.object(), self.by)
    }

    /// Whether a record with this key is an act.
    pub fn is_key(key: &str) -> bool {
        key.starts_with(Self::PREFIX)
    }

    /// What SendGrid did, told as an act of its own.
    pub fn of_sendgrid(change: &AccountStatusChange) -> Self {
        let deed = Deed::AccountStatus { customer: change.customer.clone(), status: change.status };
        Self { at: change.at, by: "SendGrid".to_owned(), reason: String::new(), deed }
    }

    /// The command that a decision follows; `None` for a rule's decision. Those that take a rule's decisions back are one
    /// [`Deed::Undo`] together, and none by themselves.
    pub fn of(decision: &Decision) -> Option<Self> {
        let (order, by) = (decision.rule.strip_prefix(Self::COMMAND)?, decision.by.clone()?);
        let deed = Deed::Command {
            order: order.to_owned(),
            customer: decision.customer.clone(),
            decision: decision.id.clone(),
            from: decision.from,
            to: decision.to,
        };
        let reason = decision.reason.clone().unwrap_or_default();
        (order != "undo").then_some(Self { at: decision.at, by, reason, deed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_reads_back_and_each_has_a_key_of_its_own() {
        let customer = CustomerId::new("act: \"a\"").unwrap();
        let act =
            |by: &str, deed| Act { at: Timestamp::from_millis(7), by: by.to_owned(), reason: "why".to_owned(), deed };
        let decision = DecisionId::from_bits(1);
        let (origin, since) = (PolicyOrigin::Api, Timestamp::from_millis(1));
        let all = [
            act("ana", Deed::Pause),
            act("bob", Deed::Pause),
            act("ana", Deed::Resume),
            act("ana", Deed::Approve { customer: customer.clone(), decision: decision.clone(), stage: Stage::Watch }),
            act("ana", Deed::Reject { customer: customer.clone(), decision, stage: Stage::Watch }),
            act("ana", Deed::Policy { digest: "sha256:1".to_owned(), previous: None, origin }),
            act("ana", Deed::Undo { rule: "bad".to_owned(), since, customers: 3 }),
            act(
                "ana",
                Deed::Acknowledge { customer: customer.clone(), status: AccountStatus::Banned, changed_at: since },
            ),
            act("ana", Deed::Replay { source: "main".to_owned(), rejects: 3, events: 2 }),
        ];
        let keys: std::collections::BTreeSet<_> = all.iter().map(Act::key).collect();
        assert!(keys.len() == all.len() && keys.iter().all(|key| Act::is_key(key)), "{keys:?}");
        for act in all {
            let json = serde_json::to_value(&act).unwrap();
            assert_eq!(json["type"], act.deed.name());
            assert_eq!(serde_json::from_value::<Act>(json).unwrap(), act);
        }
        assert!(!Act::is_key("case:act:x"));
    }
}
