//! Dashboards, rules and alerts as they are deployed: a real Prometheus scrapes a real Weir over a real Kafka. `.ci/prometheus` and
//! `.ci/kafka` install what it takes.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails the test")]

mod chaos;
mod healthy;
mod hour;
mod house;
mod incident;
mod load;
mod queries;
mod server;

use tokio::sync::{Mutex, MutexGuard};

/// Each of these tests takes the whole machine: one at a time.
async fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}
