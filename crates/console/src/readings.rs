//! Reading the log for an answer: few at once, no longer than somebody waits for it, and never past the end of Weir.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::problem::Problem;

/// How long a turn is waited for: whoever has just left may hold it until the log answers.
const TURN: Duration = Duration::from_secs(5);

/// Why a reading ended before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// Weir is ending, or nobody waits for the answer any more.
    Ending,
    /// It took as long as this.
    TooLong(Duration),
}

/// When a reading has to end.
#[derive(Clone, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    patience: Duration,
    stop: CancellationToken,
}

impl Deadline {
    /// Once `patience` is over, or at `stop`.
    pub(crate) fn new(patience: Duration, stop: CancellationToken) -> Self {
        Self { at: Instant::now() + patience, patience, stop }
    }

    /// Whoever reads asks this between two steps.
    pub(crate) fn check(&self) -> Result<(), Over> {
        if self.stop.is_cancelled() {
            return Err(Over::Ending);
        }
        if Instant::now() < self.at { Ok(()) } else { Err(Over::TooLong(self.patience)) }
    }
}

/// What the log is read for: how many read it for that at once, and how long each may.
#[derive(Clone, Debug)]
pub(crate) struct Purpose {
    turn: Arc<Semaphore>,
    pub(crate) patience: Duration,
    /// What whoever gets no turn is told.
    busy: &'static str,
}

impl Purpose {
    fn new(at_once: usize, patience: Duration, busy: &'static str) -> Self {
        Self { turn: Arc::new(Semaphore::new(at_once)), patience, busy }
    }
}

/// Reads the log for answers. Cheap to clone; all clones take turns with one another.
#[derive(Clone, Debug)]
pub struct Readings {
    shutdown: CancellationToken,
    /// Why a decision was made.
    pub(crate) explaining: Purpose,
    /// Whom a rule has moved.
    pub(crate) undoing: Purpose,
    /// What made no sense.
    pub(crate) rejects: Purpose,
    /// What another policy would have decided.
    pub(crate) trying: Purpose,
}

impl Readings {
    /// Reads until `shutdown`.
    pub fn until(shutdown: CancellationToken) -> Self {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        Self {
            shutdown,
            explaining: Purpose::new(1, minutes(1), "another decision is being explained: try again in a moment"),
            undoing: Purpose::new(2, minutes(1), "others are taking something back: try again in a moment"),
            rejects: Purpose::new(2, minutes(1), "others are reading rejects: try again in a moment"),
            trying: Purpose::new(1, minutes(5), "another policy is being tried: try again in a moment"),
        }
    }

    /// Reads on a thread that may block, once it is this reader's turn. Ends `work`'s deadline when nobody waits for it any more.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        purpose: &Purpose,
        work: impl FnOnce(&Deadline) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = tokio::time::timeout(TURN, Arc::clone(&purpose.turn).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(Problem::unavailable(purpose.busy)) };
        let stop = self.shutdown.child_token();
        let _waits = stop.clone().drop_guard();
        let deadline = Deadline::new(purpose.patience, stop);
        // The turn goes with the work: whoever hangs up does not let the next one in before it ends.
        let work = tokio::task::spawn_blocking(move || {
            let read = work(&deadline);
            drop(turn);
            read
        });
        work.await.map_err(|error| Problem::unavailable(format!("the work ended: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_leaves_ends_the_reading_and_the_next_has_its_turn() {
        let readings = Readings::until(CancellationToken::new());
        let (began, begins) = tokio::sync::oneshot::channel();
        let endless = |deadline: &Deadline| {
            began.send(()).unwrap();
            while deadline.check().is_ok() {
                std::thread::yield_now();
            }
        };
        let leaves = readings.read(&readings.explaining, endless);
        tokio::select! {
            _ = leaves => panic!("it ends by itself"),
            began = begins => began.unwrap(),
        }
        let next = readings.read(&readings.explaining, |deadline| deadline.check()).await;
        assert_eq!(next.unwrap(), Ok(()));
    }

    #[test]
    fn a_reading_ends_with_weir_and_when_its_time_is_over() {
        let stop = CancellationToken::new();
        assert_eq!(Deadline::new(Duration::from_secs(60), stop.clone()).check(), Ok(()));
        let over = Deadline::new(Duration::ZERO, stop.clone());
        assert_eq!(over.check(), Err(Over::TooLong(Duration::ZERO)));
        stop.cancel();
        assert_eq!(over.check(), Err(Over::Ending));
    }
}
