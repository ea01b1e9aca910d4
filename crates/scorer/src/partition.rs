//! One partition: its fold, its state, and what it says.

use std::path::Path;
use std::sync::Arc;

use log::{Outputs, Stored};
use model::{CustomerId, CustomerView, Offset, PartitionId};
use policy::Policy;
use scoring::{Applied, Effect, Fold, Input, Said};

use crate::decode::{Decoded, decode};
use crate::metrics::Metrics;
use crate::store::{Budget, RocksStore};
use crate::{Error, publish};

/// Records folded at most before a commit: what a crash makes the fold do again, and what bounds the memory between
/// commits. Seldom commits let a customer that is touched again and again be written once.
const UNCOMMITTED_RECORDS: u64 = 1_000_000;

/// The fold of one partition, with its state.
#[derive(Debug)]
pub struct PartitionTask {
    id: PartitionId,
    fold: Fold,
    store: RocksStore,
    metrics: Metrics,
    /// The first offset not yet folded; ahead of the committed one.
    next: Offset,
    /// Whether something was said since the last commit.
    said: bool,
}

impl PartitionTask {
    /// Opens the state of partition `id` below `root` and publishes what it said before and is not yet published.
    ///
    /// # Errors
    ///
    /// Those of the state and of the log.
    pub fn open(
        root: &Path,
        id: PartitionId,
        (policy, budget): (Arc<Policy>, Budget),
        metrics: Metrics,
        outputs: &mut dyn Outputs,
    ) -> Result<Self, Error> {
        let opened = RocksStore::open(root, id, budget)?;
        let fold = Fold::new(policy, id, opened.partition);
        let next = opened.store.next_offset();
        let mut task = Self { id, fold, store: opened.store, metrics, next, said: false };
        task.publish(outputs)?;
        task.show();
        Ok(task)
    }

    /// The first offset that it needs.
    pub const fn next_offset(&self) -> Offset {
        self.next
    }

    /// Whether it has never folded anything.
    pub(crate) fn is_new(&self) -> bool {
        self.next == Offset::ZERO
    }

    /// Folds records, in their order.
    ///
    /// # Errors
    ///
    /// Those of the state. The task must then be dropped and opened again.
    pub fn fold(&mut self, records: &[Stored]) -> Result<(), Error> {
        for stored in records {
            self.next = stored.position.offset.next();
            let Some(applied) = self.apply(stored)? else { continue };
            self.count(&applied);
            for said in &applied.said {
                self.say(said)?;
            }
        }
        Ok(())
    }

    fn apply(&mut self, stored: &Stored) -> Result<Option<Applied>, Error> {
        let offset = stored.position.offset;
        let applied = match decode(stored) {
            Decoded::Event(id, event) => {
                let event = event.to_event();
                self.fold.apply(&mut self.store, offset, Input::Event(&id, &event, stored.record.at))?
            }
            Decoded::Command(id, command) => self.fold.apply(&mut self.store, offset, Input::Command(&id, command))?,
            Decoded::Tick(tick) => self.fold.apply(&mut self.store, offset, Input::Tick(tick))?,
            Decoded::Unreadable(why) => {
                tracing::warn!(partition = %self.id, %offset, why, "a record is left out");
                self.metrics.records.with_label_values(&["unreadable"]).inc();
                return Ok(None);
            }
        };
        Ok(Some(applied))
    }

    fn say(&mut self, said: &Said) -> Result<(), Error> {
        let now = self.fold.partition().now().unwrap_or_default();
        let sequence = self.store.next_sequence();
        self.store.put_in_outbox(publish::output(self.id, sequence, now, said)?);
        self.said = true;
        Ok(())
    }

    /// Whether a commit is due: something was said, or much was folded.
    pub fn wants_commit(&self) -> bool {
        self.said || self.uncommitted() >= UNCOMMITTED_RECORDS
    }

    /// How many offsets the fold is ahead of its stored state.
    pub(crate) fn uncommitted(&self) -> u64 {
        self.next.get().saturating_sub(self.store.next_offset().get())
    }

    /// Commits state, position and outbox in one batch, then publishes the outbox.
    ///
    /// # Errors
    ///
    /// Those of the state and of the log. The task must then be dropped and opened again.
    pub fn commit(&mut self, outputs: &mut dyn Outputs) -> Result<(), Error> {
        let timer = self.metrics.commit.start_timer();
        self.store.commit(self.next, self.fold.partition())?;
        timer.observe_duration();
        self.said = false;
        self.publish(outputs)?;
        self.show();
        Ok(())
    }

    /// Commits and writes everything to disk, so that the next opening has nothing to replay.
    ///
    /// # Errors
    ///
    /// As [`PartitionTask::commit`].
    pub fn close(mut self, outputs: &mut dyn Outputs) -> Result<(), Error> {
        self.commit(outputs)?;
        self.store.checkpoint()
    }

    /// How many customers it holds in memory.
    pub(crate) fn cached(&self) -> usize {
        self.store.cached()
    }

    /// The customer as it is known at this moment.
    ///
    /// # Errors
    ///
    /// Those of the state.
    pub(crate) fn view(&self, id: &CustomerId) -> Result<Option<CustomerView>, Error> {
        let now = self.fold.partition().now().unwrap_or_default();
        let customer = self.store.peek(id)?;
        Ok(customer.map(|customer| scoring::view(id, &customer, self.fold.policy(), now)))
    }

    fn publish(&mut self, outputs: &mut dyn Outputs) -> Result<(), Error> {
        let Some(last) = self.store.outbox().last().map(|output| output.sequence) else { return Ok(()) };
        outputs.publish(self.id, self.store.outbox()).map_err(Error::log("publishing what was decided"))?;
        self.metrics.outputs.inc_by(self.store.outbox().len() as u64);
        self.store.published(last)
    }

    fn count(&self, applied: &Applied) {
        let effect = match applied.effect {
            Effect::Counted(_) => "counted",
            Effect::NotCounted => "not_counted",
            Effect::Duplicate => "duplicate",
            Effect::Late => "late",
            Effect::Future => "future",
            Effect::Followed => "command",
            Effect::Ticked => "tick",
        };
        self.metrics.records.with_label_values(&[effect]).inc();
        for said in &applied.said {
            if let Said::Decision(decision) = said {
                self.metrics.decisions.with_label_values(&[decision.rule.as_str(), decision.to.name()]).inc();
            }
        }
    }

    /// Shows the partition's figures as of now.
    fn show(&self) {
        let partition = self.id.to_string();
        let gauge = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.metrics.offset.with_label_values(&[&partition]).set(gauge(self.next.get()));
        for (stage, customers) in self.fold.partition().stages() {
            self.metrics.customers.with_label_values(&[partition.as_str(), stage.name()]).set(gauge(*customers));
        }
        if let Some(now) = self.fold.partition().now() {
            self.metrics.tick.set(now.seconds());
        }
    }
}
