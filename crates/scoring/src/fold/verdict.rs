//! A customer is looked at, and perhaps moved.

use model::{Offset, Timestamp, Window};
use policy::{Case, Judgement, Moment, Signal, Verdict, Visit};

use super::step::Move;
use super::{Fold, Said, Subject, customer_at};
use crate::customer::Snapshot;
use crate::mail::visit_since;
use crate::{Customer, Store};

impl Fold {
    /// Asks the policy about a customer and carries its verdict out.
    pub(super) fn look<S: Store>(
        &mut self,
        store: &mut S,
        subject: Subject<'_>,
        moment: Moment,
        said: &mut Vec<Said>,
    ) -> Result<(), S::Error> {
        let customer = customer_at(store, subject.id, subject.offset)?;
        if customer.held || self.only_counts(subject.offset) {
            return Ok(());
        }
        let Some(now) = self.partition.now else { return Ok(()) };
        customer.is_of(now, subject.offset);
        self.count_due(customer, now);
        self.excuse(customer, now);
        let Judgement { verdict, waits, shadow } =
            self.with_case(customer, (subject, moment), now, |case| self.policy.judge(case));
        if moment == Moment::Tick {
            self.forget_calm_shadows(customer, subject, now);
        }
        for step in shadow {
            self.say_shadow(customer, subject, step, said);
        }
        match verdict {
            Verdict::Move(step) => {
                let step = Move::by_rule(*step, customer.place(&self.policy));
                self.carry_out(customer, subject, step, said);
            }
            Verdict::Stay { calm } if moment == Moment::Tick => {
                customer.calm_since = if calm { customer.calm_since.or(Some(now)) } else { None };
                customer.suspect = waits;
                self.keep_snapshot(customer, subject.offset, now);
            }
            Verdict::Stay { .. } => customer.suspect |= waits,
        }
        let wanted = customer.needs_attention();
        store.attend(subject.id, wanted);
        Ok(())
    }

    /// Shows the customer's case to `ask`.
    fn with_case<T>(
        &self,
        customer: &Customer,
        (subject, moment): (Subject<'_>, Moment),
        now: Timestamp,
        ask: impl FnOnce(&Case<'_>) -> T,
    ) -> T {
        let release = customer.release.as_ref();
        let mail = |window: Window, visit: &mut Visit<'_>| visit_since(&customer.mail, release, now, window, visit);
        let whole = |window: Window, visit: &mut Visit<'_>| visit_since(&customer.mail, None, now, window, visit);
        let caught_up = |snapshot: &&Snapshot| self.partition.fleet.as_of.is_some_and(|as_of| as_of >= snapshot.at);
        let snapshot = customer.snapshot.as_deref().filter(caught_up);
        let then = snapshot.map(|snapshot| {
            let visit =
                |window: Window, visit: &mut Visit<'_>| visit_since(&snapshot.mail, release, now, window, visit);
            (visit, snapshot.offset)
        });
        ask(&Case {
            moment,
            customer: subject.id,
            now,
            phase: customer.phase,
            stage: customer.stage,
            since: customer.since.unwrap_or(now),
            calm_since: customer.calm_since,
            offences: &customer.offences,
            exempt: customer.is_exempt(now),
            pool: customer.pool.as_ref(),
            shadowed: &customer.shadowed,
            mail: &mail,
            whole: &whole,
            released: release.map(|release| (release.at(), release.offset)),
            counted_to: subject.offset,
            settled: then.as_ref().map(|(then, offset)| (then as &policy::Mail<'_>, *offset)),
            excused: &customer.excused,
            fleet: &self.partition.fleet,
            suspicions: &self.suspicions,
            events: &|signal: Signal| customer.latest_bad.of(signal).to_vec(),
        })
    }

    /// Remembers the hours of the customer's mail that were caught in an incident, for the windows that reach further back
    /// than the fleet's cells. Asked after each trouble, and then until the fleet has told all of its hour.
    pub(super) fn excuse(&self, customer: &mut Customer, now: Timestamp) {
        let open = self.open_hour();
        let may_be_caught = customer.troubled_in.is_some() && self.suspicions.has_hours();
        if may_be_caught || customer.excused.iter().any(|excused| excused.hour >= open) {
            let (mail, release) = (&customer.mail, customer.release.as_ref());
            let since = |window: Window, visit: &mut Visit<'_>| visit_since(mail, release, now, window, visit);
            let whole = |window: Window, visit: &mut Visit<'_>| visit_since(mail, None, now, window, visit);
            let known = (&self.partition.fleet, &self.suspicions);
            let hours = self.policy.excused_hours((&since, &whole), customer.pool.as_ref(), known);
            customer.excuse(hours, open, self.partition.clock.surely(now));
        }
        customer.troubled_in = customer.troubled_in.filter(|hour| *hour >= open);
    }

    /// A rule in shadow that has become calm is said again when it next would act.
    fn forget_calm_shadows(&self, customer: &mut Customer, subject: Subject<'_>, now: Timestamp) {
        if customer.shadowed.is_empty() {
            return;
        }
        let mut shadowed = std::mem::take(&mut customer.shadowed);
        self.with_case(customer, (subject, Moment::Tick), now, |case| {
            shadowed.retain(|rule| !self.policy.is_calm(case, rule));
        });
        customer.shadowed = shadowed;
    }

    /// Keeps a suspect's mail of this tick, to be held against the fleet's of the same tick; one that still waits for its
    /// answer stays.
    fn keep_snapshot(&self, customer: &mut Customer, offset: Offset, now: Timestamp) {
        let pending = |snapshot: &Snapshot| self.partition.fleet.as_of.is_none_or(|as_of| as_of < snapshot.at);
        if !customer.suspect {
            customer.snapshot = None;
        } else if !customer.snapshot.as_deref().is_some_and(pending) {
            customer.snapshot = Some(Box::new(Snapshot { at: now, offset, mail: customer.mail.clone() }));
        }
    }
}
