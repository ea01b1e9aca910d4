//! How RocksDB is set up for a log.

use rocksdb::{DBCompressionType, DBRecoveryMode, Options, WriteOptions};

/// What waits in memory before it is sorted into files; half of it may be on its way to disk while the rest fills.
const IN_MEMORY: usize = 64 << 20;
/// Of all topics together.
const IN_MEMORY_TOGETHER: usize = 4 * IN_MEMORY;
/// What is read again at the next start. Without this bound a topic that is seldom written to would hold back gigabytes.
const WRITE_AHEAD_BYTES: u64 = 4 * IN_MEMORY as u64;
/// Below the usual bound of 1,024 files a process, with room for connections.
const OPEN_FILES: i32 = 512;
/// RocksDB's own notes of what it did.
const NOTES: usize = 5;

/// Those of the whole database, which is made where there is none.
pub(super) fn database() -> Options {
    let mut options = existing();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options
}

/// Those of a database that is there.
pub(super) fn existing() -> Options {
    let mut options = Options::default();
    options.set_max_background_jobs(2);
    options.set_bytes_per_sync(1 << 20);
    options.set_db_write_buffer_size(IN_MEMORY_TOGETHER);
    options.set_max_total_wal_size(WRITE_AHEAD_BYTES);
    options.set_max_open_files(OPEN_FILES);
    options.set_keep_log_file_num(NOTES);
    // A last write that was cut off was never acknowledged. Any other damage must be seen, not skipped.
    options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    options
}

/// Those of one topic. What lies long is compressed well, with ZSTD; the upper levels are rewritten soon and take the
/// cheaper LZ4.
pub(super) fn family() -> Options {
    let mut options = Options::default();
    options.set_write_buffer_size(IN_MEMORY);
    options.set_max_write_buffer_number(4);
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_bottommost_compression_type(DBCompressionType::Zstd);
    options
}

/// Those of a write that is durable on return.
pub(super) fn durable() -> WriteOptions {
    let mut options = WriteOptions::default();
    options.set_sync(true);
    options
}
