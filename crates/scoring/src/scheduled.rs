//! Mail that is sent later than it was taken: `send_at`.
//!
//! SendGrid tells of such a mail twice: when it takes it, up to 72 hours ahead, and when it has been sent. Its events need not
//! say for when it was scheduled, but all of them say when it was taken. So it is remembered of a customer what
//! it scheduled, by when it was taken and for when; the mail counts from the moment for which it was scheduled, and
//! what becomes of it counts there.

use model::{Bucket, Counter, Event, EventKind, Grain, Millis, Provider, Timestamp};
use serde::{Deserialize, Serialize};

/// A mail that is sent no later than this after it was taken is sent at once.
const AT_ONCE: Millis = Millis::minutes(10);
/// How far ahead a moment may lie and be now: clocks differ.
const NOW: Millis = Millis::minutes(5);
/// For how long it is remembered what a bucket of mail was scheduled for.
const REMEMBERED: Millis = Millis::days(7);
/// How many such buckets are remembered at most.
const KEPT: usize = 1_000;

/// What a customer has scheduled, in the order of its moments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scheduled(Vec<Batch>);

/// Mails to a provider that were taken in the same minutes, for the same minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Batch {
    due: Bucket,
    taken: Bucket,
    provider: Provider,
    /// Those that have not been counted yet.
    waiting: u32,
}

/// Where an event is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// As of a mail that was sent at this moment.
    At(Timestamp),
    /// Once its mail is due.
    Later,
}

const fn minutes(at: Timestamp) -> Bucket {
    Bucket::of(Grain::FiveMinutes, at)
}

impl Scheduled {
    /// Where `event` is counted. Remembers what it tells of scheduled mail.
    pub fn place(&mut self, event: &Event<'_>) -> Place {
        let taken = event.accepted_at.unwrap_or(event.at);
        let scheduled_for = event.send_at.filter(|due| *due > taken + AT_ONCE);
        if event.kind != EventKind::Counted(Counter::Processed) {
            return Place::At(self.sent(event, scheduled_for, taken));
        }
        let Some(due) = scheduled_for else { return Place::At(event.sent_at.unwrap_or(event.at)) };
        let waits = due > event.at + NOW;
        self.remember((minutes(due), minutes(taken), event.provider), waits);
        if waits { Place::Later } else { Place::At(due) }
    }

    /// When the mail was sent that became what the event tells.
    fn sent(&self, event: &Event<'_>, scheduled_for: Option<Timestamp>, taken: Timestamp) -> Timestamp {
        let told = event.sent_at.unwrap_or(event.at);
        if let Some(due) = scheduled_for {
            return due.min(event.at.max(told));
        }
        if event.at <= taken + AT_ONCE {
            return told;
        }
        let is_its = |batch: &&Batch| {
            (batch.taken, batch.provider) == (minutes(taken), event.provider) && batch.due <= minutes(event.at + NOW)
        };
        self.0.iter().rfind(is_its).map_or(told, |batch| batch.due.start(Grain::FiveMinutes))
    }

    fn remember(&mut self, (due, taken, provider): (Bucket, Bucket, Provider), waits: bool) {
        let key = |batch: &Batch| (batch.due, batch.taken, batch.provider);
        let place = self.0.binary_search_by_key(&(due, taken, provider), key).unwrap_or_else(|place| {
            self.0.insert(place, Batch { due, taken, provider, waiting: 0 });
            place
        });
        self.0[place].waiting = self.0[place].waiting.saturating_add(u32::from(waits));
    }

    /// Takes out the mails that are due by `now`: to which provider, the moment, and how many. Forgets what is long past.
    pub fn due(&mut self, now: Timestamp) -> Vec<(Provider, Timestamp, u32)> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let mut due = Vec::new();
        for batch in self.0.iter_mut().take_while(|batch| batch.due <= minutes(now)).filter(|batch| batch.waiting > 0) {
            due.push((batch.provider, batch.due.start(Grain::FiveMinutes), std::mem::take(&mut batch.waiting)));
        }
        let oldest = minutes(now - REMEMBERED);
        let past = self.0.iter().take_while(|batch| batch.due < oldest).count();
        // Of too many those that are not due yet stay: they are still to be counted.
        let done = self.0.iter().take_while(|batch| batch.due <= minutes(now)).count();
        self.0.drain(..past.max(self.0.len().saturating_sub(KEPT).min(done)));
        due
    }
}
