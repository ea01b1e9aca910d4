//! How places are written as keys.

use model::{Offset, PartitionId, Position};

use crate::Topic;

/// One partition of one topic.
pub(super) type Place = (Topic, PartitionId);

/// A record's key: partition and offset, big-endian, so that records lie in their order.
pub(super) fn key(partition: PartitionId, offset: Offset) -> [u8; 12] {
    let mut key = [0; 12];
    let (first, second) = key.split_at_mut(4);
    first.copy_from_slice(&partition.get().to_be_bytes());
    second.copy_from_slice(&offset.get().to_be_bytes());
    key
}

/// The place that a record's key names; `None` where it is malformed.
pub(super) fn position_of(key: &[u8]) -> Option<Position> {
    let (partition, offset) = key.split_first_chunk::<4>()?;
    Some(Position {
        partition: PartitionId::new(u32::from_be_bytes(*partition)),
        offset: Offset::new(u64::from_be_bytes(offset.try_into().ok()?)),
    })
}

/// Under which the last output published for a partition stands: its sequence, and the offset it was said at.
pub(super) fn published_key(partition: PartitionId) -> String {
    format!("published/{partition}")
}

/// Under which the oldest record kept stands.
pub(super) fn start_key((topic, partition): Place) -> String {
    format!("start/{}/{partition}", topic.name())
}

/// Under which a group's hint of how far it is stands.
pub(super) fn committed_key((topic, partition): Place, group: &str) -> String {
    format!("committed/{}/{group}/{partition}", topic.name())
}
