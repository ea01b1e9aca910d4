//! Copies of partitions' states in an object store, so that a new owner of a partition need not replay the whole log.
//!
//! ```text
//! {log}/partition-3/files/{digest}-{size}            a file of the state, under its content: unchanged ones are kept once
//! {log}/partition-3/checkpoints/{offset}.json        what a copy consists of; written last
//! ```
//!
//! `{log}` tells the logs apart whose states are kept in one store: offsets of one mean nothing in another.
//!
//! A copy is used only where every byte of it is what its manifest says. Blocking: it lives on threads of its own.

mod manifest;
mod transfer;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use log::Reach;
use model::{Offset, PartitionId};
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt as _};

use self::manifest::Manifest;

/// Copies kept of each partition: where the newest is damaged, an older one serves.
const KEPT: usize = 3;
/// How old a file must be before it is taken for a leftover. An owner that was replaced may still be writing.
const LEFTOVER: Duration = Duration::from_secs(3_600);

/// Why a copy can't be made or used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The URL of the store is not understood.
    #[error("{url:?} is no place for checkpoints; one is file:///…, s3://bucket/…, gs://… or az://…")]
    Url {
        /// As it was configured.
        url: String,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store failed.
    #[error("checkpoints at {url}: {doing} failed")]
    Store {
        /// Which store.
        url: String,
        /// What was being done.
        doing: &'static str,
        /// What it said.
        #[source]
        source: object_store::Error,
    },
    /// A file of the state can't be read or written here.
    #[error("checkpoints: {path}")]
    File {
        /// Which.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A copy is not what it should be.
    #[error("checkpoint {key} is not used: {what}")]
    Unusable {
        /// Which.
        key: String,
        /// What is wrong.
        what: String,
    },
}

impl CheckpointError {
    /// Whether the copy is at fault, and not the way to it.
    const fn is_of_the_copy(&self) -> bool {
        matches!(self, Self::Unusable { .. } | Self::Store { source: object_store::Error::NotFound { .. }, .. })
    }
}

type Result<T> = std::result::Result<T, CheckpointError>;

/// A store of copies.
#[derive(Clone, Debug)]
pub struct Checkpoints {
    store: Arc<dyn ObjectStore>,
    root: Key,
    url: String,
}

impl Checkpoints {
    /// The store at `url`; credentials come from the environment, as the store's own tools read them.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::Url`].
    pub fn open(url: &str) -> Result<Self> {
        let refused =
            |source: Box<dyn std::error::Error + Send + Sync>| CheckpointError::Url { url: url.to_owned(), source };
        let parsed = url::Url::parse(url).map_err(|source| refused(source.into()))?;
        if let (true, Ok(folder)) = (parsed.scheme() == "file", parsed.to_file_path()) {
            std::fs::create_dir_all(folder).map_err(|source| refused(source.into()))?;
        }
        let environment = std::env::vars().map(|(name, value)| (name.to_ascii_lowercase(), value));
        let (store, root) =
            object_store::parse_url_opts(&parsed, environment).map_err(|source| refused(source.into()))?;
        Ok(Self { store: Arc::from(store), root, url: url.to_owned() })
    }

    /// The folder that they lie in, where the store is one (`file://`).
    pub fn folder(&self) -> Option<std::path::PathBuf> {
        let url = url::Url::parse(&self.url).ok().filter(|url| url.scheme() == "file")?;
        url.to_file_path().ok()
    }

    /// Those of one log among all in the store.
    #[must_use]
    pub fn of_log(self, identity: &str) -> Self {
        Self { root: self.root.join(identity), ..self }
    }

    /// Stores the copy in `folder`, of the state of `partition` at `offset`.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::Store`] and [`CheckpointError::File`]; earlier copies are untouched.
    pub fn save(&self, partition: PartitionId, offset: Offset, folder: &Path) -> Result<()> {
        run(async {
            let mut files = Vec::new();
            for path in transfer::files_of(folder)? {
                files.push(self.upload(partition, &path).await?);
            }
            let manifest = Manifest::new(partition, offset, files);
            let key = self.manifest_key(partition, offset);
            self.store.put(&key, manifest.to_bytes().into()).await.map_err(self.failed("writing a manifest"))?;
            self.prune(partition).await
        })
    }

    /// The offset of the newest copy of `partition` that lies within what the log has.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::Store`].
    pub fn newest(&self, partition: PartitionId, reach: Reach) -> Result<Option<Offset>> {
        let offsets = run(self.offsets(partition))?;
        Ok(offsets.into_iter().find(|offset| is_within(*offset, reach)))
    }

    /// Brings the newest usable copy of `partition` to `folder`, which must not be there yet; its offset. Copies that
    /// are damaged or incomplete are told in the log, and the next older one is tried.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::Store`] and [`CheckpointError::File`] where a copy may be good but could not be brought: an older
    /// one would cost a longer replay than another try.
    pub fn restore(&self, partition: PartitionId, reach: Reach, folder: &Path) -> Result<Option<Offset>> {
        let offsets = run(self.offsets(partition))?;
        for offset in offsets.into_iter().filter(|offset| is_within(*offset, reach)) {
            let Err(error) = run(self.fetch(partition, offset, folder)) else { return Ok(Some(offset)) };
            transfer::remove(folder)?;
            if !error.is_of_the_copy() {
                return Err(error);
            }
            tracing::warn!(%partition, %offset, error = &error as &dyn std::error::Error, "a checkpoint is passed over");
        }
        Ok(None)
    }

    /// The offsets of the copies, newest first.
    async fn offsets(&self, partition: PartitionId) -> Result<Vec<Offset>> {
        let folder = self.key(partition, "checkpoints");
        let listed = self.store.list_with_delimiter(Some(&folder)).await.map_err(self.failed("listing"))?;
        let offset = |key: &Key| key.filename()?.strip_suffix(".json")?.parse().ok().map(Offset::new);
        let mut offsets: Vec<_> = listed.objects.iter().filter_map(|object| offset(&object.location)).collect();
        offsets.sort_unstable_by(|a, b| b.cmp(a));
        Ok(offsets)
    }

    async fn manifest(&self, partition: PartitionId, offset: Offset) -> Result<Manifest> {
        let key = self.manifest_key(partition, offset);
        let read = self.store.get(&key).await.map_err(self.failed("reading a manifest"))?;
        let bytes = read.bytes().await.map_err(self.failed("reading a manifest"))?;
        Manifest::read(&bytes, partition, offset)
            .map_err(|what| CheckpointError::Unusable { key: key.to_string(), what })
    }

    async fn fetch(&self, partition: PartitionId, offset: Offset, folder: &Path) -> Result<()> {
        let manifest = self.manifest(partition, offset).await?;
        transfer::create(folder)?;
        for file in manifest.files() {
            self.download(partition, file, folder).await?;
        }
        Ok(())
    }

    /// Deletes older copies, and files that belong to none. Where it can't be told what a copy consists of, no file goes.
    async fn prune(&self, partition: PartitionId) -> Result<()> {
        let offsets = self.offsets(partition).await?;
        let mut used = std::collections::HashSet::new();
        for (number, offset) in offsets.into_iter().enumerate() {
            if number >= KEPT {
                let key = self.manifest_key(partition, offset);
                self.store.delete(&key).await.map_err(self.failed("deleting"))?;
                continue;
            }
            match self.manifest(partition, offset).await {
                Ok(manifest) => used.extend(manifest.files().iter().map(|file| self.file_key(partition, file))),
                Err(error) => {
                    tracing::warn!(%partition, error = &error as &dyn std::error::Error, "no file is deleted");
                    return Ok(());
                }
            }
        }
        let files = self.key(partition, "files");
        let listed = self.store.list_with_delimiter(Some(&files)).await.map_err(self.failed("listing"))?;
        for object in listed.objects {
            let age = std::time::SystemTime::now().duration_since(object.last_modified.into()).unwrap_or_default();
            if age > LEFTOVER && !used.contains(&object.location) {
                self.store.delete(&object.location).await.map_err(self.failed("deleting"))?;
            }
        }
        Ok(())
    }

    fn key(&self, partition: PartitionId, kind: &'static str) -> Key {
        self.root.clone().join(format!("partition-{partition}")).join(kind)
    }

    fn manifest_key(&self, partition: PartitionId, offset: Offset) -> Key {
        self.key(partition, "checkpoints").join(format!("{:020}.json", offset.get()))
    }

    fn failed(&self, doing: &'static str) -> impl FnOnce(object_store::Error) -> CheckpointError {
        move |source| CheckpointError::Store { url: self.url.clone(), doing, source }
    }
}

/// A copy of another log, or of one that was cut, is none of this one's.
fn is_within(offset: Offset, reach: Reach) -> bool {
    offset >= reach.start && offset <= reach.end
}

fn run<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| CheckpointError::File { path: "a runtime".to_owned(), source })?;
    runtime.block_on(work)
}
