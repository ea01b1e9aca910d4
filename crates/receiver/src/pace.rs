//! Measures how far a client is behind the minimum rate.

use std::time::Duration;

use tokio::time::Instant;

/// The minimum rate. SendGrid's largest body, 768 kB, needs 26 kB/s to arrive within the default `body_timeout` of 30 seconds.
const BYTES_PER_SECOND: u32 = 16 << 10;
/// A client that is this far behind may be evicted in favour of another.
const EVICT_AFTER: Duration = Duration::from_secs(1);
/// A client that is this far behind is cut off in any case.
const CUT_OFF_AFTER: Duration = Duration::from_secs(10);

/// How far a client is behind, expressed as the time since which it would have sent nothing at all.
///
/// Bytes that arrive faster than the minimum rate earn no credit: a client that sends a megabyte and then stalls falls behind as
/// quickly as one that sends nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    behind_since: Instant,
}

impl Pace {
    /// Starts measuring at `now`.
    pub(crate) const fn new(now: Instant) -> Self {
        Self { behind_since: now }
    }

    /// Records that `bytes` arrived at `now`.
    pub(crate) fn record_bytes(&mut self, bytes: usize, now: Instant) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let worth = Duration::from_secs(1) * bytes / BYTES_PER_SECOND;
        self.behind_since = now.min(self.behind_since + worth);
    }

    /// When the client may be evicted, if no more bytes arrive.
    pub(crate) fn evictable_at(self) -> Instant {
        self.behind_since + EVICT_AFTER
    }

    /// When the client is cut off, if no more bytes arrive.
    pub(crate) fn cut_off_at(self) -> Instant {
        self.behind_since + CUT_OFF_AFTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_client_at_the_minimum_rate_does_not_fall_behind() {
        let begin = Instant::now();
        let mut pace = Pace::new(begin);
        for second in 1..=60 {
            pace.record_bytes(16 << 10, begin + seconds(second));
            assert_eq!(pace.evictable_at(), begin + seconds(second + 1));
        }
    }

    #[test]
    fn single_bytes_and_an_early_burst_earn_no_credit() {
        let begin = Instant::now();
        let mut pace = Pace::new(begin);
        (1..=9).for_each(|second| pace.record_bytes(1, begin + seconds(second)));
        assert!(pace.cut_off_at() < begin + Duration::from_millis(10_001));
        pace.record_bytes(4 << 20, begin + seconds(9));
        assert_eq!(pace.cut_off_at(), begin + seconds(19));
    }
}
