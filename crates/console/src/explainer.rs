//! Explains decisions out of the log.

use std::sync::Arc;
use std::time::{Duration, Instant};

use explain::{Explanation, Recorded, Review};
use log::{Log, Reach, Start, Stored, Tail, Topic};
use model::{Decision, DecisionId, Offset, Position};
use policy::Policy;
use scoring::Input;

use crate::decode::{Decoded, customer, decode};

/// How long a reader waits for records that are there.
const WAIT: Duration = Duration::from_millis(500);

/// Why a decision can't be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// Nobody decided that.
    #[error("no decision {0} is in the log; it may be too old, or its id is misspelt")]
    Unknown(DecisionId),
    /// Retention has dropped the record that brought it about.
    #[error(
        "decision {id} was made at record {offset} of partition {partition}, and the log begins at {begins}: nothing is left \
         to derive it from",
        offset = at.offset,
        partition = at.partition
    )]
    Gone {
        /// The decision.
        id: DecisionId,
        /// The record that brought it about.
        at: Position,
        /// The oldest record kept.
        begins: Offset,
    },
    /// Reading took too long.
    #[error("the log could not be read within {} s: ask again when it is less busy", .0.as_secs())]
    TooLong(Duration),
    /// The log refused.
    #[error("the log can't be read")]
    Log(#[from] log::Error),
}

/// Explains decisions out of the log. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Explainer {
    log: Arc<dyn Log>,
    policy: Arc<Policy>,
    patience: Duration,
}

/// When reading has to end.
#[derive(Clone, Copy)]
struct Deadline {
    at: Instant,
    patience: Duration,
}

impl Deadline {
    fn check(self) -> Result<(), ExplainError> {
        if Instant::now() < self.at { Ok(()) } else { Err(ExplainError::TooLong(self.patience)) }
    }
}

impl Explainer {
    /// Explains what `log` holds by `policy`, and gives up after `patience`.
    pub fn new(log: Arc<dyn Log>, policy: Arc<Policy>, patience: Duration) -> Self {
        Self { log, policy, patience }
    }

    /// Explains one decision. Blocking: reads all decisions, and then the events up to the decision's.
    ///
    /// # Errors
    ///
    /// [`ExplainError`].
    pub fn explain(&self, id: &DecisionId) -> Result<Explanation, ExplainError> {
        let deadline = Deadline { at: Instant::now() + self.patience, patience: self.patience };
        let (recorded, history) = self.find(id, deadline)?.ok_or_else(|| ExplainError::Unknown(id.clone()))?;
        let at = recorded.decision.offset;
        let Reach { start, .. } = self.log.reach(Topic::Events, at.partition)?;
        if start > at.offset {
            return Err(ExplainError::Gone { id: id.clone(), at, begins: start });
        }
        let mut review = Review::new(recorded, history, Arc::clone(&self.policy));
        self.read_up_to(at, deadline, |stored| take(&mut review, stored))?;
        Ok(review.finish(start))
    }

    /// The decision as it was published, and what was published about its customer.
    fn find(&self, id: &DecisionId, deadline: Deadline) -> Result<Option<(Recorded, Vec<Decision>)>, ExplainError> {
        let mut tail = self.log.tail(Topic::Decisions, Start::Earliest)?;
        let (mut found, mut others) = (None, Vec::new());
        while let Some(records) = next(tail.as_mut(), deadline)? {
            for recorded in records.iter().filter_map(|stored| Recorded::read(&stored.record.value).ok()) {
                if recorded.decision.id == *id {
                    found = Some(recorded);
                } else {
                    others.push(recorded.decision);
                }
            }
        }
        Ok(found.map(|found| (found, others)))
    }

    /// Hands `take` the records of a partition of the events, up to that at `last`.
    fn read_up_to(
        &self,
        last: Position,
        deadline: Deadline,
        mut take: impl FnMut(&Stored),
    ) -> Result<(), ExplainError> {
        let mut tail = self.log.tail(Topic::Events, Start::Earliest)?;
        while let Some(records) = next(tail.as_mut(), deadline)? {
            for stored in records.iter().filter(|stored| stored.position.partition == last.partition) {
                if stored.position.offset > last.offset {
                    return Ok(());
                }
                take(stored);
            }
        }
        Ok(())
    }
}

/// The next records; `None` where what was there at the beginning has been read.
fn next(tail: &mut dyn Tail, deadline: Deadline) -> Result<Option<Vec<Stored>>, ExplainError> {
    if tail.caught_up() {
        return Ok(None);
    }
    deadline.check()?;
    Ok(Some(tail.next(WAIT)?))
}

fn take(review: &mut Review, stored: &Stored) {
    review.begin_at(stored.record.at);
    let offset = stored.position.offset;
    let customer = customer(stored).filter(|customer| review.concerns(customer));
    if customer.is_none() && stored.record.kind != log::RecordKind::Tick {
        return;
    }
    match (decode(stored), customer) {
        (Some(Decoded::Event(event)), Some(customer)) => {
            review.take(offset, Input::Event(&customer, &event.to_event(), stored.record.at));
        }
        (Some(Decoded::Command(command)), Some(customer)) => review.take(offset, Input::Command(&customer, command)),
        (Some(Decoded::Tick(tick)), _) => review.take(offset, Input::Tick(tick)),
        _ => {}
    }
}
