//! What a process that runs on asks of the system: descriptors, and files that nobody else reads.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::stat::{Mode, umask};

use crate::config::{LogSettings, Settings};

/// Rights of anybody but the owner.
const OTHERS: u32 = 0o077;
/// What the owner has of a folder.
const OWNER: u32 = 0o700;

/// Makes files and folders from now on the owner's alone. Raises the number of descriptors as far as the system lets a process
/// by itself: RocksDB, connections and brokers need many.
pub(crate) fn set() {
    umask(Mode::from_bits_truncate(OTHERS));
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return };
    if soft < hard
        && let Err(error) = setrlimit(Resource::RLIMIT_NOFILE, hard, hard)
    {
        tracing::warn!(soft, hard, %error, "the limit of open files can't be raised");
    }
}

/// Takes everybody else's rights to the folders with data away: recipients' addresses lie in them.
pub(crate) fn make_private(settings: &Settings) {
    let log = match &settings.log {
        LogSettings::Embedded(config) => Some(config.path.clone()),
        LogSettings::Kafka(_) => None,
    };
    for folder in log.into_iter().chain([settings.state.path.clone()]) {
        take_rights(&folder);
    }
}

fn take_rights(folder: &PathBuf) {
    let Ok(metadata) = std::fs::metadata(folder) else { return };
    let mode = metadata.permissions().mode();
    if mode & OTHERS == 0 {
        return;
    }
    let folder: &Path = folder;
    match std::fs::set_permissions(folder, std::fs::Permissions::from_mode(OWNER)) {
        Ok(()) => tracing::info!(folder = %folder.display(), "others could read it; now its owner alone can"),
        Err(error) => {
            tracing::warn!(folder = %folder.display(), %error, "others can read it, and that can't be changed: run `chmod 700` as its owner");
        }
    }
}
