//! One partition: its fold, its state, and what it says.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use decode::{Decoded, decode};
use log::{Outputs, Sequence, Stored};
use model::{Counter, CustomerId, CustomerView, Offset, PartitionId, PolicyInForce, PolicyView};
use policy::Policy;
use scoring::{Applied, Effect, Fold, Input, Said};
use telemetry::{Role, Span, TRACEPARENT, TraceParent};

use crate::marks::PolicyMarks;
use crate::metrics::{Became, Metrics, Shown};
use crate::publisher::Publisher;
use crate::recalled::Recalled;
use crate::repetition::Repetition;
use crate::store::{Budget, Opened, RocksStore};
use crate::{Error, in_force, publish};

/// Records folded at most before a commit: what a crash makes the fold do again, and what bounds the memory between
/// commits. Seldom commits let a customer that is touched again and again be written once.
const UNCOMMITTED_RECORDS: u64 = 1_000_000;

/// Outputs that may wait to be committed, and then to be published; beyond them the fold waits.
const UNPUBLISHED: usize = 50_000;
/// Standings that are said again behind one record.
const SAID_AGAIN: usize = 5_000;
/// How long the fold waits for outputs to be published, at most, before its driver looks around.
const PUBLISHING: Duration = Duration::from_secs(10);

/// The fold of one partition, with its state.
#[derive(Debug)]
pub struct PartitionTask {
    id: PartitionId,
    fold: Fold,
    store: RocksStore,
    metrics: Metrics,
    shown: Shown,
    /// The first offset not yet folded; ahead of the committed one.
    next: Offset,
    /// How much was said since the last commit.
    said: usize,
    /// How long the fold may yet wait for outputs to be published, before its driver is to look around.
    patience: Duration,
    publisher: Publisher,
    /// The last output given to the publisher.
    handed: Sequence,
    repetition: Repetition,
}

impl PartitionTask {
    /// Opens the state of partition `id` below `root`, or begins an empty one, and publishes what it said before and is
    /// not yet published. It goes on under the policy that a record put in force, and under `policy` while none has.
    ///
    /// # Errors
    ///
    /// Those of the state and of the log.
    pub fn open(
        root: &Path,
        id: PartitionId,
        (policy, budget): (Arc<Policy>, Budget),
        metrics: Metrics,
        outputs: Box<dyn Outputs>,
    ) -> Result<Self, Error> {
        Self::on(RocksStore::open(root, id, budget)?, id, policy, metrics, (outputs, || Ok(Vec::new())))
    }

