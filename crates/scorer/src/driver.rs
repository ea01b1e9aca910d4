//! The thread that polls the log and hands records to the partitions' folds.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use log::{Log, Outputs, Polled, Subscription, Topic};
use model::{CustomerId, PartitionId};
use policy::Policy;
use prometheus::Registry;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::Error;
use crate::handle::{Handle, Question, questions};
use crate::metrics::Metrics;
use crate::partition::PartitionTask;
use crate::store::Budget;

/// Settings of the scorer.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the partitions' states lie, a directory each.
    pub state: PathBuf,
    /// How much each partition's state may keep in memory.
    pub budget: Budget,
}

/// A running scorer.
#[derive(Debug)]
pub struct Scorer {
    handle: Handle,
    ended: oneshot::Receiver<Result<(), Error>>,
    thread: JoinHandle<()>,
}

/// The group that the scorers of one Weir form.
const GROUP: &str = "weir-scorer";
/// How long a poll waits: the longest a question or a shutdown waits, too.
const POLL: Duration = Duration::from_millis(50);
/// How long folded records may stay uncommitted while nothing is said.
const COMMIT_EVERY: Duration = Duration::from_secs(5);

impl Scorer {
    /// Starts the scorer's thread; it ends when `shutdown` is cancelled or when it fails.
    ///
    /// # Errors
    ///
    /// Where a metric can't be registered, the log not be read, or no thread be had.
    pub fn start(
        config: Config,
        log: &Arc<dyn Log>,
        policy: Arc<Policy>,
        registry: &Registry,
        shutdown: CancellationToken,
    ) -> Result<Self, Error> {
        let metrics = Metrics::register(registry)?;
        let (handle, asked) = questions();
        let subscription = log.subscribe(Topic::Events, GROUP).map_err(Error::log("subscribing to the events"))?;
        let outputs = log.outputs().map_err(Error::log("opening the outputs"))?;
        let partitions = log.partitions();
        let mut driver =
            Driver { config, policy, metrics, partitions, subscription, outputs, tasks: BTreeMap::new(), asked };
        let (end, ended) = oneshot::channel();
        let run = move || {
            let result = driver.run(&shutdown);
            // Nobody waits any more where the process is ending anyway.
            let _unheard = end.send(result);
        };
        let thread = std::thread::Builder::new().name("scorer".to_owned()).spawn(run);
        let thread = thread.map_err(|_| Error::Thread("could not be started"))?;
        Ok(Self { handle, ended, thread })
    }

    /// A way to ask it.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Waits for its end.
    ///
    /// # Errors
    ///
    /// What made it fail; `Ok` after an orderly shutdown.
    pub async fn ended(self) -> Result<(), Error> {
        let result = self.ended.await.unwrap_or(Err(Error::Thread("ended without a word")));
        let joined = tokio::task::spawn_blocking(move || self.thread.join()).await;
        match joined {
            Ok(Ok(())) => result,
            _ => Err(Error::Thread("panicked")),
        }
    }
}

struct Driver {
    config: Config,
    policy: Arc<Policy>,
    metrics: Metrics,
    partitions: log::PartitionCount,
    subscription: Box<dyn Subscription>,
    outputs: Box<dyn Outputs>,
    tasks: BTreeMap<PartitionId, PartitionTask>,
    asked: Receiver<Question>,
}

impl Driver {
    fn run(&mut self, shutdown: &CancellationToken) -> Result<(), Error> {
        let mut committed = Instant::now();
        while !shutdown.is_cancelled() {
            match self.subscription.poll(POLL).map_err(Error::log("polling the events"))? {
                Polled::Assigned(partitions) => self.assigned(&partitions)?,
                Polled::Revoked(partitions) => self.revoked(&partitions)?,
                Polled::Records(partition, records) => self.records(partition, &records)?,
                Polled::Idle => {}
            }
            if committed.elapsed() >= COMMIT_EVERY {
                self.commit_all()?;
                committed = Instant::now();
            }
            self.answer()?;
        }
        let owned: Vec<_> = self.tasks.keys().copied().collect();
        self.revoked(&owned)
    }

    fn assigned(&mut self, partitions: &[PartitionId]) -> Result<(), Error> {
        for id in partitions {
            let terms = (Arc::clone(&self.policy), self.config.budget);
            let task =
                PartitionTask::open(&self.config.state, *id, terms, self.metrics.clone(), self.outputs.as_mut())?;
            // A state that begins anew begins with what the log still has; any other must find its own place there.
            let earliest = self.subscription.earliest(*id).map_err(Error::log("finding the log's beginning"))?;
            let from = if task.is_new() { earliest } else { task.next_offset() };
            tracing::info!(partition = %id, offset = %from, "partition assigned");
            self.subscription.seek(*id, from).map_err(Error::log("finding the state's place"))?;
            self.tasks.insert(*id, task);
        }
        Ok(())
    }

    fn revoked(&mut self, partitions: &[PartitionId]) -> Result<(), Error> {
        for id in partitions {
            if let Some(task) = self.tasks.remove(id) {
                let next = task.next_offset();
                task.close(self.outputs.as_mut())?;
                self.subscription.commit(*id, next).map_err(Error::log("telling how far it is"))?;
                tracing::info!(partition = %id, offset = %next, "partition given up");
            }
        }
        Ok(())
    }

    fn records(&mut self, partition: PartitionId, records: &[log::Stored]) -> Result<(), Error> {
        let Some(task) = self.tasks.get_mut(&partition) else { return Ok(()) };
        task.fold(records)?;
        if task.wants_commit() { self.commit(partition) } else { Ok(()) }
    }

    fn commit_all(&mut self) -> Result<(), Error> {
        let waiting = self.tasks.iter().filter(|(_, task)| task.uncommitted() > 0);
        let waiting: Vec<_> = waiting.map(|(id, _)| *id).collect();
        waiting.into_iter().try_for_each(|id| self.commit(id))
    }

    fn commit(&mut self, partition: PartitionId) -> Result<(), Error> {
        let Some(task) = self.tasks.get_mut(&partition) else { return Ok(()) };
        task.commit(self.outputs.as_mut())?;
        let next = task.next_offset();
        self.subscription.commit(partition, next).map_err(Error::log("telling how far it is"))?;
        let cached: usize = self.tasks.values().map(PartitionTask::cached).sum();
        self.metrics.cached.set(i64::try_from(cached).unwrap_or(i64::MAX));
        Ok(())
    }

    fn answer(&self) -> Result<(), Error> {
        while let Ok(Question { customer, answer }) = self.asked.try_recv() {
            let view = self.view(&customer)?;
            // Whoever asked may have gone.
            let _unheard = answer.send(view);
        }
        Ok(())
    }

    fn view(&self, customer: &CustomerId) -> Result<Option<model::CustomerView>, Error> {
        let partition = log::partition_of(customer.as_str().as_bytes(), self.partitions);
        self.tasks.get(&partition).map_or(Ok(None), |task| task.view(customer))
    }
}
