//! The one place that reads the system's clock.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use model::Timestamp;

/// A way to read the time.
pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The system's clock.
pub(crate) fn system() -> Clock {
    Arc::new(|| {
        // Before 1970 only where the clock is not set; then every time is as good as another.
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    })
}

/// A clock that begins at `start` and runs `speed` times as fast.
pub(crate) fn fast(start: Timestamp, speed: u32) -> Clock {
    let began = Instant::now();
    Arc::new(move || {
        let passed = began.elapsed().as_millis().saturating_mul(u128::from(speed));
        start + model::Millis::new(i64::try_from(passed).unwrap_or(i64::MAX))
    })
}