    /// The partition `id` on a state that is open. `recall` reads what the log still tells of its customers beside events; it is
    /// asked where the state does not know all that was said before.
    pub(crate) fn on(
        Opened { mut store, partition }: Opened,
        id: PartitionId,
        policy: Arc<Policy>,
        metrics: Metrics,
        (mut outputs, recall): (Box<dyn Outputs>, impl FnOnce() -> Result<Vec<Recalled>, Error>),
    ) -> Result<Self, Error> {
        let policy = in_force::policy_of(&store, id, policy)?;
        metrics.expect(&policy);
        let mut fold = Fold::new(policy, id, partition);
        let next = store.next_offset();
        let published = outputs.last_published().map_err(Error::log("reading back what was published"))?;
        let publisher = Publisher::start(outputs)?;
        let handed = Sequence::default();
        let repetition = Repetition::of(&mut store, fold.policy().digest(), published);
        if let Repetition::Other(Some(published)) = repetition
            && next <= published.said_at
        {
            fold.only_count_to(published.said_at);
            recall()?.into_iter().try_for_each(|recalled| recalled.put_into(&mut fold, &mut store))?;
        }
        let (said, patience) = (0, PUBLISHING);
        let shown = metrics.of(id);
        let mut task = Self { id, fold, store, metrics, shown, next, said, patience, publisher, handed, repetition };
        task.shown.folded(next, task.fold.partition().now().unwrap_or_default());
        task.publish()?;
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

    /// Folds records, in their order; commits in between where they make much be said, as everybody's standing behind a policy.
    ///
    /// # Errors
    ///
    /// As [`PartitionTask::commit`].
    pub fn fold(&mut self, records: &[Stored]) -> Result<(), Error> {
        self.patience = PUBLISHING;
        for stored in records {
            if self.repetition.ends_before(stored.position.offset) {
                self.end_repetition();
            }
            self.next = stored.position.offset.next();
            if let Some(applied) = self.apply(stored)? {
                self.count(&applied);
                self.say_all(stored, &applied)?;
            }
            self.say_again()?;
            if self.said > UNPUBLISHED {
                self.commit()?;
            }
        }
        if let Some(last) = records.last() {
            self.shown.folded(self.next, last.record.at);
        }
        Ok(())
    }

    /// From here on what is said is new, whatever the repetition said.
    fn end_repetition(&mut self) {
        if let Some(published) = self.repetition.published() {
            self.store.number_behind(published.sequence);
        }
        if self.repetition.is_other() {
            self.store.policies_mut().say_all(self.fold.policy().digest());
        }
        self.repetition = Repetition::Over;
    }

    /// Says where the next customers stand, of those whose standing is to be said again. Behind what the record itself made be
    /// said, so that this has the same number in every repetition.
    fn say_again(&mut self) -> Result<(), Error> {
        let Some(name) = self.store.policies().said_up_to() else { return Ok(()) };
        let these = self.store.behind(name, SAID_AGAIN)?;
        let is_end = these.len() < SAID_AGAIN;
        self.store.policies_mut().said(these.last().filter(|_| !is_end));
        let now = self.fold.partition().now().unwrap_or_default();
        for id in these {
            let Some(customer) = self.store.peek(&id)?.filter(|customer| !customer.is_new()) else { continue };
            self.say(&Said::Standing(customer.standing(&id, self.fold.policy(), now)), None)?;
            if !customer.is_plain() {
                self.say(&Said::Profile(customer.profile(&id)), None)?;
            }
        }
        Ok(())
    }

    fn apply(&mut self, stored: &Stored) -> Result<Option<Applied>, Error> {
        let offset = stored.position.offset;
        self.fold.begin_at(stored.record.at);
        let applied = match decode(stored) {
            Decoded::Event(id, event) => {
                let event = event.to_event();
                let applied = self.fold.apply(&mut self.store, offset, Input::Event(&id, &event, stored.record.at))?;
                if matches!(applied.effect, Effect::Counted(Counter::Processed)) {
                    let metrics = &self.metrics;
                    let processed =
                        if event.pool.is_some() { &metrics.processed_named } else { &metrics.processed_without };
                    processed.inc();
                }
                applied
            }
            Decoded::Command(id, command) => self.fold.apply(&mut self.store, offset, Input::Command(&id, command))?,
            Decoded::Tick(tick) => self.fold.apply(&mut self.store, offset, Input::Tick(tick))?,
            Decoded::Policy(policy, in_force) => return self.take_policy(offset, policy, in_force),
            Decoded::Unreadable(why) => {
                tracing::warn!(partition = %self.id, %offset, why, "a record is left out");
                self.metrics.took(Became::Unreadable);
                return Ok(None);
            }
        };
        Ok(Some(applied))
    }

    /// Goes over to a policy. Where everybody stands is said again under it: pools and caps may be others.
    fn take_policy(
        &mut self,
        offset: Offset,
        policy: Arc<Policy>,
        in_force: PolicyInForce,
    ) -> Result<Option<Applied>, Error> {
        if !self.store.policies().takes(in_force.change.origin) {
            self.metrics.took(Became::PolicyRepeated);
            return Ok(None);
        }
        let digest = policy.digest().to_owned();
        let is_another = digest != self.fold.policy().digest();
        self.store.policies_mut().take(in_force);
        self.metrics.expect(&policy);
        let applied = self.fold.apply(&mut self.store, offset, Input::Policy(policy))?;
        // What may say something else than before says everybody's standing at its end anyway.
        if is_another && !self.repetition.is_other() {
            tracing::info!(partition = %self.id, %offset, policy = digest, "another policy is in force");
            self.store.policies_mut().say_all(&digest);
        }
        Ok(Some(applied))
    }

    /// Says what the record at hand makes be said. Where it is of a sampled trace, what is said carries the context on: it
    /// follows from the record alone, so that every repetition says the same.
    fn say_all(&mut self, stored: &Stored, applied: &Applied) -> Result<(), Error> {
        if applied.said.is_empty() {
            return Ok(());
        }
        let trace = TraceParent::read(stored.record.header(TRACEPARENT).map(AsRef::as_ref));
        let _span = trace.as_ref().and_then(|trace| self.span(trace, stored, applied));
        applied.said.iter().try_for_each(|said| self.say(said, trace.as_ref()))
    }

    /// A span for a record that brought a decision about; none for one that is folded again.
    fn span(&self, trace: &TraceParent, stored: &Stored, applied: &Applied) -> Option<Span> {
        let decision = applied.said.iter().find_map(|said| match said {
            Said::Decision(decision) => Some(decision),
            Said::Standing(_) | Said::Profile(_) | Said::AccountStatus(_) | Said::Share(_) => None,
        })?;
        if !matches!(self.repetition, Repetition::Over) {
            return None;
        }
        let mut span = self.metrics.tracing.go_on(trace, "decide", Role::Consumer)?;
        span.say("weir.customer", decision.customer.to_string());
        span.say("weir.rule", decision.rule.to_string());
        span.say("weir.to", decision.to.name());
        span.say("weir.decision", decision.id.to_string());
        span.say("weir.partition", self.id.to_string());
        span.say("weir.offset", stored.position.offset.to_string());
        Some(span)
    }

    fn say(&mut self, said: &Said, trace: Option<&TraceParent>) -> Result<(), Error> {
        if self.repetition.is_other() {
            return Ok(());
        }
        let now = self.fold.partition().now().unwrap_or_default();
        let said_at = Offset::new(self.next.get().saturating_sub(1));
        let sequence = self.store.next_sequence(said_at);
        let marks = matches!(said, Said::Share(_)).then(|| self.marks());
        self.store.put_in_outbox(publish::output((self.id, now), (sequence, said_at), (said, marks), trace)?);
        self.said = self.said.saturating_add(1);
        Ok(())
    }

    fn marks(&self) -> PolicyMarks {
        let in_force = self.store.policies().in_force();
        PolicyMarks {
            policy: in_force.map(|_| self.fold.policy().digest().to_owned()),
            file: in_force.and_then(|in_force| in_force.change.file.clone()),
        }
    }

    /// Whether a commit is due: something was said, or much was folded.
    pub fn wants_commit(&self) -> bool {
        self.said > 0 || self.uncommitted() >= UNCOMMITTED_RECORDS
    }

    /// How many offsets the fold is ahead of its stored state.
    pub(crate) fn uncommitted(&self) -> u64 {
        self.next.get().saturating_sub(self.store.next_offset().get())
    }

    /// Commits state, position and outbox in one batch, and has the outbox published.
    ///
    /// # Errors
    ///
    /// Those of the state and of the log, also of what was to be published before. The task must then be dropped and
    /// opened again.
    pub fn commit(&mut self) -> Result<(), Error> {
        let timer = self.metrics.commit.start_timer();
        self.store.commit(self.next, self.fold.partition())?;
        timer.observe_duration();
        self.said = 0;
        self.publish()?;
        self.show();
        Ok(())
    }

    /// Commits, and waits at most `patience` until what was said is published.
    ///
    /// # Errors
    ///
    /// As [`PartitionTask::commit`].
    pub fn drain(&mut self, patience: Duration) -> Result<(), Error> {
        self.commit()?;
        self.publisher.wait_for(self.handed, patience);
        self.forget_published()
    }

    /// Drains, and writes everything to disk, so that the next opening has nothing to replay.
    ///
    /// # Errors
    ///
    /// As [`PartitionTask::commit`].
    pub fn settle(&mut self, patience: Duration) -> Result<(), Error> {
        self.drain(patience)?;
        self.store.checkpoint()
    }

    /// Commits, and copies the state to `folder`, which must not be there yet.
    ///
    /// # Errors
    ///
    /// As [`PartitionTask::commit`].
    pub fn copy_to(&mut self, folder: &Path) -> Result<(), Error> {
        self.commit()?;
        self.store.copy_to(folder)
    }

    /// How many customers it holds in memory.
    pub(crate) fn cached(&self) -> usize {
        self.store.cached()
    }

    /// How much of what it said is not yet known to be published.
    pub(crate) fn unpublished(&self) -> usize {
        self.store.outbox().len()
    }

    /// Shows how large its state is.
    pub(crate) fn show_size(&self) {
        self.shown.bytes.set(i64::try_from(self.store.bytes()).unwrap_or(i64::MAX));
    }

    /// The customer as it is known at this moment. A source's mail of nobody is known always: where all was told or joined, it is none.
    ///
    /// # Errors
    ///
    /// Those of the state.
    pub(crate) fn view(&self, id: &CustomerId) -> Result<Option<CustomerView>, Error> {
        let now = self.fold.partition().now().unwrap_or_default();
        let customer = self.store.peek(id)?.or_else(|| id.is_unattributed().then(Default::default));
        Ok(customer.map(|customer| scoring::view(id, &customer, self.fold.policy(), now)))
    }

    /// The policy that it judges by.
    pub(crate) fn policy(&self) -> PolicyView {
        PolicyView { digest: self.fold.policy().digest().to_owned(), record: self.store.policies().in_force().cloned() }
    }

    /// Gives what is new in the outbox to the publisher, and forgets what is published.
    fn publish(&mut self) -> Result<(), Error> {
        let new: Vec<_> = self.store.outbox().iter().filter(|output| output.sequence > self.handed).cloned().collect();
        if let Some(last) = new.last() {
            self.handed = last.sequence;
        }
        self.publisher.send(new);
        if self.store.outbox().len() > UNPUBLISHED {
            let began = Instant::now();
            self.publisher.wait_for(self.handed, self.patience);
            self.patience = self.patience.saturating_sub(began.elapsed());
        }
        self.forget_published()
    }

    fn forget_published(&mut self) -> Result<(), Error> {
        let published = self.publisher.published()?;
        let before = self.store.outbox().len();
        if self.store.outbox().first().is_some_and(|first| first.sequence <= published) {
            self.store.published(published)?;
        }
        let gone = before.saturating_sub(self.store.outbox().len());
        self.metrics.outputs.inc_by(gone as u64);
        Ok(())
    }

    fn count(&self, applied: &Applied) {
        self.metrics.took(applied.effect.into());
        for said in &applied.said {
            match said {
                Said::Decision(decision) => {
                    self.metrics.decisions.with_label_values(&[decision.rule.as_str(), decision.to.name()]).inc();
                }
                // What is folded again calls nobody a second time.
                Said::AccountStatus(change) if matches!(self.repetition, Repetition::Over) => {
                    let (whom, status) = (change.whom(), change.status.name());
                    tracing::warn!(whom, status, at = %change.at, "SendGrid changed the status of an account");
                    self.metrics.account_status(change.status);
                }
                Said::AccountStatus(_) | Said::Standing(_) | Said::Profile(_) | Said::Share(_) => {}
            }
        }
    }

    /// Shows the partition's figures as of now.
    fn show(&self) {
        self.shown.customers(self.fold.partition().stages());
        if let Some(now) = self.fold.partition().now() {
            self.metrics.tick.set(now.seconds());
        }
    }
}
