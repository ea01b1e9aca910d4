//! Explains decisions out of the log.

use std::sync::Arc;
use std::time::Duration;

use decode::{Decoded, decode};
use explain::{Explanation, Recorded, Review};
use log::{Log, Reach, RecordKind, Start, Stored, Tail, Topic};
use model::{Decision, DecisionId, Offset, PolicyInForce, PolicyOrigin, Position};
use policy::Policy;
use scoring::Input;
use tokio_util::sync::CancellationToken;

use crate::readings::{Deadline, Over};

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
    #[error(
        "the log could not be read within {} s: over Kafka, `weir explain {id}` with the configuration of the log reads it itself \
         and takes its time; an embedded log it can read so while Weir is stopped",
        patience.as_secs()
    )]
    TooLong {
        /// The decision.
        id: DecisionId,
        /// How long it took.
        patience: Duration,
    },
    /// Weir is being stopped.
    #[error("Weir is ending")]
    Ending,
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
    shutdown: CancellationToken,
}

/// When reading for a decision has to end.
#[derive(Clone, Copy)]
struct Until<'a> {
    id: &'a DecisionId,
    deadline: &'a Deadline,
}

impl Until<'_> {
    fn check(self) -> Result<(), ExplainError> {
        self.deadline.check().map_err(|over| match over {
            Over::Ending => ExplainError::Ending,
            Over::TooLong(patience) => ExplainError::TooLong { id: self.id.clone(), patience },
        })
    }
}

impl Explainer {
    /// Explains what `log` holds by `policy`, and gives up after `patience`.
    pub fn new(log: Arc<dyn Log>, policy: Arc<Policy>, patience: Duration) -> Self {
        Self { log, policy, patience, shutdown: CancellationToken::new() }
    }

    /// The same, which also gives up at `shutdown`.
    #[must_use]
    pub fn until(self, shutdown: CancellationToken) -> Self {
        Self { shutdown, ..self }
    }

    /// Explains one decision. Blocking: reads the decisions, and then its partition's events up to the decision's.
    ///
    /// # Errors
    ///
    /// [`ExplainError`].
    pub fn explain(&self, id: &DecisionId) -> Result<Explanation, ExplainError> {
        self.explain_by(id, &Deadline::new(self.patience, self.shutdown.clone()))
    }

    /// The same, which gives up at `deadline` and nothing else.
    pub(crate) fn explain_by(&self, id: &DecisionId, deadline: &Deadline) -> Result<Explanation, ExplainError> {
        let deadline = Until { id, deadline };
        let recorded = self.find(id, deadline)?;
        let at = recorded.decision.offset;
        let Reach { start, .. } = self.log.reach(Topic::Events, at.partition)?;
        if start > at.offset {
            return Err(ExplainError::Gone { id: id.clone(), at, begins: start });
        }
        let history = self.history(&recorded.decision, deadline)?;
        let mut review = Review::new(recorded, history, Arc::clone(&self.policy));
        let begins = self.hand_over(&mut review, at, deadline)?;
        begins.map(|begins| review.finish(begins)).ok_or(ExplainError::Gone { id: id.clone(), at, begins: start })
    }

    /// The decision as it was published.
    fn find(&self, id: &DecisionId, deadline: Until<'_>) -> Result<Recorded, ExplainError> {
        let mut tail = self.log.tail(Topic::Decisions, Start::Earliest)?;
        while let Some(records) = next(tail.as_mut(), deadline)? {
            if let Some(found) = records.iter().filter_map(published).find(|recorded| recorded.decision.id == *id) {
                return Ok(found);
            }
        }
        Err(ExplainError::Unknown(id.clone()))
    }

    /// What was decided about the same customer before; a partition's decisions are made and published in one order.
    fn history(&self, decision: &Decision, deadline: Until<'_>) -> Result<Vec<Decision>, ExplainError> {
        let mut tail = self.log.tail_of(Topic::Decisions, decision.offset.partition, Start::Earliest)?;
        let mut history = Vec::new();
        while let Some(records) = next(tail.as_mut(), deadline)? {
            let theirs = records.iter().filter(|stored| stored.record.key == decision.customer.as_str());
            for Recorded { decision: earlier, .. } in theirs.filter_map(published) {
                if earlier.id == decision.id {
                    return Ok(history);
                }
                history.push(earlier);
            }
        }
        Ok(history)
    }

    /// Hands over the records of a partition of the events, up to that at `last`; the offset of the first, where there is
    /// any.
    fn hand_over(
        &self,
        review: &mut Review,
        last: Position,
        deadline: Until<'_>,
    ) -> Result<Option<Offset>, ExplainError> {
        let mut tail = self.log.tail_of(Topic::Events, last.partition, Start::Earliest)?;
        let (mut first, mut in_force) = (None, None);
        while let Some(records) = next(tail.as_mut(), deadline)? {
            for stored in &records {
                if stored.position.offset > last.offset {
                    return Ok(first);
                }
                first.get_or_insert(stored.position.offset);
                take(review, stored, &mut in_force);
            }
        }
        Ok(first)
    }
}

/// The decision that a record of their topic is.
fn published(stored: &Stored) -> Option<Recorded> {
    Recorded::read(&stored.record.value).ok()
}

/// The next records; `None` where what was there at the beginning has been read.
fn next(tail: &mut dyn Tail, deadline: Until<'_>) -> Result<Option<Vec<Stored>>, ExplainError> {
    if tail.caught_up() {
        return Ok(None);
    }
    deadline.check()?;
    Ok(Some(tail.next(WAIT)?))
}

/// Hands one record over, where it matters; `in_force` is whence the policy in force came.
fn take(review: &mut Review, stored: &Stored, in_force: &mut Option<PolicyOrigin>) {
    review.begin_at(stored.record.at);
    let is_of_a_customer = matches!(stored.record.kind, RecordKind::Event | RecordKind::Command);
    if is_of_a_customer && !decode::customer(&stored.record.key).is_some_and(|customer| review.concerns(&customer)) {
        return;
    }
    let offset = stored.position.offset;
    match decode(stored) {
        Decoded::Event(customer, event) => {
            review.take(offset, Input::Event(&customer, &event.to_event(), stored.record.at));
        }
        Decoded::Command(customer, command) => review.take(offset, Input::Command(&customer, command)),
        Decoded::Tick(tick) => review.take(offset, Input::Tick(tick)),
        Decoded::Policy(policy, PolicyInForce { change, .. }) if change.origin.replaces(*in_force) => {
            *in_force = Some(change.origin);
            review.take(offset, Input::Policy(policy));
        }
        Decoded::Policy(..) | Decoded::Unreadable(_) => {}
    }
}
