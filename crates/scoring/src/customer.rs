//! What the fold remembers of a customer.

mod latest_bad;
mod profile;

use model::{
    Bucket, Cell, Counter, CustomerId, CustomerNote, Grain, Millis, Offset, Phase, PilotStep, Pin, PoolName, Provider,
    ProviderCounts, Reason, Released, Sending, SetAside, Stage, Standing, Timestamp, Window,
};
use policy::{Excused, OFFENCES_KEPT, Policy, Signal, Visit};
use serde::{Deserialize, Serialize};

use self::latest_bad::LatestBad;
use crate::mail::{Mail, Release, visit_since};
use crate::scheduled::Scheduled;
use crate::{AHEAD, stored};

/// A customer's state: its place on the ladder and its counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    pub(crate) phase: Phase,
    pub(crate) stage: Stage,
    /// Since when it is at that stage; `None` before its first event.
    pub(crate) since: Option<Timestamp>,
    /// Whether a person holds it there.
    pub(crate) held: bool,
    /// Until when a person has exempted it from going up.
    pub(crate) exempt_until: Option<Timestamp>,
    /// Since when every rate has been below its exit.
    pub(crate) calm_since: Option<Timestamp>,
    /// When rules moved it to throttled or worse, oldest first.
    pub(crate) offences: Vec<Timestamp>,
    /// The rules whose decisions in shadow have been said, and that are not calm since.
    pub(crate) shadowed: Vec<String>,
    /// How far it has come as a pilot.
    pub(crate) pilot: PilotStep,
    /// Hours of its mail that were caught in an incident.
    pub(crate) excused: Vec<Excused>,
    /// The latest hour whose mail had trouble that may be an incident's, until the fleet has told all of that hour.
    pub(crate) troubled_in: Option<Bucket>,
    /// Where its windows begin anew.
    pub(crate) release: Option<Release>,
    /// The pool that its latest `processed` event named.
    pub(crate) pool: Option<PoolName>,
    /// Why it is where it is.
    pub(crate) reasons: Vec<Reason>,
    pub(crate) mail: Mail,
    pub(crate) latest_bad: LatestBad,
    /// Whether a rule is over its limit but waits for the fleet's counts.
    pub(crate) suspect: bool,
    /// Its mail at a tick, kept while a rule waits for the fleet's counts of that tick.
    pub(crate) snapshot: Option<Box<Snapshot>>,
    /// When it was first heard of. This field and those behind it are missing where an earlier version wrote the customer.
    pub(crate) known_since: Timestamp,
    /// When a person last ordered its stage or its phase.
    pub(crate) ordered: Option<Timestamp>,
    /// Since when and until when a person holds it, where one does.
    pub(crate) pin: Pin,
    /// What persons wrote about it, oldest first.
    pub(crate) notes: Vec<CustomerNote>,
    /// A release that its profile tells of, while events from before it are counted again.
    pub(crate) release_ahead: Option<Released>,
    /// Whether it may have bad events whose mails nothing else has told of yet.
    pub(crate) unmatched: bool,
    /// That mail was told of while it had such bad events: once all of it has been told, the rules are asked.
    pub(crate) arriving: Option<Arriving>,
    /// What it has scheduled.
    pub(crate) scheduled: Scheduled,
}

/// Mail that is being told of after its bad events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Arriving {
    /// The tick before the first of it.
    since: Timestamp,
    /// The tick before the latest of it.
    latest: Timestamp,
}

impl Arriving {
    /// Nobody waits longer than this for a customer's mail to pause.
    const AT_MOST: Millis = Millis::minutes(15);

    /// Whether none of it was told between the tick `before` and the one of `now`.
    fn is_over(self, before: Timestamp, now: Timestamp) -> bool {
        self.latest != before || now.since(self.since) >= Self::AT_MOST
    }
}

/// What a decision may change of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) stage: Stage,
    pub(crate) phase: Phase,
    pub(crate) pilot_step: usize,
    pub(crate) sending: Sending,
}

/// Bytes of the stored form of the fields from [`Customer::known_since`] on, where each has its default.
const FIELDS_ADDED: usize = 10;

/// How many of a customer's notes are kept.
const NOTES_KEPT: usize = 20;

/// A customer's mail as it was at a tick.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    pub(crate) at: Timestamp,
    /// The last record that is counted in it.
    pub(crate) offset: Offset,
    pub(crate) mail: Mail,
}

impl Customer {
    /// Whether no event of it was ever counted.
    pub const fn is_new(&self) -> bool {
        self.since.is_none()
    }

    /// Whether it must be looked at when time passes.
    pub(crate) fn needs_attention(&self) -> bool {
        self.is_under_observation()
            || self.troubled_in.is_some()
            || self.pinned_until().is_some()
            || self.arriving.is_some()
    }

    /// Whether the rules are to be asked about it when time passes.
    pub(crate) fn is_under_observation(&self) -> bool {
        self.stage != Stage::Healthy || self.suspect || self.phase == Phase::Pilot || !self.shadowed.is_empty()
    }

    /// When its pin ends, where one does.
    pub(crate) fn pinned_until(&self) -> Option<Timestamp> {
        self.pin.until.filter(|_| self.held)
    }

