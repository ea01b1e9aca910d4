//! What time it is, where ticks and events disagree.
//!
//! Ticks bear the clock of the machine that ticks, which can be wrong: set ahead by forty days, say, and back again. Events bear
//! SendGrid's. So a tick is believed where it goes on from the time that is known; one that leaps, ahead or back, only once an
//! event speaks for it, or once ticks have gone on from there for an hour and no event has spoken against it. A process that
//! was down for a long time is one whose ticks leap and whose events agree.

use model::{Millis, Timestamp};
use serde::{Deserialize, Serialize};

use crate::HORIZON;

/// A tick that is farther than this from the time that is known leaps.
const LEAP: Millis = Millis::hours(1);
/// For how long ticks must go on from where they leapt to, where no event speaks.
const PATIENCE: Millis = Millis::hours(1);

/// What is known of the time besides the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// Where ticks have leapt to, until it is believed.
    claim: Option<Claim>,
    /// The latest event's own time.
    newest: Option<Timestamp>,
}

/// A time that ticks tell and that is not believed yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Claim {
    /// The first of these ticks that no event has spoken against.
    since: Timestamp,
    /// The latest.
    at: Timestamp,
    /// Whether an event has spoken against it since then.
    contradicted: bool,
}

impl Clock {
    /// The time once a tick has told `at`, where it was `now`.
    pub fn tick(&mut self, now: Option<Timestamp>, at: Timestamp) -> Timestamp {
        let Some(now) = now else { return at };
        if distance(now, at) <= LEAP {
            self.claim = None;
            // A second ticker during a change of hands does not turn time back.
            return now.max(at);
        }
        let before = self.claim.filter(|claim| !claim.contradicted && at >= claim.at && (at > now) == (claim.at > now));
        let since = before.map_or(at, |claim| claim.since);
        if at.since(since) >= PATIENCE {
            self.claim = None;
            return at;
        }
        self.claim = Some(Claim { since, at, contradicted: false });
        now
    }

    /// The time once an event of the moment `at` has been seen, where it was `now`.
    pub fn event(&mut self, now: Timestamp, at: Timestamp) -> Timestamp {
        let Some(claim) = &mut self.claim else { return now };
        if distance(at, claim.at) < distance(at, now) {
            let at = claim.at;
            self.claim = None;
            return at;
        }
        claim.contradicted = true;
        now
    }

    /// Remembers the time of an event that is counted.
    pub fn remember(&mut self, at: Timestamp) {
        self.newest = self.newest.max(Some(at));
    }

    /// What is surely over at `now`: no later than the latest event, so that a clock that is ahead makes nothing forgotten.
    pub fn surely(&self, now: Timestamp) -> Timestamp {
        self.newest.map_or(now, |newest| newest.min(now))
    }

    /// Events from before this are not counted, and nobody remembers them. It never goes back, whatever ticks tell.
    pub fn horizon(&self, now: Timestamp) -> Timestamp {
        self.newest.unwrap_or(now) - HORIZON
    }
}

fn distance(a: Timestamp, b: Timestamp) -> Millis {
    a.since(b).max(b.since(a))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);
    const AHEAD: Timestamp = Timestamp::from_seconds(1_790_000_000 + 40 * 86_400);

    fn minutes(count: i64) -> Millis {
        Millis::minutes(count)
    }

    #[test]
    fn a_tick_goes_on_from_the_one_before_and_never_a_little_back() {
        let mut clock = Clock::default();
        assert_eq!(clock.tick(None, NOW), NOW);
        assert_eq!(clock.tick(Some(NOW), NOW + minutes(50)), NOW + minutes(50));
        assert_eq!(clock.tick(Some(NOW), NOW - minutes(50)), NOW);
    }

    #[test]
    fn a_leap_is_believed_once_an_event_speaks_for_it() {
        for at in [AHEAD, NOW + minutes(120), NOW - minutes(120)] {
            let mut clock = Clock::default();
            assert_eq!(clock.tick(Some(NOW), at), NOW);
            assert_eq!(clock.event(NOW, NOW), NOW, "an event from before");
            assert_eq!(clock.event(NOW, at - minutes(10)), at);
            assert_eq!(clock, Clock::default());
        }
    }

    #[test]
    fn a_leap_is_believed_after_an_hour_in_which_no_event_speaks_against_it() {
        let (mut clock, mut quiet) = (Clock::default(), Clock::default());
        for minute in 0..120 {
            let at = AHEAD + minutes(minute);
            assert_eq!(clock.tick(Some(NOW), at), NOW);
            assert_eq!(clock.event(NOW, NOW + minutes(minute)), NOW);
            if minute <= 60 {
                assert_eq!(quiet.tick(Some(NOW), at), if minute < 60 { NOW } else { at });
            }
        }
    }

    #[test]
    fn a_ticker_that_is_wrong_beside_one_that_is_right_gets_nowhere() {
        let (mut clock, mut now) = (Clock::default(), NOW);
        for minute in 0..200 {
            now = clock.tick(Some(now), AHEAD + minutes(minute));
            now = clock.tick(Some(now), NOW + minutes(minute));
            assert_eq!(now, NOW + minutes(minute));
        }
    }

    #[test]
    fn nothing_is_forgotten_on_a_clock_that_events_do_not_bear_out() {
        let mut clock = Clock::default();
        assert_eq!(clock.horizon(NOW), NOW - HORIZON);
        clock.remember(NOW - minutes(5));
        for now in [NOW - minutes(500), NOW, AHEAD] {
            assert_eq!(clock.horizon(now), NOW - minutes(5) - HORIZON);
        }
        assert_eq!(clock.surely(AHEAD), NOW - minutes(5));
    }
}
