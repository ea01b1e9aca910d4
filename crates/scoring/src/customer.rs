//! What the fold remembers of a customer.

use model::{
    Bucket, Cell, Counter, CustomerId, Grain, Offset, Phase, PoolName, Provider, ProviderCounts, Reason, SetAside,
    Stage, Standing, Timestamp, Window,
};
use policy::{Excused, OFFENCES_KEPT, Policy, Signal, Visit};
use serde::{Deserialize, Serialize};

use crate::mail::{Mail, Release, visit_since};

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
}

/// A customer's mail as it was at a tick.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    pub(crate) at: Timestamp,
    /// The last record that is counted in it.
    pub(crate) offset: Offset,
    pub(crate) mail: Mail,
}

/// How far a pilot customer has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PilotStep {
    /// Which of the policy's daily caps it has.
    pub(crate) step: usize,
    /// Since when.
    pub(crate) since: Timestamp,
}

impl Customer {
    /// Whether no event of it was ever counted.
    pub const fn is_new(&self) -> bool {
        self.since.is_none()
    }

    /// Whether it must be looked at when time passes.
    pub(crate) fn needs_attention(&self) -> bool {
        self.is_under_observation() || self.troubled_in.is_some()
    }

    /// Whether the rules are to be asked about it when time passes.
    pub(crate) fn is_under_observation(&self) -> bool {
        self.stage != Stage::Healthy || self.suspect || self.phase == Phase::Pilot || !self.shadowed.is_empty()
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

    /// Where it stands under `policy` at `now`.
    pub fn standing(&self, id: &CustomerId, policy: &Policy, now: Timestamp) -> Standing {
        let own = (self.stage < Stage::Quarantined).then(|| self.pool.clone()).flatten();
        Standing {
            customer: id.clone(),
            phase: self.phase,
            stage: self.stage,
            since: self.since.unwrap_or_default(),
            pool: policy.pool(self.stage).or(own),
            daily_cap: self.daily_cap(policy),
            sent_24h: self.mail.sum(Window::Day, now).total()[Counter::Processed],
            held: self.held,
            exempt_until: self.exempt_until,
            awaits_person: self.awaits_person(policy),
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

    /// The customer's counts.
    pub const fn mail(&self) -> &Mail {
        &self.mail
    }
}

/// The ids of the latest bad events of each signal since the last release: a sample for the evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LatestBad(Vec<(Signal, Vec<String>)>);

impl LatestBad {
    /// How many are kept of each signal.
    const KEPT: usize = 5;
    /// Longer ids are cut: SendGrid promises at most 100 characters.
    const ID_CHARACTERS: usize = 100;

    pub(crate) fn remember(&mut self, signal: Signal, id: &str) {
        let at = self.0.iter().position(|(known, _)| *known == signal).unwrap_or_else(|| {
            self.0.push((signal, Vec::new()));
            self.0.len() - 1
        });
        let latest = &mut self.0[at].1;
        if latest.len() == Self::KEPT {
            latest.remove(0);
        }
        latest.push(id.chars().take(Self::ID_CHARACTERS).collect());
    }

    /// Of `signal`, newest last.
    pub(crate) fn of(&self, signal: Signal) -> &[String] {
        let found = self.0.iter().find(|(known, _)| *known == signal);
        found.map(|(_, ids)| ids.as_slice()).unwrap_or_default()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