    /// Lets no rule move it from now on.
    pub(crate) fn is_pinned(&mut self, since: Timestamp, until: Option<Timestamp>) {
        self.held = true;
        self.pin = Pin { since, until, is_announced: false };
    }

    /// Keeps a person's words.
    pub(crate) fn is_noted(&mut self, note: CustomerNote) {
        if self.notes.len() == NOTES_KEPT {
            self.notes.remove(0);
        }
        self.notes.push(note);
    }

    /// Whether a person has exempted it from going up at `now`.
    pub(crate) fn is_exempt(&self, now: Timestamp) -> bool {
        self.exempt_until.is_some_and(|until| now < until)
    }

    /// Remembers that a rule has moved it to throttled or worse.
    pub(crate) fn offends(&mut self, at: Timestamp) {
        if self.offences.len() == OFFENCES_KEPT {
            self.offences.remove(0);
        }
        self.offences.push(at);
    }

    /// Counts an event of a mail of the moment `sent`, also in the hour that was excused if it is of one.
    pub(crate) fn count(&mut self, provider: Provider, sent: Timestamp, counter: Counter) {
        self.mail.count(provider, sent, counter);
        if let Some(release) = self.release.as_mut().filter(|release| sent < release.at()) {
            release.count_late(provider, sent, counter);
            return;
        }
        let hour = Bucket::of(Grain::Hour, sent);
        for excused in self.excused.iter_mut().filter(|excused| excused.hour == hour && excused.provider == provider) {
            excused.counts.count(counter);
        }
    }

    /// Notes that an event of this kind has been counted since the tick of `now`; whether it is to be looked at for that.
    pub(crate) fn is_told(&mut self, provider: Provider, sent: Timestamp, counter: Counter, now: Timestamp) -> bool {
        if matches!(counter, Counter::Processed | Counter::Delivered) {
            if self.unmatched {
                let since = self.arriving.map_or(now, |arriving| arriving.since);
                self.arriving = Some(Arriving { since, latest: now });
            }
            return self.unmatched;
        }
        let fed = || Signal::ALL.into_iter().filter(|signal| signal.is_fed_by(counter));
        let is_unmatched = |grain: Grain| {
            let counts = self.mail.at(Cell { grain, bucket: Bucket::of(grain, sent), provider });
            fed().any(|signal| signal.is_unmatched(&counts))
        };
        self.unmatched = self.unmatched || (fed().next().is_some() && Grain::ALL.into_iter().any(is_unmatched));
        false
    }

    /// Whether the mail that came after its bad events has all been told, by the tick of `now` that follows that of `before`;
    /// then it is waited for no more.
    pub(crate) fn has_arrived(&mut self, before: Timestamp, now: Timestamp) -> bool {
        let is_over = self.arriving.is_some_and(|arriving| arriving.is_over(before, now));
        if is_over {
            self.arriving = None;
            self.unmatched = self.mail.is_unmatched(now);
        }
        is_over
    }

    /// Remembers the hours that were caught in an incident by what is known now, and forgets those that no window reaches.
    /// Hours from `open` on, of which the fleet has not told everything yet, are only caught for as long as they are found.
    pub(crate) fn excuse(&mut self, hours: Vec<Excused>, open: Bucket, now: Timestamp) {
        let key = |hour: &Excused| (hour.hour, hour.provider, hour.trouble);
        let oldest = Bucket::of(Grain::Hour, now).back(Grain::Day.reach() * 24);
        self.excused.retain(|known| {
            known.hour >= oldest && (known.hour < open || hours.iter().any(|hour| key(hour) == key(known)))
        });
        for hour in hours {
            if !self.excused.iter().any(|known| key(known) == key(&hour)) {
                self.excused.push(hour);
            }
        }
    }

    /// Takes back what is remembered of a future that was none: the clock was ahead, and was put right before the record at
    /// `offset`.
    pub(crate) fn is_of(&mut self, now: Timestamp, offset: Offset) {
        self.calm_since = self.calm_since.min(Some(now)).filter(|_| self.calm_since.is_some());
        self.since = self.since.map(|since| since.min(now));
        self.pilot.since = self.pilot.since.min(now);
        self.offences.iter_mut().for_each(|offence| *offence = now.min(*offence));
        self.snapshot.take_if(|snapshot| snapshot.at > now);
        if self.release.as_ref().is_some_and(|release| release.at() > now + AHEAD) {
            self.release = Some(Release::new(&self.mail, now, offset));
        }
    }

    /// Goes to `stage`, where everything begins anew.
    pub(crate) fn arrives(&mut self, stage: Stage, now: Timestamp) {
        self.stage = stage;
        self.since = Some(now);
        self.calm_since = None;
        self.suspect = false;
        self.snapshot = None;
    }

    /// Forgets what was counted as an offence since `since`.
    pub(crate) fn is_forgiven(&mut self, since: Timestamp) {
        self.offences.retain(|offence| *offence < since);
    }

