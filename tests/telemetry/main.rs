//! What a running Weir reports: metrics, traces, and the dashboards, rules and alerts that read the metrics.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails the test")]

mod metrics;
#[cfg(feature = "prometheus-suites")]
mod prometheus;
mod traces;

use tokio::sync::{Mutex, MutexGuard};

/// Waits for the turn: each test that runs Weir needs the whole machine, so that they run one at a time. The turn ends when the
/// guard is dropped.
async fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}
