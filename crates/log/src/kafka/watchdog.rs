//! Notices a consumer that has stopped hearing.
//!
//! librdkafka and its wrapper have had faults after which a consumer waits for ever beside a partition that grows.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use model::{Offset, PartitionId};

use crate::Result;

/// How long a silence may last before it is looked into.
const SILENCE: Duration = Duration::from_secs(60);

/// What is known of the silences.
#[derive(Debug, Default)]
pub(super) struct Watchdog {
    silences: BTreeMap<PartitionId, Silence>,
}

#[derive(Debug)]
struct Silence {
    since: Instant,
    /// Where the partition ended when the silence was looked into first.
    end: Option<Offset>,
}

impl Watchdog {
    /// A record of `partition` came.
    pub(super) fn heard(&mut self, partition: PartitionId) {
        self.silences.remove(&partition);
    }

    /// Whether a partition has grown during two silences in a row without a record of it coming. Its end being beyond the
    /// reader's place says nothing by itself: markers of transactions are no records.
    pub(super) fn is_stalled(
        &mut self,
        reading: &[(PartitionId, Offset)],
        end_of: impl Fn(PartitionId) -> Result<Offset>,
    ) -> bool {
        self.silences.retain(|partition, _| reading.iter().any(|(id, _)| id == partition));
        reading.iter().any(|(partition, next)| self.has_stalled(*partition, *next, &end_of))
    }

    fn has_stalled(
        &mut self,
        partition: PartitionId,
        next: Offset,
        end_of: &impl Fn(PartitionId) -> Result<Offset>,
    ) -> bool {
        let silence = self.silences.entry(partition).or_insert_with(|| Silence { since: Instant::now(), end: None });
        if silence.since.elapsed() < SILENCE {
            return false;
        }
        silence.since = Instant::now();
        // Brokers that can't be asked have nothing to say either.
        let Ok(now) = end_of(partition) else { return false };
        let then = silence.end.replace(now);
        then.is_some_and(|then| now > then && then > next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: PartitionId = PartitionId::new(0);
    const BUSY: PartitionId = PartitionId::new(1);

    /// Looks after a silence of both partitions, of which only the busy one is heard of now.
    fn looked(watchdog: &mut Watchdog, end: u64) -> bool {
        let ago = Instant::now().checked_sub(SILENCE * 2).unwrap();
        watchdog.silences.values_mut().for_each(|silence| silence.since = ago);
        watchdog.heard(BUSY);
        watchdog.is_stalled(&[(QUIET, Offset::new(5)), (BUSY, Offset::new(5))], |_| Ok(Offset::new(end)))
    }

    fn watchdog() -> Watchdog {
        let mut watchdog = Watchdog::default();
        assert!(!looked(&mut watchdog, 6), "a silence that begins");
        watchdog
    }

    #[test]
    fn a_partition_that_grows_in_silence_is_stalled_beside_one_that_is_heard_of() {
        let mut watchdog = watchdog();
        assert!(!looked(&mut watchdog, 9), "once may be chance");
        assert!(looked(&mut watchdog, 12));
    }

    #[test]
    fn a_partition_that_does_not_grow_is_only_quiet() {
        let mut watchdog = watchdog();
        assert!(!looked(&mut watchdog, 6));
        assert!(!looked(&mut watchdog, 6), "a marker lies behind the last record");
        watchdog.heard(QUIET);
        assert!(!looked(&mut watchdog, 20), "heard of meanwhile");
    }
}