    /// Its daily cap: the stricter one of its stage's and, for a pilot, of its step's.
    fn daily_cap(&self, policy: &Policy) -> Option<u32> {
        let pilot = (self.phase == Phase::Pilot).then(|| policy.pilot().daily_cap(self.pilot.step)).flatten();
        pilot.into_iter().chain(policy.daily_cap(self.stage)).min()
    }

    /// What a decision may change of it, under `policy`.
    pub(crate) fn place(&self, policy: &Policy) -> Place {
        let Self { stage, phase, pilot, .. } = *self;
        Place { stage, phase, pilot_step: pilot.step, sending: Sending::of(phase, stage, self.daily_cap(policy)) }
    }

    /// Its windows begin anew with the record at `offset`.
    pub(crate) fn is_released(&mut self, at: Timestamp, offset: Offset) {
        self.release = Some(Release::new(&self.mail, at, offset));
        self.release_ahead = None;
        self.excused.clear();
        self.latest_bad.clear();
    }

    /// Where it stands under `policy` at `now`.
    pub fn standing(&self, id: &CustomerId, policy: &Policy, now: Timestamp) -> Standing {
        let own = (self.stage < Stage::Quarantined).then(|| self.pool.clone()).flatten();
        Standing {
            customer: id.clone(),
            phase: self.phase,
            stage: self.stage,
            sending: self.place(policy).sending,
            since: self.since.unwrap_or_default(),
            pool: policy.pool(self.stage).or(own),
            daily_cap: self.daily_cap(policy),
            sent_24h: self.mail.sum(Window::Day, now).total()[Counter::Processed],
            held: self.held,
            held_until: self.pinned_until(),
            exempt_until: self.exempt_until,
            awaits_person: self.awaits_person(policy),
            known_since: self.known_since,
            ordered: self.ordered,
            reasons: self.reasons.clone(),
        }
    }

    /// Its mail of the window that ends at `now`, provider by provider, never from before its last release, and without the
    /// hours that were caught in an incident.
    pub(crate) fn charged(&self, window: Window, now: Timestamp) -> ProviderCounts {
        if self.release.is_none() && self.excused.is_empty() {
            return self.mail.sum(window, now);
        }
        let mut sum = ProviderCounts::default();
        self.visit_charged(window, now, &mut |cell, counts| sum.add(cell.provider, counts));
        sum
    }

    /// The same, bucket by bucket; for windows of a day at most, since hours are what was caught.
    pub(crate) fn visit_charged(&self, window: Window, now: Timestamp, visit: &mut Visit<'_>) {
        let is_excused = |cell: Cell| {
            let hour = Bucket::of(Grain::Hour, cell.bucket.start(cell.grain));
            self.excused.iter().any(|excused| (excused.hour, excused.provider) == (hour, cell.provider))
        };
        visit_since(&self.mail, self.release.as_ref(), now, window, &mut |cell, counts| {
            if !is_excused(cell) {
                visit(cell, counts);
            }
        });
    }

    /// What of its mail since the bucket `first` was set aside because of an incident.
    pub(crate) fn set_aside_since(&self, first: Bucket) -> Vec<SetAside> {
        let hours = self.excused.iter().filter(|excused| excused.hour >= first);
        let aside = hours.map(|excused| SetAside {
            provider: excused.provider,
            from: excused.hour.start(Grain::Hour),
            until: excused.hour.next().start(Grain::Hour),
            mails: excused.counts.attempted(),
            blame: excused.blame,
        });
        aside.collect()
    }

    /// Whether its offences are so many that only a person brings it down.
    fn awaits_person(&self, policy: &Policy) -> bool {
        let remembered = policy.offences_remembered(&self.offences, self.since.unwrap_or_default());
        self.stage >= Stage::Throttled && remembered >= policy.offences_for_a_person()
    }

    /// Appends its stored form to `buffer`.
    ///
    /// # Errors
    ///
    /// Where it can't be written; none is known.
    pub fn encode(&self, buffer: Vec<u8>) -> Result<Vec<u8>, postcard::Error> {
        postcard::to_extend(self, buffer)
    }

    /// Reads its stored form.
    ///
    /// # Errors
    ///
    /// Where `bytes` are none.
    pub fn decode(bytes: &[u8]) -> Result<Self, postcard::Error> {
        stored::decode(bytes, FIELDS_ADDED)
    }

    /// Its stage.
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// The customer's counts.
    pub const fn mail(&self) -> &Mail {
        &self.mail
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_that_an_earlier_version_wrote_is_read_with_the_defaults_of_later_fields() {
        let mut customer = Customer {
            stage: Stage::Banned,
            held: true,
            since: Some(Timestamp::from_seconds(7)),
            ..Customer::default()
        };
        customer.offends(Timestamp::from_seconds(5));
        let whole = customer.encode(Vec::new()).unwrap();
        let earlier = &whole[..whole.len() - FIELDS_ADDED];
        assert_eq!(whole[earlier.len()..], [0; FIELDS_ADDED]);
        assert_eq!(
            (Customer::decode(&whole).unwrap(), Customer::decode(earlier).unwrap()),
            (customer.clone(), customer)
        );
        assert!(Customer::decode(&earlier[..3]).is_err(), "damage is no earlier version");
    }
}
