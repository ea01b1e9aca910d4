//! How far a client is behind with the bytes that it is to bring.

use std::time::Duration;

use tokio::time::Instant;

/// What a client is to bring. The largest body of SendGrid's, 768 kB, has to come at 26 kB/s to be in time (30 seconds by default).
const BYTES_PER_SECOND: u32 = 16 << 10;
/// A client that is this far behind loses its place where another needs it.
const YIELDS: Duration = Duration::from_secs(1);
/// A client that is this far behind is cut off.
const CUT_OFF: Duration = Duration::from_secs(10);

/// How far a client is behind: as far as if it had brought nothing since a moment, and all that was due before.
///
/// Bytes ahead of the rate are no credit: who brings much and then nothing is behind as soon as who brings nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    behind_since: Instant,
}

impl Pace {
    /// Of a client that is waited for from `now` on.
    pub(crate) const fn new(now: Instant) -> Self {
        Self { behind_since: now }
    }

    /// `bytes` came.
    pub(crate) fn brought(&mut self, bytes: usize, now: Instant) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let worth = Duration::from_secs(1) * bytes / BYTES_PER_SECOND;
        self.behind_since = now.min(self.behind_since + worth);
    }

    /// From when on another may have its place.
    pub(crate) fn yields_at(self) -> Instant {
        self.behind_since + YIELDS
    }

    /// When it is cut off if nothing more comes.
    pub(crate) fn is_cut_off_at(self) -> Instant {
        self.behind_since + CUT_OFF
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_client_keeps_its_place_as_long_as_it_brings_what_is_due() {
        let begin = Instant::now();
        let mut pace = Pace::new(begin);
        for second in 1..=60 {
            pace.brought(16 << 10, begin + seconds(second));
            assert_eq!(pace.yields_at(), begin + seconds(second + 1));
        }
    }

    #[test]
    fn single_bytes_and_bytes_of_before_buy_no_time() {
        let begin = Instant::now();
        let mut pace = Pace::new(begin);
        (1..=9).for_each(|second| pace.brought(1, begin + seconds(second)));
        assert!(pace.is_cut_off_at() < begin + Duration::from_millis(10_001));
        pace.brought(4 << 20, begin + seconds(9));
        assert_eq!(pace.is_cut_off_at(), begin + seconds(19));
    }
}
