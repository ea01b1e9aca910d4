//! Decisions from a simulated platform's mail: which are made, replayed, published, explained, recounted and backtested. Also
//! how the build gets its prebuilt RocksDB.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod backtest;
mod explain;
#[cfg(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod prebuilt;
mod recount;
mod replay;
mod schemas;
mod verdicts;
