//! The one place that reads the system's clock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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

/// A clock that runs faster than the system's, at a speed that can be changed.
#[derive(Clone, Debug)]
pub(crate) struct SimulatedClock(Arc<Mutex<Pace>>);

/// The time at one moment, and how many times as fast as the system's clock it passes from there on.
#[derive(Clone, Copy, Debug)]
struct Pace {
    time: Timestamp,
    at: Instant,
    speed: u32,
}

impl Pace {
    fn now(&self) -> Timestamp {
        let passed = self.at.elapsed().as_millis().saturating_mul(u128::from(self.speed));
        self.time + model::Millis::new(i64::try_from(passed).unwrap_or(i64::MAX))
    }
}

impl SimulatedClock {
    /// A clock that shows `start` now and runs `speed` times as fast.
    pub(crate) fn new(start: Timestamp, speed: u32) -> Self {
        Self(Arc::new(Mutex::new(Pace { time: start, at: Instant::now(), speed })))
    }

    /// The time it shows.
    pub(crate) fn now(&self) -> Timestamp {
        self.pace().now()
    }

    /// Changes the speed; the time goes on from where it is.
    pub(crate) fn set_speed(&self, speed: u32) {
        let mut pace = self.pace();
        *pace = Pace { time: pace.now(), at: Instant::now(), speed };
    }

    /// The clock as Weir's parts read it.
    pub(crate) fn reader(&self) -> Clock {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        // A pace is replaced whole, so a panic elsewhere leaves a sound one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
