//! Taking a partition over: its own state, a checkpoint, or nothing but the log; whichever is furthest.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use log::{Log, Reach, Topic};
use model::{Offset, PartitionId};
use policy::Policy;

use crate::checkpoints::Checkpoints;
use crate::metrics::Metrics;
use crate::partition::PartitionTask;
use crate::store::{self, Budget, Opened, RocksStore};
use crate::{CheckpointError, Error, recalled};

/// A checkpoint that is being brought lies under the state's name with this extension.
const RESTORING: &str = "restoring";
/// A copy that is to be stored lies under the state's name with this extension and the offset.
const COPY: &str = "copy-";

/// Where a copy of the state of partition `id` at `offset` lies until it is stored.
pub(crate) fn copy_of(root: &Path, id: PartitionId, offset: Offset) -> PathBuf {
    store::folder_of(root, id).with_extension(format!("{COPY}{offset}"))
}

/// An order to open a partition, which may be called off. Clones are the same order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Order(Arc<AtomicBool>);

impl Order {
    pub(crate) fn call_off(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Refuses to go on where the partition is another's by now.
    fn check(&self, partition: PartitionId) -> Result<(), Error> {
        if self.0.load(Ordering::Acquire) {
            return Err(Error::log("opening it")(log::Error::Fenced { partition }));
        }
        Ok(())
    }
}

/// What it takes to open a partition. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Opener {
    pub(crate) root: PathBuf,
    pub(crate) budget: Budget,
    pub(crate) policy: Arc<Policy>,
    pub(crate) metrics: Metrics,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) checkpoints: Option<Checkpoints>,
}

impl Opener {
    /// Opens the partition `id`, and says where it goes on. Blocking: it may bring a checkpoint from afar.
    pub(crate) fn open(&self, id: PartitionId, order: &Order) -> Result<(PartitionTask, Offset), Error> {
        let reach = self.log.reach(Topic::Events, id).map_err(Error::log("finding the log's beginning"))?;
        let opened = self.state(id, reach, order)?;
        order.check(id)?;
        let outputs = self.log.outputs(id).map_err(Error::log("taking over what a partition says"))?;
        let recall = || recalled::recall(self.log.as_ref(), id);
        let task = PartitionTask::on(opened, id, Arc::clone(&self.policy), self.metrics.clone(), (outputs, recall))?;
        // A state that begins anew begins with what the log still has; any other must find its own place there.
        let from = if task.is_new() { reach.start } else { task.next_offset() };
        Ok((task, from))
    }

    /// The state that is furthest: the one that lies here, or a checkpoint.
    fn state(&self, id: PartitionId, reach: Reach, order: &Order) -> Result<Opened, Error> {
        let folder = store::folder_of(&self.root, id);
        let local = if folder.exists() { self.open_local(id, reach)? } else { None };
        let Some(checkpoints) = &self.checkpoints else { return local.map_or_else(|| self.open_state(id), Ok) };
        let stands = local.as_ref().map(|opened| opened.store.next_offset()).filter(|stands| *stands > Offset::ZERO);
        match (stands, checkpoints.newest(id, reach)) {
            (Some(_), Err(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "no checkpoint is looked for");
            }
            (None, Err(error)) => return Err(error.into()),
            (stands, Ok(newest)) if newest > stands => {
                drop(local);
                self.restore(checkpoints, (id, order), Reach { start: stands.unwrap_or(reach.start), ..reach })?;
                return self.open_state(id);
            }
            _ => {}
        }
        local.map_or_else(|| self.open_state(id), Ok)
    }

    fn open_state(&self, id: PartitionId) -> Result<Opened, Error> {
        RocksStore::open(&self.root, id, self.budget)
    }

    /// The state that lies here; one that is damaged, or that the log has left behind, is set aside, because it can be had
    /// again.
    fn open_local(&self, id: PartitionId, reach: Reach) -> Result<Option<Opened>, Error> {
        let opened = match self.open_state(id) {
            Ok(opened) => opened,
            Err(error) if error.is_damage() => {
                tracing::error!(partition = %id, error = &error as &dyn std::error::Error, "a damaged state");
                self.set_aside(id)?;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let stands = opened.store.next_offset();
        if stands == Offset::ZERO || stands >= reach.start {
            return Ok(Some(opened));
        }
        let begins = reach.start;
        tracing::error!(partition = %id, %stands, %begins, "retention has overtaken the state: what lies between is not counted");
        drop(opened);
        self.set_aside(id)?;
        Ok(None)
    }

    /// Moves a state out of the way, in the place of an earlier one.
    pub(crate) fn set_aside(&self, id: PartitionId) -> Result<(), Error> {
        let folder = store::folder_of(&self.root, id);
        store::set_aside(&folder, "damaged")?;
        tracing::error!(partition = %id, "the state is set aside and had again");
        Ok(())
    }

    /// Puts the newest usable checkpoint within `reach` in the place of the state.
    fn restore(&self, from: &Checkpoints, (id, order): (PartitionId, &Order), reach: Reach) -> Result<(), Error> {
        let folder = store::folder_of(&self.root, id);
        let staging = folder.with_extension(RESTORING);
        remove(&staging)?;
        let Some(offset) = from.restore(id, reach, &staging)? else { return Ok(()) };
        order.check(id)?;
        remove(&folder)?;
        std::fs::rename(&staging, &folder).map_err(|source| Error::Directory { path: folder, source })?;
        self.metrics.restored.inc();
        tracing::info!(partition = %id, %offset, "restored from a checkpoint");
        Ok(())
    }
}

/// Removes what an earlier process did not finish: copies for checkpoints, and checkpoints half brought.
pub(crate) fn sweep(root: &Path) {
    for entry in std::fs::read_dir(root).into_iter().flatten().flatten() {
        let path = entry.path();
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if (extension.starts_with(COPY) || extension == RESTORING)
            && let Err(error) = remove(&path)
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "left behind");
        }
    }
}

/// Removes a folder, where there is one.
pub(crate) fn remove(folder: &Path) -> Result<(), Error> {
    match std::fs::remove_dir_all(folder) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::Directory { path: folder.to_owned(), source })
        }
        _ => Ok(()),
    }
}

impl From<CheckpointError> for Error {
    fn from(source: CheckpointError) -> Self {
        Self::Checkpoint(source)
    }
}
