//! The decision that is put into words, and what else the words need to know.

use std::sync::Arc;

use model::{Decision, Millis, Mode, Order, Phase, Stage, Standing, Test, Timestamp};
use policy::{Limit, Policy, Rule};

/// What is put into words.
#[derive(Clone, Debug)]
pub(crate) struct Case<'a> {
    pub(crate) decision: &'a Decision,
    /// What was decided about the customer before, oldest first.
    pub(crate) history: &'a [Decision],
    /// The policy at hand; perhaps not the decision's.
    pub(crate) policy: &'a Arc<Policy>,
    /// The person's order, where one brought it about and the log still holds it.
    pub(crate) order: Option<Order>,
    /// Where the customer stands behind the decision's record, as far as the log tells.
    pub(crate) standing: Option<Standing>,
}

/// What kind of step a decision is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Up,
    Down,
    Stays,
}

impl Case<'_> {
    pub(super) fn step(&self) -> Step {
        match self.decision.to.cmp(&self.decision.from) {
            std::cmp::Ordering::Greater => Step::Up,
            std::cmp::Ordering::Less => Step::Down,
            std::cmp::Ordering::Equal => Step::Stays,
        }
    }

    /// The decision's rule, at the limits of the customer's phase; `None` for commands and `calm`, and where the policy at hand
    /// has none of that name.
    pub(super) fn rule(&self) -> Option<&Rule> {
        self.policy.rules_for(self.phase()).iter().find(|rule| rule.name == self.decision.rule)
    }

    /// The rules that hold the customer at `stage`.
    pub(super) fn holding(&self, stage: Stage) -> Vec<&Rule> {
        self.policy.holding(&self.decision.customer, (self.phase(), stage))
    }

    pub(super) fn phase(&self) -> Phase {
        self.standing.as_ref().map(|standing| standing.phase).unwrap_or_default()
    }

    /// Whether a person holds the customer where it is.
    pub(super) fn is_held(&self) -> bool {
        let by_this = matches!(self.command(), Some("hold" | "set_stage"));
        by_this || self.standing.as_ref().is_some_and(|standing| standing.held)
    }

    /// Until when no rule moves the customer up, where that is still ahead.
    pub(super) fn exempt_until(&self) -> Option<Timestamp> {
        let by_this = match self.order {
            Some(Order::Exempt { until }) => Some(until),
            _ => None,
        };
        let known = self.standing.as_ref().and_then(|standing| standing.exempt_until);
        known.or(by_this).filter(|until| *until > self.decision.at)
    }

    /// How many mails a day the customer may send at the decision's stage: a pilot's step may allow less than the stage.
    pub(super) fn daily_cap(&self) -> Option<u32> {
        let stage = self.decision.to;
        match self.standing.as_ref().filter(|standing| standing.stage == stage) {
            Some(standing) => standing.daily_cap,
            None => self.policy.daily_cap(stage),
        }
    }

    /// The limit of the account that the decision keeps; `None` where the policy at hand has none of that name.
    pub(super) fn limit(&self) -> Option<&Limit> {
        self.policy.limits().iter().find(|limit| limit.name == self.decision.rule)
    }

    /// How long the customer must be calm at `stage` before it comes down: longer after earlier offences, and long enough
    /// for the bad events of its mail to come. `None` where only a person brings it down.
    pub(super) fn dwell(&self, stage: Stage) -> Option<Millis> {
        let maturity = self.holding(stage).into_iter().map(|rule| self.policy.maturity(rule.signal)).max();
        let dwell = self.policy.dwell_of(stage, &self.offences(), self.decision.at)?;
        Some(dwell.max(maturity.unwrap_or_default()))
    }

    /// When rules moved the customer to throttled or worse, each time anew after it had come down.
    fn offences(&self) -> Vec<Timestamp> {
        let decisions = self.history.iter().chain([self.decision]).filter(|one| one.mode == self.decision.mode);
        let (mut offences, mut is_down) = (Vec::new(), true);
        for decision in decisions {
            if decision.to < decision.from {
                is_down = true;
            } else if decision.to > decision.from && decision.to >= Stage::Throttled && decision.evidence.is_some() {
                if is_down || decision.from < Stage::Throttled {
                    offences.push(decision.at);
                }
                is_down = false;
            }
        }
        offences
    }

    /// The name of a person's order.
    pub(super) fn command(&self) -> Option<&str> {
        self.decision.rule.strip_prefix("command:")
    }

    /// Whether it keeps a limit of the account, and is not about the customer's mail alone.
    pub(super) fn is_for_the_account(&self) -> bool {
        self.decision.evidence.as_ref().is_some_and(|evidence| evidence.test == Test::Budget)
    }

    pub(super) fn is_shadow(&self) -> bool {
        self.decision.mode == Mode::Shadow
    }
}
