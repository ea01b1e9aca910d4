//! When the next call may be made.
//!
//! [`Pace`] remembers what SendGrid said of each endpoint's rate limit, and how fast all calls together go. It reads no
//! clock: moments are durations since a beginning that the caller keeps.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;

use super::endpoint::Endpoint;

/// A moment: how long after the beginning.
pub type Moment = Duration;

/// What an answer says of its endpoint's rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How many more calls are taken until the reset.
    pub remaining: u32,
    /// When the limit starts anew, by SendGrid's clock in Unix seconds: it tells one stretch from the next.
    pub reset: u64,
    /// How long until then.
    pub resets_in: Duration,
}

/// When calls may be made.
#[derive(Clone, Debug)]
pub struct Pace {
    endpoints: HashMap<Endpoint, Stretch>,
    all: Spacing,
}

/// What is known of an endpoint between two resets.
#[derive(Clone, Copy, Debug, Default)]
struct Stretch {
    /// Calls that were begun and not answered: SendGrid may have counted them or not.
    under_way: u32,
    told: Option<Told>,
}

#[derive(Clone, Copy, Debug)]
struct Told {
    /// The least that was told: answers may overtake each other.
    remaining: u32,
    reset: u64,
    resets_at: Moment,
}

impl Pace {
    /// At most `per_second` calls a second over all endpoints, and as many at once after a pause.
    pub fn new(per_second: NonZeroU32) -> Self {
        Self { endpoints: HashMap::new(), all: Spacing::new(per_second) }
    }

    /// How long a call has to wait; none where it may be made at once.
    pub fn wait(&self, endpoint: Endpoint, now: Moment) -> Duration {
        let stretch = self.endpoints.get(&endpoint).copied().unwrap_or_default();
        stretch.wait(now).max(self.all.wait(now))
    }

    /// A call is made; [`Pace::end`] must follow.
    pub fn begin(&mut self, endpoint: Endpoint, now: Moment) {
        self.all.take(now);
        let stretch = self.endpoints.entry(endpoint).or_default();
        stretch.under_way = stretch.under_way.saturating_add(1);
    }

    /// A call was answered, or is given up; an answer may tell of the rate limit.
    pub fn end(&mut self, endpoint: Endpoint, now: Moment, quota: Option<Quota>) {
        let stretch = self.endpoints.entry(endpoint).or_default();
        stretch.under_way = stretch.under_way.saturating_sub(1);
        match quota {
            Some(quota) => stretch.hear(quota, now),
            None => stretch.hear_nothing(),
        }
    }
}

impl Stretch {
    fn wait(&self, now: Moment) -> Duration {
        match self.told {
            Some(told) if told.remaining <= self.under_way => told.resets_at.saturating_sub(now),
            _ => Duration::ZERO,
        }
    }

    /// SendGrid may have counted a call whose answer was lost.
    fn hear_nothing(&mut self) {
        if let Some(told) = &mut self.told {
            told.remaining = told.remaining.saturating_sub(1);
        }
    }

    fn hear(&mut self, quota: Quota, now: Moment) {
        let new = Told { remaining: quota.remaining, reset: quota.reset, resets_at: now + quota.resets_in };
        self.told = Some(match self.told {
            // An answer that came late tells of what is over.
            Some(old) if quota.reset < old.reset => old,
            // SendGrid's clock tells whole seconds, so each estimate is late by up to one: the earliest is nearest.
            Some(old) if quota.reset == old.reset => {
                Told { remaining: old.remaining.min(new.remaining), resets_at: old.resets_at.min(new.resets_at), ..new }
            }
            _ => new,
        });
    }
}

/// Keeps all calls together below a number a second (the generic cell rate algorithm, ITU-T I.371).
#[derive(Clone, Copy, Debug)]
struct Spacing {
    /// Between two calls that go on and on.
    interval: Duration,
    /// When the next call would be due if calls were spaced evenly.
    due: Moment,
}

/// After a pause, a second's calls may go at once.
const BURST: Duration = Duration::from_secs(1);

impl Spacing {
    fn new(per_second: NonZeroU32) -> Self {
        Self { interval: BURST / per_second.get(), due: Moment::ZERO }
    }

    fn wait(self, now: Moment) -> Duration {
        (self.due + self.interval).saturating_sub(BURST).saturating_sub(now)
    }

