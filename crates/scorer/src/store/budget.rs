//! How much memory a state may take.

use log::PartitionCount;

/// How much a partition's state may keep in memory.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Customers in the write-back cache after a commit. One takes 1 to 20 KB, by how many providers and buckets it has.
    pub customers: usize,
    /// Digests of the latest hours kept in memory, 16 bytes each and as much again around them; two for each event.
    pub digests: usize,
    /// Bytes that RocksDB gathers of customers before it writes a file; of everything together four times as much at most.
    pub write_buffer: usize,
}

impl Budget {
    /// Of a process, for all partitions that it may have: 400,000 customers, 32 million digests and 256 MiB to be written.
    const PROCESS: Self = Self { customers: 400_000, digests: 32_000_000, write_buffer: 256 << 20 };
    /// Below this a partition would spend its time on reading what it has just forgotten.
    const LEAST: Self = Self { customers: 1_000, digests: 200_000, write_buffer: 4 << 20 };

    /// Of each of `partitions`, where one process may come to have all of them.
    pub fn of_each(partitions: PartitionCount) -> Self {
        let share = |whole: usize, most: usize, least: usize| {
            let partitions = usize::try_from(partitions.get()).unwrap_or(usize::MAX);
            (whole / partitions).clamp(least, most)
        };
        let (whole, most, least) = (Self::PROCESS, Self::default(), Self::LEAST);
        Self {
            customers: share(whole.customers, most.customers, least.customers),
            digests: share(whole.digests, most.digests, least.digests),
            write_buffer: share(whole.write_buffer, most.write_buffer, least.write_buffer),
        }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self { customers: 50_000, digests: 4_000_000, write_buffer: 64 << 20 }
    }
}
