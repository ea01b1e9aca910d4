//! Notices a consumer that has stopped hearing.
//!
//! librdkafka and its wrapper have had faults after which a consumer waits for ever beside a partition that grows.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use model::{Offset, PartitionId};

use crate::Result;

/// How long a silence may last before it is looked into.
const SILENCE: Duration = Duration::from_secs(60);

/// What is known of the silence.
#[derive(Debug)]
pub(super) struct Watchdog {
    since: Instant,
    /// Where the partitions ended when the silence was looked into first.
    ends: Option<BTreeMap<PartitionId, Offset>>,
}

impl Default for Watchdog {
    fn default() -> Self {
        Self { since: Instant::now(), ends: None }
    }
}

impl Watchdog {
    /// A record came.
    pub(super) fn heard(&mut self) {
        if self.ends.is_some() || self.since.elapsed() > SILENCE / 10 {
            *self = Self::default();
        }
    }

    /// Whether a partition has grown during two silences in a row without a record of it coming. Its end being beyond the
    /// reader's place says nothing by itself: markers of transactions are no records.
    pub(super) fn is_stalled(
        &mut self,
        reading: &[(PartitionId, Offset)],
        end_of: impl Fn(PartitionId) -> Result<Offset>,
    ) -> bool {
        if self.since.elapsed() < SILENCE || reading.is_empty() {
            return false;
        }
        self.since = Instant::now();
        let found: Result<BTreeMap<_, _>> = reading.iter().map(|(id, _)| Ok((*id, end_of(*id)?))).collect();
        // Brokers that can't be asked have nothing to say either.
        let Ok(found) = found else { return false };
        let before = self.ends.replace(found.clone());
        before.is_some_and(|before| {
            reading.iter().any(|(id, next)| {
                let (now, then) = (found.get(id), before.get(id));
                now > then && then.is_some_and(|then| then > next)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A watchdog that has heard nothing for a while.
    fn silent(watchdog: Watchdog) -> Watchdog {
        Watchdog { since: Instant::now().checked_sub(SILENCE * 2).unwrap_or_else(Instant::now), ..watchdog }
    }

    fn looked(watchdog: &mut Watchdog, end: u64) -> bool {
        watchdog.is_stalled(&[(PartitionId::new(0), Offset::new(5))], |_| Ok(Offset::new(end)))
    }

    #[test]
    fn a_partition_that_grows_in_silence_is_stalled() {
        let mut watchdog = silent(Watchdog::default());
        assert!(!looked(&mut watchdog, 9), "once may be chance");
        let mut watchdog = silent(watchdog);
        assert!(looked(&mut watchdog, 12));
    }

    #[test]
    fn a_partition_that_does_not_grow_is_only_quiet() {
        let mut watchdog = silent(Watchdog::default());
        assert!(!looked(&mut watchdog, 6));
        let mut watchdog = silent(watchdog);
        assert!(!looked(&mut watchdog, 6), "a marker lies behind the last record");
        watchdog.heard();
        let mut watchdog = silent(watchdog);
        assert!(!looked(&mut watchdog, 20), "heard from meanwhile");
    }
}
