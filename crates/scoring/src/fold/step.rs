//! A customer is moved, and it is said.

use model::{
    Blame, Cause, Change, Command, CustomerId, Decision, DecisionId, Evidence, Mode, Order, PilotStep, Position,
    Reason, Stage, Timestamp,
};
use policy::Step;
use xxhash_rust::xxh3::xxh3_128;

use super::{Fold, Said, Subject};
use crate::Customer;
use crate::customer::Place;
use crate::mail::Release;

/// A move of a customer, before it has become a decision.
pub(super) struct Move {
    /// What it may change, as it was before.
    pub(super) from: Place,
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
    /// A person whose command is not followed, and why not.
    Refused(Command, String),
    /// Time, or good conduct; and why, in a sentence.
    Time(Cause, String),
}

impl Move {
    /// What a rule of the policy wants for a customer at `from`.
    pub(super) fn by_rule(step: Step, from: Place) -> Self {
        let blame = (step.to > from.stage).then_some(Blame::Customer);
        Self { from, to: step.to, rule: step.rule, origin: Origin::Rule(step.evidence, blame) }
    }

    /// Whether it leaves a customer at `stage` there, and says something else of it: why it is there stays as it was.
    fn leaves_at(&self, stage: Stage) -> bool {
        let command = match &self.origin {
            Origin::Person(command) => command,
            Origin::Time(..) | Origin::Refused(..) => return true,
            Origin::Rule(..) => return false,
        };
        match command.order {
            Order::Undo { .. } => self.to == stage,
            Order::Release { .. } | Order::SetStage { .. } => false,
            Order::Hold { .. }
            | Order::Exempt { .. }
            | Order::SetPhase { .. }
            | Order::Register { .. }
            | Order::Note => true,
        }
    }

    fn is_release(&self) -> bool {
        matches!(&self.origin, Origin::Person(command) if matches!(command.order, Order::Release { .. } | Order::Undo { .. }))
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
            let after = customer.place(&self.policy);
            said.push(Said::Decision(self.decision(subject, now, step, after)));
        } else {
            if step.is_release() || step.to < customer.stage {
                customer.is_released(now, subject.offset);
            }
            if step.is_by_rule() && step.to > customer.stage {
                self.charge(customer, step.to, now);
            }
            self.partition.moved(Some(customer.stage), step.to);
            customer.arrives(step.to, now);
            let after = customer.place(&self.policy);
            let decision = self.decision(subject, now, step, after);
            customer.reasons = if decision.to == Stage::Healthy { Vec::new() } else { vec![reason(&decision)] };
            said.push(Said::Decision(decision));
        }
        self.tell(customer, subject.id, now, said);
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
        let place = customer.place(&self.policy);
        let step = Move::by_rule(step, place);
        let decision = Decision { mode: Mode::Shadow, ..self.decision(subject, now, step, place) };
        said.push(Said::Decision(decision));
    }

    /// The decision that a move is, which leaves the customer at `after`.
    pub(super) fn decision(
        &self,
        Subject { id, offset }: Subject<'_>,
        at: Timestamp,
        Move { from, to, rule, origin }: Move,
        after: Place,
    ) -> Decision {
        let position = Position { partition: self.id, offset };
        let decision = Decision {
            id: self.decision_id(id, &rule, position),
            customer: id.clone(),
            at,
            from: from.stage,
            to,
            cause: None,
            phase: Change::between(from.phase, after.phase),
            pilot_step: Change::between(from.pilot_step, after.pilot_step),
            sending: Change::between(from.sending, after.sending),
            mode: self.policy.mode(),
            rule,
            blame: None,
            evidence: None,
            reason: None,
            by: None,
            policy: self.policy.digest().to_owned(),
            offset: position,
        };
        match origin {
            Origin::Rule(evidence, blame) => {
                Decision { cause: Some(Cause::Rule), evidence: Some(evidence), blame, ..decision }
            }
            Origin::Person(Command { reason, by, .. }) => {
                Decision { cause: Some(Cause::Order), reason: Some(reason), by: Some(by), ..decision }
            }
            Origin::Refused(Command { reason, by, .. }, why) => {
                let reason = format!("not followed: {why}. Asked for because: {reason}");
                Decision { cause: Some(Cause::Refused), reason: Some(reason), by: Some(by), ..decision }
            }
            Origin::Time(cause, reason) => Decision { cause: Some(cause), reason: Some(reason), ..decision },
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
