//! Weir under faults: processes are killed and frozen, brokers go away, disks are full.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails the test")]

mod crash;
#[cfg(feature = "kafka-suites")]
mod kafka;
mod profiles;

use tokio::sync::{Mutex, MutexGuard};

/// Waits for the turn: each test that runs Weir needs the whole machine, so that they run one at a time. The turn ends when the
/// guard is dropped.
async fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}
