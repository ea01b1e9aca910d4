//! Taking a partition over: its own state, a checkpoint, or nothing but the log; whichever is furthest.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use log::{Log, Reach, Topic};
use model::{Offset, PartitionId};
use policy::Policy;

use crate::checkpoints::Checkpoints;
use crate::metrics::Metrics;
use crate::partition::PartitionTask;
use crate::store::{self, Budget, Opened, RocksStore};
use crate::{CheckpointError, Error};

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
    pub(crate) fn open(&self, id: PartitionId) -> Result<(PartitionTask, Offset), Error> {
        let reach = self.log.reach(Topic::Events, id).map_err(Error::log("finding the log's beginning"))?;
        let opened = self.state(id, reach)?;
        let outputs = self.log.outputs(id).map_err(Error::log("taking over what a partition says"))?;
        let task = PartitionTask::on(opened, id, Arc::clone(&self.policy), self.metrics.clone(), outputs)?;
        // A state that begins anew begins with what the log still has; any other must find its own place there.
        let from = if task.is_new() { reach.start } else { task.next_offset() };
        Ok((task, from))
    }

    fn state(&self, id: PartitionId, reach: Reach) -> Result<Opened, Error> {
        let folder = store::folder_of(&self.root, id);
        let local = if folder.exists() { self.open_local(id)? } else { None };
        let Some(checkpoints) = &self.checkpoints else { return local.map_or_else(|| self.open_state(id), Ok) };
        let stands = local.as_ref().map(|opened| opened.store.next_offset());
        match (stands, checkpoints.newest(id, reach)) {
            (Some(_), Err(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "no checkpoint is looked for");
            }
            (None, Err(error)) => return Err(error.into()),
            (stands, Ok(newest)) if newest > stands => {
                drop(local);
                self.restore(checkpoints, id, reach, &folder)?;
                return self.open_state(id);
            }
            _ => {}
        }
        local.map_or_else(|| self.open_state(id), Ok)
    }

    fn open_state(&self, id: PartitionId) -> Result<Opened, Error> {
        RocksStore::open(&self.root, id, self.budget)
    }

    /// The state that lies here; one that is damaged is moved aside, because it can be had again.
    fn open_local(&self, id: PartitionId) -> Result<Option<Opened>, Error> {
        let error = match self.open_state(id) {
            Ok(opened) => return Ok(Some(opened)),
            Err(error) if error.is_damage() => error,
            Err(error) => return Err(error),
        };
        let folder = store::folder_of(&self.root, id);
        let aside = (0..).map(|number| folder.with_extension(format!("damaged-{number}"))).find(|path| !path.exists());
        let Some(aside) = aside else { return Err(error) };
        let (path, error) = (aside.display(), &error as &dyn std::error::Error);
        tracing::error!(partition = %id, error, %path, "a damaged state is moved aside and had again");
        std::fs::rename(&folder, &aside).map_err(|source| Error::Directory { path: aside, source })?;
        Ok(None)
    }

    /// Puts the newest usable checkpoint in the place of the state.
    fn restore(&self, from: &Checkpoints, id: PartitionId, reach: Reach, folder: &Path) -> Result<(), Error> {
        let staging = folder.with_extension("restoring");
        remove(&staging)?;
        let Some(offset) = from.restore(id, reach, &staging)? else { return Ok(()) };
        remove(folder)?;
        std::fs::rename(&staging, folder).map_err(|source| Error::Directory { path: folder.to_owned(), source })?;
        self.metrics.restored.inc();
        tracing::info!(partition = %id, %offset, "restored from a checkpoint");
        Ok(())
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
