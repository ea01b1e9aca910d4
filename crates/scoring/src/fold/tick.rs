//! Time passes.

use model::{
    Blame, Bucket, Cause, Contributor, CustomerId, Evidence, Grain, Millis, Offset, Phase, PilotStep, Rate, Test, Tick,
    Timestamp, Window,
};
use policy::{Crossing, Fraction, Moment, Share, Signal, tail};

use super::step::{Move, Origin};
use super::{Effect, Fold, Said, Subject, customer_at};
use crate::Customer;
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
        let before = self.partition.now.unwrap_or(tick.at);
        let now = self.partition.clock.tick(self.partition.now, tick.at);
        self.partition.now = Some(now);
        self.suspicions = self.policy.suspicions(&tick.fleet);
        self.partition.fleet = tick.fleet;
        self.partition.forget(now);
        store.forget_before(Hour::of(self.partition.clock.horizon(now)))?;
        if !self.only_counts(offset) {
            self.look_after(store, (offset, before), said)?;
            self.keep_limits(store, offset, said)?;
        }
        let begun = Bucket::of(Grain::FiveMinutes, now);
        if self.partition.weighed_in != Some(begun) {
            self.partition.weighed_in = Some(begun);
            self.partition.contributors = self.contributors(store, offset, now)?;
        }
        said.push(Said::Share(self.partition.share(now, &self.policy.incident_grains())));
        Ok(Effect::Ticked)
    }

    /// Looks at those customers that need it when time passes.
    fn look_after<S: Store>(
        &mut self,
        store: &mut S,
        (offset, before): (Offset, Timestamp),
        said: &mut Vec<Said>,
    ) -> Result<(), S::Error> {
        let now = self.partition.now.unwrap_or_default();
        for id in store.attended() {
            let has_pin_ended = self.mind_pin(store, (&id, offset), now, said)?;
            let customer = customer_at(store, &id, offset)?;
            let has_arrived = customer.has_arrived(before, now);
            if has_pin_ended || has_arrived || customer.is_under_observation() {
                self.look(store, Subject { id: &id, offset }, Moment::Tick, said)?;
                self.advance_pilot(store, (&id, offset), now, said)?;
            } else {
                self.excuse(customer, now);
                let wanted = customer.needs_attention();
                store.attend(&id, wanted);
            }
        }
        Ok(())
    }

    /// A pilot customer that has shown a day of good mail may send more; after the last step it is a pilot no more.
    fn advance_pilot<S: Store>(
        &mut self,
        store: &mut S,
        (id, offset): (&CustomerId, Offset),
        now: Timestamp,
        said: &mut Vec<Said>,
    ) -> Result<(), S::Error> {
        let customer = store.customer(id)?;
        if customer.phase != Phase::Pilot || customer.held || now.since(customer.pilot.since) < PILOT_DAY {
            return Ok(());
        }
        let pilot = self.policy.pilot();
        let step = customer.pilot.step;
        let day = self.day_of_bounces(customer, now);
        if customer.stage > model::Stage::Healthy || !pilot.is_passed(step, day) {
            return Ok(());
        }
        let from = customer.place(&self.policy);
        customer.pilot = PilotStep { step: step.saturating_add(1), since: now };
        if pilot.is_last(step) {
            customer.phase = Phase::Active;
        }
        let reason = format!("a good day as a pilot: {} hard bounces of {} mails", day.hits, day.mails);
        let origin = Origin::Time(Cause::PilotPassed, reason);
        let step = Move { from, to: customer.stage, rule: "pilot:passed".to_owned(), origin };
        self.carry_out(customer, Subject { id, offset }, step, said);
        let wanted = customer.needs_attention();
        store.attend(id, wanted);
        Ok(())
    }

    /// The customer's hard bounces of the last day, of mail that is old enough to have shown them.
    fn day_of_bounces(&self, customer: &Customer, now: Timestamp) -> Fraction {
        let ripe = now - self.policy.maturity(Signal::HardBounce);
        let mut sum = Fraction::default();
        customer.visit_charged(Window::Day, now, &mut |cell, counts| {
            if cell.bucket.next().start(cell.grain) <= ripe {
                sum = sum.plus(Signal::HardBounce.fraction(cell.provider, counts));
            }
        });
        sum
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
        let customer = customer_at(store, &share.customer, offset)?;
        let limit = crossing.limit;
        if customer.held || customer.is_exempt(now) || customer.stage >= limit.stage {
            return Ok(());
        }
        // The fleet's counts are a tick old, and the customer's mail may have left the day since.
        let own = customer.charged(Window::Day, now);
        let own = own.seen().map(|(provider, counts)| limit.signal.fraction(provider, counts));
        let own = own.fold(Fraction::default(), Fraction::plus);
        if limit.excess(own) <= 0.0 {
            return Ok(());
        }
        let told = budget_evidence(crossing, own, now);
        let evidence = Evidence {
            from: customer.release.as_ref().map_or(told.from, |release| told.from.max(release.at())),
            events: customer.latest_bad.of(limit.signal).to_vec(),
            counted_after: customer.release.as_ref().map(|release| release.offset),
            counted_to: offset,
            set_aside: customer.set_aside_since(Window::Day.first_bucket(now)),
            ..told
        };
        let rule = limit.name.clone();
        let from = customer.place(&self.policy);
        let step = Move { from, to: limit.stage, rule, origin: Origin::Rule(evidence, Some(Blame::Account)) };
        self.carry_out(customer, Subject { id: &share.customer, offset }, step, said);
        store.attend(&share.customer, true);
        Ok(())
    }

    /// The customers of this partition with the most bad events of late. Once in five minutes is enough for what is held against
    /// a day, and each tick would be dear.
    fn contributors<S: Store>(
        &self,
        store: &mut S,
        offset: Offset,
        now: Timestamp,
    ) -> Result<Vec<Contributor>, S::Error> {
        let mut contributors = Vec::new();
        for id in self.partition.worst.names() {
            let customer = customer_at(store, &id, offset)?;
            let sent = |window| {
                let counts = customer.charged(window, now);
                counts.seen().map(|(provider, counts)| (provider, *counts)).collect()
            };
            let (hour, day) = (sent(Window::Hour), sent(Window::Day));
            let pool = customer.pool.clone().or_else(|| self.policy.pool(customer.stage));
            contributors.push(Contributor { customer: id, pool, stage: customer.stage, hour, day });
        }
        Contributor::keep_worst(&mut contributors);
        Ok(contributors)
    }
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
        until: Bucket::of(grain, now).next().start(grain),
        counted_after: None,
        counted_to: Offset::default(),
        numerator: own.hits,
        denominator: own.mails,
        rate: Rate::of(own.hits, own.mails),
        bound: Rate::new(tail::lower_bound(own.hits, own.mails, limit.alpha)).unwrap_or_default(),
        threshold: Rate::new(limit.enter).unwrap_or_default(),
        weight: limit.excess(own),
        needed: limit.excess(crossing.whole),
        fleet_rate: Rate::of(crossing.whole.hits, crossing.whole.mails),
        set_aside: Vec::new(),
        events: Vec::new(),
    }
}
