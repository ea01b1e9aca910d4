//! What a copy consists of.

use model::{Offset, PartitionId};
use serde::{Deserialize, Serialize};

use crate::store;

/// The layout of manifests.
const VERSION: u32 = 1;

/// A file of a copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct File {
    /// Its name in the state's folder.
    pub(super) name: String,
    /// Its size in bytes.
    pub(super) size: u64,
    /// XXH3, 128 bits, in hex.
    pub(super) digest: String,
}

/// What a copy consists of, and of what it is one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    version: u32,
    /// The layout of the state.
    state: u32,
    partition: PartitionId,
    offset: Offset,
    files: Vec<File>,
    /// Over all that stands above it, in the same digest.
    digest: String,
}

impl Manifest {
    pub(super) fn new(partition: PartitionId, offset: Offset, files: Vec<File>) -> Self {
        let mut manifest =
            Self { version: VERSION, state: store::FORMAT, partition, offset, files, digest: String::new() };
        manifest.digest = manifest.own_digest();
        manifest
    }

    /// Reads the manifest of a copy of `partition` at `offset`; what is wrong with it otherwise.
    pub(super) fn read(bytes: &[u8], partition: PartitionId, offset: Offset) -> Result<Self, String> {
        let manifest: Self =
            serde_json::from_slice(bytes).map_err(|error| format!("its manifest is unreadable: {error}"))?;
        if manifest.version != VERSION || ![store::FORMAT, store::BEFORE_PROFILES].contains(&manifest.state) {
            return Err(format!("it is of version {}, its state of {}", manifest.version, manifest.state));
        }
        if manifest.digest != manifest.own_digest() {
            return Err("its manifest was changed".to_owned());
        }
        if manifest.partition != partition || manifest.offset != offset {
            return Err(format!("it is of partition {} at offset {}", manifest.partition, manifest.offset));
        }
        let is_name = |name: &str| !name.is_empty() && !name.contains(['/', '\\']) && name != ".." && name != ".";
        if let Some(file) = manifest.files.iter().find(|file| !is_name(&file.name)) {
            return Err(format!("{:?} is no file's name", file.name));
        }
        Ok(manifest)
    }

    pub(super) fn files(&self) -> &[File] {
        &self.files
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        // Numbers, strings and lists of them always are JSON.
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    fn own_digest(&self) -> String {
        let bare = Self { digest: String::new(), ..self.clone() };
        format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&bare.to_bytes()))
    }
}
