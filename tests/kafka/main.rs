//! A Weir of many processes over a real Kafka, under faults.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails the test")]

mod brokers;
mod clients;
mod disk;
mod faults;
mod load;
mod process;
mod reference;
mod restore;
mod ticker;

use tokio::sync::{Mutex, MutexGuard};

/// Each of these tests takes the whole machine: one at a time.
async fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}
