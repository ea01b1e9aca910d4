//! Drives the fold: polls the log, keeps state in RocksDB, publishes what the fold decides.
