//! Limits of the process: file descriptors, connections, and the permissions of its files.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::stat::{Mode, umask};
use scorer::Checkpoints;

use crate::config::{LogSettings, Settings};

/// Rights of anybody but the owner.
const OTHERS: u32 = 0o077;
/// What the owner has of a folder.
const OWNER: u32 = 0o700;

/// File descriptors that connections leave free. The embedded log opens up to 512 files; the state, brokers and API calls need the
/// rest.
const RESERVED: u64 = 640;

/// The most connections of each listener, so that all of them together leave [`RESERVED`] file descriptors free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Connections {
    pub(crate) receiver: usize,
    pub(crate) operators: usize,
    pub(crate) mailers: usize,
}

impl Connections {
    /// The limits that this process's file descriptors allow.
    pub(crate) fn of_process() -> Self {
        Self::of(getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft))
    }

    /// Splits `descriptors`: the receiver gets half of what the reserve leaves, the other two a quarter each. If the reserve leaves
    /// less than a quarter of the descriptors, that quarter is split.
    fn of(descriptors: u64) -> Self {
        let room = descriptors.saturating_sub(RESERVED).max(descriptors / 4);
        let part = |of: u64| usize::try_from((room / of).max(1)).unwrap_or(usize::MAX);
        Self { receiver: part(2), operators: part(4), mailers: part(4) }
    }

    /// Lowers the receiver's configured limit if there are too few file descriptors, and logs a warning.
    pub(crate) fn limit_receiver(&self, receiver: &mut receiver::Config) {
        if receiver.max_connections > self.receiver {
            tracing::warn!(
                configured = receiver.max_connections,
                possible = self.receiver,
                "max_connections lowered: too few file descriptors; raise the limit (`ulimit -n`, `LimitNOFILE=`)"
            );
            receiver.max_connections = self.receiver;
        }
    }
}

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
    let checkpoints = settings.state.checkpoints.as_ref().and_then(Checkpoints::folder);
    for folder in log.into_iter().chain([settings.state.path.clone()]).chain(checkpoints) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_the_reserved_descriptors_free() {
        assert_eq!(Connections::of(1_024), Connections { receiver: 192, operators: 96, mailers: 96 });
        let many = Connections::of(1 << 20);
        assert!(many.receiver > 500_000 && many.operators > 250_000);
        for descriptors in [0, 1, 64, 640, 641, 1_024, 4_096, u64::MAX] {
            let Connections { receiver, operators, mailers } = Connections::of(descriptors);
            let all = u64::try_from(receiver + operators + mailers).unwrap();
            assert!(receiver > 0 && operators > 0 && mailers > 0);
            assert!(all <= descriptors.saturating_sub(RESERVED).max(descriptors / 4).max(3), "{descriptors}: {all}");
        }
    }
}
