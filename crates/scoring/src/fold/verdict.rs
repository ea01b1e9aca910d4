//! A customer is looked at, and perhaps moved.

use model::{Command, CustomerId, Decision, DecisionId, Evidence, Offset, Order, Position, Reason, Stage, Timestamp};
use policy::{Case, Keep, Moment, Signal, Verdict};
use xxhash_rust::xxh3::xxh3_128;

use super::{Fold, Said};
use crate::customer::Snapshot;
use crate::mail::{Mail, Release, sum_since};
use crate::{Customer, Store};

/// Who is looked at, and the record that asks for it.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) id: &'a CustomerId,
    pub(super) offset: Offset,
}

/// A move of a customer, before it has become a decision.
pub(super) struct Move {
    pub(super) to: Stage,
    pub(super) rule: String,
    pub(super) origin: Origin,
}

/// Who moves a customer.
pub(super) enum Origin {
    /// A rule, on this evidence.
    Rule(Evidence),
    /// A person.
    Person(Command),
}

impl Fold {
    /// Asks the policy about a customer and carries its verdict out.
    pub(super) fn look<S: Store>(
        &mut self,
        store: &mut S,
        subject: Subject<'_>,
        moment: Moment,
        said: &mut Vec<Said>,
    ) -> Result<(), S::Error> {
        let customer = store.customer(subject.id)?;
        if customer.held {
            return Ok(());
        }
        let Some(now) = self.partition.now else { return Ok(()) };
        match self.judge(customer, now, moment) {
            Verdict::Stay { .. } if matches!(moment, Moment::Event(_)) => return Ok(()),
            Verdict::Stay { calm } => {
                customer.calm_since = if calm { customer.calm_since.or(Some(now)) } else { None };
                customer.suspect = false;
                customer.snapshot = None;
            }
            Verdict::Wait => {
                customer.suspect = true;
                if moment == Moment::Tick {
                    customer.calm_since = None;
                    self.keep_snapshot(customer, now);
                }
            }
            Verdict::Move { to, rule, evidence } => {
                let step = Move { to, rule, origin: Origin::Rule(evidence) };
                self.carry_out(customer, subject, step, said);
            }
        }
        let wanted = customer.needs_attention();
        store.attend(subject.id, wanted);
        Ok(())
    }

    fn judge(&self, customer: &Customer, now: Timestamp, moment: Moment) -> Verdict {
        let sum = |mail: &Mail, window, keep: &Keep<'_>| sum_since(mail, customer.release.as_ref(), now, window, keep);
        let mail = |window, keep: &Keep<'_>| sum(&customer.mail, window, keep);
        let caught_up = |snapshot: &&Snapshot| self.partition.fleet.as_of.is_some_and(|as_of| as_of >= snapshot.at);
        let snapshot = customer.snapshot.as_deref().filter(caught_up);
        let then = snapshot.map(|snapshot| |window, keep: &Keep<'_>| sum(&snapshot.mail, window, keep));
        self.policy.judge(&Case {
            moment,
            now,
            stage: customer.stage,
            since: customer.since.unwrap_or(now),
            calm_since: customer.calm_since,
            mail: &mail,
            settled: then.as_ref().map(|then| then as &policy::Mail<'_>),
            fleet: &self.partition.fleet,
            events: &|signal: Signal| customer.latest_bad.of(signal).to_vec(),
        })
    }

    /// Keeps the customer's mail of this tick, to be held against the fleet's of the same tick; one that still waits for
    /// its answer stays.
    fn keep_snapshot(&self, customer: &mut Customer, now: Timestamp) {
        let pending = |snapshot: &Snapshot| self.partition.fleet.as_of.is_none_or(|as_of| as_of < snapshot.at);
        if !customer.snapshot.as_deref().is_some_and(pending) {
            customer.snapshot = Some(Box::new(Snapshot { at: now, mail: customer.mail.clone() }));
        }
    }

    /// Moves the customer and says so.
    pub(super) fn carry_out(
        &mut self,
        customer: &mut Customer,
        subject: Subject<'_>,
        step: Move,
        said: &mut Vec<Said>,
    ) {
        let now = self.partition.now.or(customer.since).unwrap_or_default();
        let released = matches!(&step.origin, Origin::Person(command) if command.order == Order::Release);
        if released || step.to < customer.stage {
            customer.release = Some(Release::new(&customer.mail, now));
        }
        let decision = self.decision(customer, subject, now, step);
        customer.reasons = if decision.to == Stage::Healthy { Vec::new() } else { vec![reason(&decision)] };
        if customer.is_new() {
            self.partition.moved(None, decision.to);
        } else {
            self.partition.moved(Some(customer.stage), decision.to);
        }
        customer.stage = decision.to;
        customer.since = Some(now);
        customer.calm_since = None;
        customer.suspect = false;
        customer.snapshot = None;
        said.push(Said::Decision(decision));
        said.push(Said::Standing(customer.standing(subject.id, &self.policy)));
    }

    fn decision(
        &self,
        customer: &Customer,
        Subject { id, offset }: Subject<'_>,
        at: Timestamp,
        step: Move,
    ) -> Decision {
        let position = Position { partition: self.id, offset };
        let (evidence, reason, by) = match step.origin {
            Origin::Rule(evidence) => (Some(evidence), None, None),
            Origin::Person(command) => (None, Some(command.reason), Some(command.by)),
        };
        Decision {
            id: self.decision_id(id, &step.rule, position),
            customer: id.clone(),
            at,
            from: customer.stage,
            to: step.to,
            mode: self.policy.mode(),
            rule: step.rule,
            blame: None,
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
