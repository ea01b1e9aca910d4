//! Makes batches of events and keeps several connections busy with them.

use std::fmt;
use std::mem;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::poster::{Poster, PosterError};

/// When a batch is full, and how many are posted at a time.
#[derive(Clone, Copy, Debug)]
pub struct Batching {
    /// Events in a batch at most; the real SendGrid knows no such limit.
    pub events: usize,
    /// Bytes in a batch, about: it is full once it has so many.
    pub bytes: usize,
    /// Batches that are posted, or posted again, at the same time. More wait for room.
    pub connections: usize,
}

impl Default for Batching {
    fn default() -> Self {
        // SendGrid posts 768 kB at the latest.
        Self { events: 1_000, bytes: 768_000, connections: 4 }
    }
}

/// What became of the batches so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// POSTs made.
    pub posts: u64,
    /// POSTs that were made because an earlier one of the same batch was not taken.
    pub retries: u64,
    /// Batches that were taken.
    pub accepted_batches: u64,
    /// Events in them.
    pub accepted_events: u64,
    /// Batches that were given up after as many tries as allowed.
    pub given_up_batches: u64,
    /// Events in those.
    pub given_up_events: u64,
}

impl Tally {
    fn count(&mut self, outcome: &Outcome) {
        let Outcome { tries, events, accepted } = *outcome;
        self.posts += u64::from(tries);
        self.retries += u64::from(tries.saturating_sub(1));
        let (batches, sum) = if accepted {
            (&mut self.accepted_batches, &mut self.accepted_events)
        } else {
            (&mut self.given_up_batches, &mut self.given_up_events)
        };
        *batches += 1;
        *sum += events as u64;
    }
}

struct Outcome {
    tries: u32,
    events: usize,
    accepted: bool,
}

/// Called with the events of each batch that was taken.
type Hook = Arc<dyn Fn(&[String]) + Send + Sync>;

/// Events on their way to one webhook.
///
/// Nothing is posted before a batch is full or [`Feed::flush`] is called: time is the caller's, so a simulated half
/// minute may pass in a millisecond. Dropping it drops what is not yet taken.
pub struct Feed {
    poster: Poster,
    batching: Batching,
    batch: Vec<String>,
    bytes: usize,
    room: Arc<Semaphore>,
    under_way: JoinSet<Result<Outcome, PosterError>>,
    tally: Tally,
    hook: Option<Hook>,
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("poster", &self.poster).field("tally", &self.tally).finish_non_exhaustive()
    }
}

impl Feed {
    /// Posts through `poster`.
    pub fn new(poster: Poster, batching: Batching) -> Self {
        let room = Arc::new(Semaphore::new(batching.connections.max(1)));
        let under_way = JoinSet::new();
        Self { poster, batching, batch: Vec::new(), bytes: 0, room, under_way, tally: Tally::default(), hook: None }
    }

    /// Calls `hook` with the events of each batch once it was taken.
    #[must_use]
    pub fn on_accepted(mut self, hook: impl Fn(&[String]) + Send + Sync + 'static) -> Self {
        self.hook = Some(Arc::new(hook));
        self
    }

    /// Adds an event to the batch, and posts the batch once it is full. Waits while every connection is busy, which is
    /// what bounds the memory.
    ///
    /// # Errors
    ///
    /// [`PosterError::Sign`]; a batch that was given up is no error here, it is told by [`Feed::tally`].
    pub async fn push(&mut self, event: String) -> Result<(), PosterError> {
        self.bytes += event.len() + 3;
        self.batch.push(event);
        if self.batch.len() >= self.batching.events || self.bytes >= self.batching.bytes {
            self.flush().await?;
        }
        Ok(())
    }

    /// Posts what there is, full or not, without waiting until it is taken.
    ///
    /// # Errors
    ///
    /// As [`Feed::push`].
    pub async fn flush(&mut self) -> Result<(), PosterError> {
        while let Some(joined) = self.under_way.try_join_next() {
            self.take(joined)?;
        }
        if self.batch.is_empty() {
            return Ok(());
        }
        let events = mem::take(&mut self.batch);
        self.bytes = 0;
        // The semaphore is never closed.
        let Ok(room) = Arc::clone(&self.room).acquire_owned().await else { return Ok(()) };
        let (poster, hook) = (self.poster.clone(), self.hook.clone());
        self.under_way.spawn(async move {
            let outcome = post(&poster, &events).await;
            if let (Ok(Outcome { accepted: true, .. }), Some(hook)) = (&outcome, hook) {
                hook(&events);
            }
            drop(room);
            outcome
        });
        Ok(())
    }

    /// Posts what there is and waits until every batch is taken or given up.
    ///
    /// # Errors
    ///
    /// As [`Feed::push`].
    pub async fn settle(&mut self) -> Result<Tally, PosterError> {
        self.flush().await?;
        while let Some(joined) = self.under_way.join_next().await {
            self.take(joined)?;
        }
        Ok(self.tally)
    }

    /// What became of the batches so far; those still under way are not in it.
    pub const fn tally(&self) -> Tally {
        self.tally
    }

    fn take(
        &mut self,
        joined: Result<Result<Outcome, PosterError>, tokio::task::JoinError>,
    ) -> Result<(), PosterError> {
        // A task ends without an outcome only if the hook panicked: its batch was taken and told to nobody.
        if let Ok(outcome) = joined {
            self.tally.count(&outcome?);
        }
        Ok(())
    }
}

async fn post(poster: &Poster, events: &[String]) -> Result<Outcome, PosterError> {
    match poster.post(events).await {
        Ok(posted) => Ok(Outcome { tries: posted.tries, events: posted.events, accepted: true }),
        Err(PosterError::GivenUp { tries, last }) => {
            tracing::warn!(tries, last, events = events.len(), "a batch was given up");
            Ok(Outcome { tries, events: events.len(), accepted: false })
        }
        Err(other) => Err(other),
    }
}
