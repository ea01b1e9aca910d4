//! Threads that are given a while to end.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long whoever drops a thread waits for it; then it is left to itself.
const PATIENCE: Duration = Duration::from_secs(2);

/// Waits for a thread that was told to end, as long as that is reasonable.
pub(crate) fn join(thread: JoinHandle<()>, name: &'static str) {
    let deadline = Instant::now() + PATIENCE;
    while !thread.is_finished() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(1));
    }
    if thread.is_finished() && thread.join().is_err() {
        tracing::error!(name, "a thread panicked");
    }
}
