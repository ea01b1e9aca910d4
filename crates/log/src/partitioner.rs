//! Which partition a key belongs to.

use model::PartitionId;

use crate::PartitionCount;

/// The partition of `key`, as Kafka's default partitioner finds it: murmur2 (seed 0x9747b28c), its sign bit cleared,
/// modulo the number of partitions. A Java or Python producer finds the same.
pub fn partition_of(key: &[u8], partitions: PartitionCount) -> PartitionId {
    PartitionId::new((murmur2(key) & 0x7fff_ffff) % partitions.get())
}

/// MurmurHash2, 32 bits, as `org.apache.kafka.common.utils.Utils.murmur2` computes it.
fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    // A length over 4 GiB can't occur: records are bounded far below; truncation matches Java's `int` length.
    #[expect(clippy::cast_possible_truncation, reason = "records are far smaller than 4 GiB")]
    let mut hash = 0x9747_b28c ^ data.len() as u32;
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let mut k = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        for (i, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * i);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::murmur2;

    #[test]
    #[expect(clippy::cast_possible_wrap, reason = "Kafka's vectors are written as Java's signed int")]
    fn hashes_are_those_of_kafkas_own_test() {
        // org.apache.kafka.common.utils.UtilsTest#testMurmur2
        for (key, hash) in [
            ("21", -973_932_308_i32),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(key.as_bytes()) as i32, hash, "{key}");
        }
    }
}
