//! A customer is moved, and it is said.

use model::{
    Blame, Command, CustomerId, Decision, DecisionId, Evidence, Mode, Order, Position, Reason, Stage, Timestamp,
};
use policy::Step;
use xxhash_rust::xxh3::xxh3_128;

use super::{Fold, Said, Subject};
use crate::Customer;
use crate::customer::PilotStep;
use crate::mail::Release;

/// A move of a customer, before it has become a decision.
pub(super) struct Move {
    pub(super) to: Stage,
    pub(super) rule: String,
    pub(super) origin: Origin,
}

/// Who moves a customer.
pub(super) enum Origin {
    /// A rule, on this evidence; and whose fault it is, where it is anybody's.
    Rule(Evidence, Option<Blame>),
    /// A person.
    Person(Command),
}

impl Move {
    /// What a rule of the policy wants for a customer at `from`.
    pub(super) fn by_rule(step: Step, from: Stage) -> Self {
        let blame = (step.to > from).then_some(Blame::Customer);
        Self { to: step.to, rule: step.rule, origin: Origin::Rule(step.evidence, blame) }
    }

    /// Whether it leaves a customer at `stage` there, and says something else of it: why it is there stays as it was.
    fn leaves_at(&self, stage: Stage) -> bool {
        let Origin::Person(command) = &self.origin else { return false };
        match command.order {
            Order::Hold | Order::Exempt { .. } | Order::SetPhase { .. } | Order::Note => true,
            Order::Undo { .. } => self.to == stage,
            Order::Release | Order::SetStage { .. } => false,
        }
    }

    fn is_release(&self) -> bool {
        matches!(&self.origin, Origin::Person(command) if matches!(command.order, Order::Release | Order::Undo { .. }))
    }

    fn is_by_rule(&self) -> bool {
        matches!(&self.origin, Origin::Rule(..))
    }
}

impl Fold {
    /// Moves the customer and says so.
    pub(super) fn carry_out(
        &mut self,
        customer: &mut Customer,
        subject: Subject<'_>,
        step: Move,
        said: &mut Vec<Said>,
    ) {
        let now = self.partition.now.or(customer.since).unwrap_or_default();
        if step.leaves_at(customer.stage) {
            said.push(Said::Decision(self.decision(customer, subject, now, step)));
        } else {
            if step.is_release() || step.to < customer.stage {
                customer.release = Some(Release::new(&customer.mail, now, subject.offset));
                customer.excused.clear();
                customer.latest_bad.clear();
            }
            if step.is_by_rule() && step.to > customer.stage {
                self.charge(customer, step.to, now);
            }
            let decision = self.decision(customer, subject, now, step);
            customer.reasons = if decision.to == Stage::Healthy { Vec::new() } else { vec![reason(&decision)] };
            self.partition.moved(Some(customer.stage), decision.to);
            customer.arrives(decision.to, now);
            said.push(Said::Decision(decision));
        }
        said.push(Said::Standing(customer.standing(subject.id, &self.policy, now)));
    }

    /// What a move up costs a customer beside the move: an offence, and a pilot's step.
    fn charge(&self, customer: &mut Customer, to: Stage, now: Timestamp) {
        // Once it has come down, be it by a stage, what takes it up is new.
        let has_come_down = || customer.release.as_ref().map(Release::at) > customer.offences.last().copied();
        if to >= Stage::Throttled && (customer.stage < Stage::Throttled || has_come_down()) {
            customer.offends(now);
        }
        customer.pilot = PilotStep { step: customer.pilot.step.saturating_sub(1), since: now };
    }

    /// Says what a rule in shadow would do.
    pub(super) fn say_shadow(&self, customer: &mut Customer, subject: Subject<'_>, step: Step, said: &mut Vec<Said>) {
        if customer.shadowed.contains(&step.rule) {
            return;
        }
        customer.shadowed.push(step.rule.clone());
        let now = self.partition.now.unwrap_or_default();
        let step = Move::by_rule(step, customer.stage);
        let decision = Decision { mode: Mode::Shadow, ..self.decision(customer, subject, now, step) };
        said.push(Said::Decision(decision));
    }

    fn decision(
        &self,
        customer: &Customer,
        Subject { id, offset }: Subject<'_>,
        at: Timestamp,
        step: Move,
    ) -> Decision {
        let position = Position { partition: self.id, offset };
        let (evidence, blame, reason, by) = match step.origin {
            Origin::Rule(evidence, blame) => (Some(evidence), blame, None, None),
            Origin::Person(command) => (None, None, Some(command.reason), Some(command.by)),
        };
        Decision {
            id: self.decision_id(id, &step.rule, position),
            customer: id.clone(),
            at,
            from: customer.stage,
            to: step.to,
            mode: self.policy.mode(),
            rule: step.rule,
            blame,
            evidence,
            reason,
            by,
            policy: self.policy.digest().to_owned(),
            offset: position,
        }
    }

    /// A name out of everything that makes this decision itself and no other: a record moves a customer at most once.
    fn decision_id(&self, id: &CustomerId, rule: &str, position: Position) -> DecisionId {
        let text =
            format!("{}\0{rule}\0{}\0{}\0{}", id.as_str(), self.policy.digest(), position.partition, position.offset);
        DecisionId::from_bits(xxh3_128(text.as_bytes()))
    }
}

fn reason(decision: &Decision) -> Reason {
    let text = match (&decision.evidence, &decision.by, &decision.reason) {
        (Some(evidence), _, _) => evidence.to_string(),
        (None, Some(by), Some(reason)) => format!("{by}: {reason}"),
        (None, _, _) => String::new(),
    };
    Reason { decision: decision.id.clone(), rule: decision.rule.clone(), text }
}