    fn take(&mut self, now: Moment) {
        self.due = self.due.max(now) + self.interval;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ENDPOINT: Endpoint = Endpoint::Pools;
    const OTHER: Endpoint = Endpoint::Ips;

    fn fast() -> Pace {
        Pace::new(NonZeroU32::new(1_000_000).unwrap())
    }

    fn quota(remaining: u32, reset: u64, resets_in: u64) -> Quota {
        Quota { remaining, reset, resets_in: Duration::from_secs(resets_in) }
    }

    #[test]
    fn what_is_used_up_waits_for_its_reset_and_nothing_else_does() {
        let (mut pace, now) = (fast(), Duration::from_secs(5));
        pace.begin(ENDPOINT, now);
        pace.end(ENDPOINT, now, Some(quota(0, 100, 30)));
        assert_eq!(pace.wait(ENDPOINT, now), Duration::from_secs(30));
        assert_eq!(pace.wait(OTHER, now), Duration::ZERO);
        assert_eq!(pace.wait(ENDPOINT, now + Duration::from_secs(30)), Duration::ZERO);
    }

    #[test]
    fn calls_under_way_count_until_their_answers_tell() {
        let (mut pace, now) = (fast(), Duration::ZERO);
        (0..3).for_each(|_| pace.begin(ENDPOINT, now));
        pace.end(ENDPOINT, now, Some(quota(2, 100, 30)));
        assert!(pace.wait(ENDPOINT, now) > Duration::ZERO, "two are left, and two are under way");
        pace.end(ENDPOINT, now, Some(quota(1, 100, 30)));
        pace.end(ENDPOINT, now, Some(quota(1, 100, 30)));
        assert_eq!(pace.wait(ENDPOINT, now), Duration::ZERO, "one is left, and none is under way");
        pace.begin(ENDPOINT, now);
        pace.end(ENDPOINT, now, None);
        assert!(pace.wait(ENDPOINT, now) > Duration::ZERO, "what came of the last one was never told");
    }

    #[test]
    fn an_answer_that_came_late_changes_nothing() {
        let (mut pace, now) = (fast(), Duration::ZERO);
        pace.end(ENDPOINT, now, Some(quota(0, 200, 60)));
        pace.end(ENDPOINT, now, Some(quota(50, 100, 1)));
        assert_eq!(pace.wait(ENDPOINT, now), Duration::from_secs(60));
    }

    /// A server that takes `limit` calls in each stretch of `per` seconds, and answers after a while.
    struct Server {
        limit: u32,
        per: u64,
        used: HashMap<u64, u32>,
    }

    impl Server {
        fn take(&mut self, now: Moment) -> (Quota, bool) {
            let stretch = now.as_secs() / self.per;
            let used = self.used.entry(stretch).or_default();
            *used += 1;
            let reset = (stretch + 1) * self.per;
            let remaining = self.limit.saturating_sub(*used);
            (quota(remaining, reset, reset - now.as_secs()), *used > self.limit)
        }
    }

    proptest! {
        #[test]
        fn a_server_whose_limit_was_heard_never_sees_more_calls_than_it_takes(
            limit in 1..20_u32, per in 1..90_u64, gaps in prop::collection::vec(0..4_000_u64, 1..200),
        ) {
            let (mut pace, mut now) = (fast(), Duration::ZERO);
            let mut server = Server { limit, per, used: HashMap::new() };
            for gap in gaps {
                now += Duration::from_millis(gap);
                now += pace.wait(ENDPOINT, now);
                pace.begin(ENDPOINT, now);
                let (quota, exceeded) = server.take(now);
                prop_assert!(!exceeded);
                pace.end(ENDPOINT, now, Some(quota));
            }
        }

        #[test]
        fn answers_that_are_lost_let_no_more_calls_through_than_are_left(
            limit in 1..20_u32, per in 1..90_u64, calls in prop::collection::vec((0..4_000_u64, any::<bool>()), 1..200),
        ) {
            let (mut pace, mut now) = (fast(), Duration::ZERO);
            let mut server = Server { limit, per, used: HashMap::new() };
            for (gap, is_lost) in calls {
                now += Duration::from_millis(gap);
                now += pace.wait(ENDPOINT, now);
                pace.begin(ENDPOINT, now);
                let (quota, exceeded) = server.take(now);
                prop_assert!(!exceeded);
                // Before anything was told of a stretch, nothing can be known of it.
                let is_first = quota.remaining + 1 == limit;
                pace.end(ENDPOINT, now, (is_first || !is_lost).then_some(quota));
            }
        }

        #[test]
        fn answers_in_any_order_let_no_more_calls_through_than_are_left(
            limit in 1..30_u32, order in prop::collection::vec(any::<prop::sample::Index>(), 60),
        ) {
            let (mut pace, now) = (fast(), Duration::ZERO);
            let mut server = Server { limit, per: 1_000, used: HashMap::new() };
            pace.begin(ENDPOINT, now);
            pace.end(ENDPOINT, now, Some(server.take(now).0));
            let mut under_way = Vec::new();
            for pick in order {
                if pace.wait(ENDPOINT, now).is_zero() {
                    pace.begin(ENDPOINT, now);
                    let (quota, exceeded) = server.take(now);
                    prop_assert!(!exceeded);
                    under_way.push(quota);
                } else if !under_way.is_empty() {
                    pace.end(ENDPOINT, now, Some(under_way.swap_remove(pick.index(under_way.len()))));
                }
            }
        }

        #[test]
        fn no_second_sees_more_than_twice_its_calls_and_no_longer_stretch_more_than_its_share(
            per_second in 1..50_u32, gaps in prop::collection::vec(0..300_u64, 1..300),
        ) {
            let mut pace = Pace::new(NonZeroU32::new(per_second).unwrap());
            let (mut now, mut calls) = (Duration::ZERO, Vec::new());
            for gap in gaps {
                now += Duration::from_millis(gap);
                now += pace.wait(OTHER, now);
                pace.begin(OTHER, now);
                pace.end(OTHER, now, None);
                calls.push(now);
            }
            for (first, from) in calls.iter().enumerate() {
                for (last, to) in calls.iter().enumerate().skip(first) {
                    let allowed = f64::from(per_second) * (1.0 + (*to - *from).as_secs_f64());
                    prop_assert!(f64::from(u32::try_from(last - first + 1).unwrap()) <= allowed + 1.0);
                }
            }
        }
    }
}
