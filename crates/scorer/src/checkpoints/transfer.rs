//! Files between the state's folder and the store.

use std::path::{Path, PathBuf};

use model::PartitionId;
use object_store::ObjectStoreExt as _;
use object_store::buffered::BufWriter;
use object_store::path::Path as Key;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use xxhash_rust::xxh3::Xxh3;

use super::manifest::File;
use super::{CheckpointError, Checkpoints, Result};

/// Bytes in memory at once.
const BUFFER: usize = 1 << 20;
const PART: u64 = 8 << 20;

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> CheckpointError {
    let path = path.display().to_string();
    move |source| CheckpointError::File { path, source }
}

/// The files of a copy, which has no folders.
pub(super) fn files_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(failed(folder))?;
    entries.map(|entry| Ok(entry.map_err(failed(folder))?.path())).collect()
}

pub(super) fn create(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(failed(folder))
}

pub(super) fn remove(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(folder)(error)),
        _ => Ok(()),
    }
}

async fn digest_of(path: &Path) -> std::io::Result<(u64, String)> {
    let mut file = tokio::fs::File::open(path).await?;
    let (mut digest, mut size, mut buffer) = (Xxh3::new(), 0, vec![0; BUFFER]);
    loop {
        let read = file.read(&mut buffer).await?;
        if read == 0 {
            return Ok((size, format!("{:032x}", digest.digest128())));
        }
        digest.update(buffer.get(..read).unwrap_or_default());
        size += read as u64;
    }
}

impl Checkpoints {
    pub(super) fn file_key(&self, partition: PartitionId, file: &File) -> Key {
        self.key(partition, "files").join(format!("{}-{}", file.digest, file.size))
    }

    /// Stores a file, unless its content is there already.
    pub(super) async fn upload(&self, partition: PartitionId, path: &Path) -> Result<File> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let (size, digest) = digest_of(path).await.map_err(failed(path))?;
        let file = File { name, size, digest };
        let key = self.file_key(partition, &file);
        match self.store.head(&key).await {
            Ok(found) if found.size == size => return Ok(file),
            Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
            Err(source) => return Err(self.failed("looking for a file")(source)),
        }
        let mut from = tokio::fs::File::open(path).await.map_err(failed(path))?;
        let mut to = BufWriter::new(std::sync::Arc::clone(&self.store), key);
        let copied = tokio::io::copy(&mut from, &mut to).await;
        let written = match copied {
            Ok(_) => to.shutdown().await,
            Err(error) => Err(error),
        };
        written
            .map_err(|source| CheckpointError::File { path: format!("{} to {}", path.display(), self.url), source })?;
        Ok(file)
    }

    /// Brings a file, and refuses one that is not what it should be.
    pub(super) async fn download(&self, partition: PartitionId, file: &File, folder: &Path) -> Result<()> {
        let key = self.file_key(partition, file);
        let unusable = |what: String| CheckpointError::Unusable { key: key.to_string(), what };
        let there = self.store.head(&key).await.map_err(self.failed("looking for a file"))?.size;
        if there != file.size {
            return Err(unusable(format!("its file {} has {there} bytes, and not {}", file.name, file.size)));
        }
        let path = folder.join(&file.name);
        let mut to = tokio::fs::File::create(&path).await.map_err(failed(&path))?;
        let (mut digest, mut size) = (Xxh3::new(), 0_u64);
        while size < file.size {
            let range = size..file.size.min(size + PART);
            let part = self.store.get_range(&key, range).await.map_err(self.failed("reading a file"))?;
            if part.is_empty() {
                break;
            }
            digest.update(&part);
            size += part.len() as u64;
            to.write_all(&part).await.map_err(failed(&path))?;
        }
        to.flush().await.map_err(failed(&path))?;
        if size != file.size || format!("{:032x}", digest.digest128()) != file.digest {
            return Err(unusable(format!("its file {} has {size} bytes of another content", file.name)));
        }
        Ok(())
    }
}
