//! Time passes.

use model::{
    Blame, Cell, Contributor, Counts, CustomerId, Evidence, Millis, Offset, Phase, Rate, Test, Tick, Timestamp, Window,
};
use policy::{Crossing, Fraction, Moment, Share, Signal};

use super::step::{Move, Origin};
use super::verdict::Subject;
use super::{Effect, Fold, HORIZON, Said};
use crate::customer::{Customer, PilotStep};
use crate::mail::visit_since;
use crate::{Hour, Store};

/// How long a pilot customer's step lasts before it is judged.
const PILOT_DAY: Millis = Millis::days(1);

impl Fold {
    pub(super) fn tick<S: Store>(
        &mut self,
        store: &mut S,
        offset: Offset,
        tick: Tick,
        said: &mut Vec<Said>,
    ) -> Result<Effect, S::Error> {
        // A ticker whose clock was set back, or a second one during a change of hands, does not turn time back.
        let now = self.partition.now.map_or(tick.at, |now| now.max(tick.at));
        self.partition.now = Some(now);
        self.suspicions = self.policy.suspicions(&tick.fleet);
        self.partition.fleet = tick.fleet;
        self.partition.forget(now);
        store.forget_before(Hour::of(now - HORIZON))?;
        for id in store.attended() {
            self.look(store, Subject { id: &id, offset }, Moment::Tick, said)?;
            self.advance_pilot(store, &id, now, said)?;
        }
        self.keep_limits(store, offset, said)?;
        let contributors = self.contributors(store, now)?;
        said.push(Said::Share(self.partition.share(now, &self.policy.incident_grains(), contributors)));
        Ok(Effect::Ticked)
    }

    /// A pilot customer that has shown a day of good mail may send more; after the last step it is a pilot no more.
    fn advance_pilot<S: Store>(
        &self,
        store: &mut S,
        id: &CustomerId,
        now: Timestamp,
        said: &mut Vec<Said>,
    ) -> Result<(), S::Error> {
        let customer = store.customer(id)?;
        if customer.phase != Phase::Pilot || now.since(customer.pilot.since) < PILOT_DAY {
            return Ok(());
        }
        let day = of_day(customer, Signal::HardBounce, now);
        if customer.stage > model::Stage::Healthy || !self.policy.pilot().is_passed(customer.pilot.step, day) {
            return Ok(());
        }
        customer.pilot = PilotStep { step: customer.pilot.step + 1, since: now };
        if self.policy.pilot().daily_cap(customer.pilot.step).is_none() {
            customer.phase = Phase::Active;
        }
        said.push(Said::Standing(customer.standing(id, &self.policy)));
        let wanted = customer.needs_attention();
        store.attend(id, wanted);
        Ok(())
    }

    /// Moves those of this partition's customers without whom the account keeps its limits.
    fn keep_limits<S: Store>(&mut self, store: &mut S, offset: Offset, said: &mut Vec<Said>) -> Result<(), S::Error> {
        let policy = std::sync::Arc::clone(&self.policy);
        let fleet = std::mem::take(&mut self.partition.fleet);
        for crossing in policy.limits().iter().flat_map(|limit| limit.crossings(&fleet)) {
            for share in crossing.heaviest.iter().flatten() {
                if self.partition.worst.holds(&share.customer) {
                    self.hold_back(store, offset, (&crossing, share), said)?;
                }
            }
        }
        self.partition.fleet = fleet;
        Ok(())
    }

    fn hold_back<S: Store>(
        &mut self,
        store: &mut S,
        offset: Offset,
        (crossing, share): (&Crossing<'_>, &Share),
        said: &mut Vec<Said>,
    ) -> Result<(), S::Error> {
        let now = self.partition.now.unwrap_or_default();
        let customer = store.customer(&share.customer)?;
        let limit = crossing.limit;
        if customer.held || customer.is_exempt(now) || customer.stage >= limit.stage {
            return Ok(());
        }
        // The fleet's counts are a tick old, and the customer's mail may have left the day since.
        let own = of_day(customer, limit.signal, now);
        if limit.excess(own) <= 0.0 {
            return Ok(());
        }
        let evidence = Evidence {
            events: customer.latest_bad.of(limit.signal).to_vec(),
            counted_after: customer.release.as_ref().map(|release| release.offset),
            counted_to: offset,
            ..budget_evidence(crossing, own, now)
        };
        let rule = limit.name.clone();
        let step = Move { to: limit.stage, rule, origin: Origin::Rule(evidence, Some(Blame::Account)) };
        self.carry_out(customer, Subject { id: &share.customer, offset }, step, said);
        store.attend(&share.customer, true);
        Ok(())
    }

    /// The customers of this partition with the most bad events of late.
    fn contributors<S: Store>(&self, store: &mut S, now: Timestamp) -> Result<Vec<Contributor>, S::Error> {
        let mut contributors = Vec::new();
        for id in self.partition.worst.names() {
            let customer = store.customer(&id)?;
            let day = customer.day_since_release(now);
            let day = day.seen().map(|(provider, counts)| (provider, *counts)).collect();
            let pool = self.policy.pool(customer.stage).or_else(|| customer.pool.clone());
            contributors.push(Contributor { customer: id, pool, stage: customer.stage, day });
        }
        Contributor::keep_worst(&mut contributors);
        Ok(contributors)
    }
}

/// A customer's signal over the last day, never from before its last release.
fn of_day(customer: &Customer, signal: Signal, now: Timestamp) -> Fraction {
    let mut sum = Fraction::default();
    let mut add = |cell: Cell, counts: &Counts| sum = sum.plus(signal.fraction(cell.provider, counts));
    visit_since(&customer.mail, customer.release.as_ref(), now, Window::Day, &mut add);
    sum
}

/// The figures of a customer's part in a crossing: its own rate, the whole's, and how many bad events too many.
fn budget_evidence(crossing: &Crossing<'_>, own: Fraction, now: Timestamp) -> Evidence {
    let limit = crossing.limit;
    let grain = Window::Day.grain();
    Evidence {
        signal: limit.signal.name().to_owned(),
        window: Window::Day,
        test: Test::Budget,
        from: Window::Day.first_bucket(now).start(grain),
        until: model::Bucket::of(grain, now).next().start(grain),
        counted_after: None,
        counted_to: Offset::default(),
        numerator: own.hits,
        denominator: own.mails,
        rate: Rate::of(own.hits, own.mails),
        bound: Rate::of(own.hits, own.mails),
        threshold: Rate::new(limit.enter).unwrap_or_default(),
        weight: limit.excess(own),
        needed: limit.excess(crossing.whole),
        fleet_rate: Rate::of(crossing.whole.hits, crossing.whole.mails),
        set_aside: Vec::new(),
        events: Vec::new(),
    }
}
