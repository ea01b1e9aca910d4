//! A partition's state in RocksDB: customers, digests of what was seen, the outbox, and the offset that it all stands at.
//!
//! The state is a cache of the log. Changes gather in memory and are written by [`RocksStore::commit`] in one atomic
//! batch, so that after a crash the state is that of some earlier offset and the log is folded again from there. The
//! write-ahead log is on and not synced: a crash of the process loses nothing of it, a power cut a tail that the log
//! gives again.

mod budget;
mod customers;
mod keys;
mod outbox;
mod policies;
mod seen;

use std::path::{Path, PathBuf};

use log::{Output, Sequence};
use model::{CustomerId, Digest, Offset, PartitionId};
use rocksdb::{ColumnFamily, DB, Options, WriteBatch};
use scoring::{Customer, Hour, Partition, Store};

pub use self::budget::Budget;
use self::customers::Customers;
pub(crate) use self::policies::Policies;
use self::seen::Seen;
use crate::Error;

/// The layout of the state; one that is neither this nor [`BEFORE_PROFILES`] is not read but rebuilt from the log.
pub(crate) const FORMAT: u32 = 5;
/// The layout of versions that told no profiles: customers end before the fields that later versions added.
pub(crate) const BEFORE_PROFILES: u32 = 4;

/// Numbers for what one record makes be said. 2^48 records of a partition can be numbered so: a hundred thousand a second
/// for 89 years.
const NUMBERS_A_RECORD: u64 = 1 << 16;

/// The state of one partition.
#[derive(Debug)]
pub struct RocksStore {
    place: Place,
    db: DB,
    customers: Customers,
    seen: Seen,
    outbox: Vec<Output>,
    /// The last output of the outbox that is on disk.
    written: Sequence,
    next: Offset,
    sequence: Sequence,
    policies: Policies,
}

/// Whose state, and where: for errors that an operator can act on.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) partition: PartitionId,
    pub(crate) path: PathBuf,
}

impl Place {
    pub(crate) fn failed(&self, doing: &'static str) -> impl FnOnce(rocksdb::Error) -> Error {
        let Self { partition, path } = self.clone();
        move |source| Error::State { partition, path, doing, source }
    }

    pub(crate) fn unreadable(&self, what: impl Into<String>) -> Error {
        Error::Unreadable { partition: self.partition, path: self.path.clone(), what: what.into() }
    }
}

/// A state that was opened, and what the fold goes on from.
#[derive(Debug)]
pub struct Opened {
    /// The state.
    pub store: RocksStore,
    /// The fold's own part of it.
    pub partition: Partition,
}

impl RocksStore {
    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.place.path
    }

    /// Opens the state of `partition` below `root`, or begins an empty one.
    ///
    /// A state of another layout is moved aside, to be rebuilt from the log.
    ///
    /// # Errors
    ///
    /// [`Error::State`], [`Error::Unreadable`] and [`Error::Directory`], each saying what to do.
    pub fn open(root: &Path, partition: PartitionId, budget: Budget) -> Result<Opened, Error> {
        let path = folder_of(root, partition);
        let place = Place { partition, path };
        std::fs::create_dir_all(root).map_err(|source| Error::Directory { path: root.to_owned(), source })?;
        let mut db = open_db(&place, budget)?;
        let found = format_of(&db, &place)?;
        if let Some(found) = found.filter(|found| ![FORMAT, BEFORE_PROFILES].contains(found)) {
            drop(db);
            tracing::warn!(%partition, found, wanted = FORMAT, "state of another layout is set aside and rebuilt");
            set_aside(&place.path, &format!("format-{found}"))?;
            db = open_db(&place, budget)?;
        }
        let mut opened = Self::load(db, place, budget)?;
        if found == Some(BEFORE_PROFILES) {
            // Everybody's profile is to be told.
            opened.store.policies.say_all_later();
        }
        Ok(opened)
    }

    fn load(db: DB, place: Place, budget: Budget) -> Result<Opened, Error> {
        let meta = keys::cf(&db, keys::META, &place)?;
        let read = |key: &'static str| db.get_cf(meta, key).map_err(place.failed("reading its position"));
        let (offset, sequence, partition) = (read(keys::OFFSET)?, read(keys::SEQUENCE)?, read(keys::PARTITION)?);
        let offset = offset.map(|bytes| keys::number(&bytes, &place)).transpose()?.unwrap_or_default();
        let sequence = sequence.map(|bytes| keys::number(&bytes, &place)).transpose()?.unwrap_or_default();
        let partition = match partition {
            Some(bytes) => Partition::decode(&bytes).map_err(|e| place.unreadable(format!("partition state: {e}")))?,
            None => Partition::default(),
        };
        let customers = Customers::load(&db, &place, budget.customers)?;
        let seen = Seen::load(&db, &place, budget.digests)?;
        let outbox = outbox::load(&db, &place)?;
        let policies = Policies::load(&db, &place)?;
        let (next, sequence) = (Offset::new(offset), Sequence::new(sequence));
        let store = Self { place, db, customers, seen, outbox, written: sequence, next, sequence, policies };
        Ok(Opened { store, partition })
    }

    /// The first offset that the state has not yet taken in.
    pub const fn next_offset(&self) -> Offset {
        self.next
    }

    /// The number for the next thing said because of the record at `said_at`.
    ///
    /// It follows from the record alone, so that every repetition gives the same number, wherever it began; where a record
    /// makes more be said than there are numbers between two records, the next ones' are used, too.
    pub(crate) fn next_sequence(&mut self, said_at: Offset) -> Sequence {
        let first = said_at.get().saturating_mul(NUMBERS_A_RECORD);
        self.sequence = Sequence::new(first.max(self.sequence.get() + 1));
        self.sequence
    }

    /// Numbers what is said from now on from behind `sequence` at least.
    pub(crate) fn number_behind(&mut self, sequence: Sequence) {
        self.sequence = self.sequence.max(sequence);
    }

    /// The policy in force, and how far it was told.
    pub(crate) const fn policies(&self) -> &Policies {
        &self.policies
    }

    /// The same, to be changed; it becomes durable with the next commit.
    pub(crate) const fn policies_mut(&mut self) -> &mut Policies {
        &mut self.policies
    }

    /// Puts something said into the outbox; it becomes durable with the next commit.
    pub(crate) fn put_in_outbox(&mut self, output: Output) {
        self.outbox.push(output);
    }

    /// What is committed or about to be, and not yet known to be published.
    pub(crate) fn outbox(&self) -> &[Output] {
        &self.outbox
    }

    /// Writes everything that changed, together with the position `next` and the fold's own `partition`, in one batch.
    ///
    /// # Errors
    ///
    /// [`Error::State`]: the state in memory is then ahead of the stored one and must be dropped.
    pub fn commit(&mut self, next: Offset, partition: &Partition) -> Result<(), Error> {
        let mut batch = WriteBatch::default();
        let meta = keys::cf(&self.db, keys::META, &self.place)?;
        batch.put_cf(meta, keys::FORMAT, FORMAT.to_be_bytes());
        batch.put_cf(meta, keys::OFFSET, next.get().to_be_bytes());
        batch.put_cf(meta, keys::SEQUENCE, self.sequence.get().to_be_bytes());
        let bytes =
            postcard::to_stdvec(partition).map_err(|e| self.place.unreadable(format!("partition state: {e}")))?;
        batch.put_cf(meta, keys::PARTITION, bytes);
        self.policies.write(&mut batch, &self.db, &self.place)?;
        self.customers.write(&mut batch, &self.db, &self.place)?;
        self.seen.write(&mut batch, &self.db, &self.place)?;
        let unwritten: Vec<_> = self.outbox.iter().filter(|output| output.sequence > self.written).collect();
        outbox::write(&mut batch, &self.db, &self.place, &unwritten)?;
        self.db.write(batch).map_err(self.place.failed("committing"))?;
        self.written = self.sequence;
        self.next = next;
        self.customers.committed();
        Ok(())
    }

    /// Forgets the outbox up to `published`, in memory now and on disk at once: publishing twice would do no harm.
    ///
    /// # Errors
    ///
    /// [`Error::State`].
    pub(crate) fn published(&mut self, published: Sequence) -> Result<(), Error> {
        self.outbox.retain(|output| output.sequence > published);
        outbox::forget(&self.db, &self.place, published)
    }

    /// The customer, where it was ever seen; nothing is remembered of the question.
    ///
    /// # Errors
    ///
    /// [`Error::State`] and [`Error::Unreadable`].
    pub fn peek(&self, id: &CustomerId) -> Result<Option<Customer>, Error> {
        self.customers.peek(&self.db, &self.place, id)
    }

    /// The first `limit` customers behind `name`, in the order of their names.
    ///
    /// # Errors
    ///
    /// [`Error::State`] and [`Error::Unreadable`].
    pub(crate) fn behind(&self, name: &str, limit: usize) -> Result<Vec<CustomerId>, Error> {
        self.customers.behind((&self.db, &self.place), name, limit)
    }

    /// How many customers are in memory.
    pub fn cached(&self) -> usize {
        self.customers.len()
    }

    /// Bytes of the state, on disk and in memory tables, as far as RocksDB tells.
    pub(crate) fn bytes(&self) -> u64 {
        use rocksdb::properties::{SIZE_ALL_MEM_TABLES, TOTAL_SST_FILES_SIZE};
        let told = |name: &'static str, property| {
            let cf = keys::cf(&self.db, name, &self.place).ok()?;
            self.db.property_int_value_cf(cf, property).ok()?
        };
        let families = keys::ALL.iter();
        families
            .map(|name| told(name, TOTAL_SST_FILES_SIZE).unwrap_or(0) + told(name, SIZE_ALL_MEM_TABLES).unwrap_or(0))
            .sum()
    }

    /// Bytes of customers' state on disk, and how many customers there are; for measuring. Reads all of them.
    ///
    /// # Errors
    ///
    /// [`Error::State`].
    pub fn size_at_rest(&self) -> Result<(u64, u64), Error> {
        self.customers.size_at_rest(&self.db, &self.place)
    }

    /// Copies the committed state to `folder`, which must not be there yet: links where the file system has them.
    ///
    /// # Errors
    ///
    /// [`Error::State`].
    pub(crate) fn copy_to(&self, folder: &Path) -> Result<(), Error> {
        let checkpoint = rocksdb::checkpoint::Checkpoint::new(&self.db).map_err(self.place.failed("copying"))?;
        checkpoint.create_checkpoint(folder).map_err(self.place.failed("copying"))
    }

    /// Writes memory tables to disk, so that the next opening has nothing to replay.
    ///
    /// # Errors
    ///
    /// [`Error::State`].
    pub fn checkpoint(&self) -> Result<(), Error> {
        for name in keys::ALL {
            let cf = keys::cf(&self.db, name, &self.place)?;
            self.db.flush_cf(cf).map_err(self.place.failed("flushing"))?;
        }
        Ok(())
    }
}

impl Store for RocksStore {
    type Error = Error;

    fn customer(&mut self, id: &CustomerId) -> Result<&mut Customer, Error> {
        self.customers.get(&self.db, &self.place, id)
    }

    fn is_first(&mut self, hour: Hour, digests: [Digest; 2]) -> Result<bool, Error> {
        self.seen.is_first(&self.db, &self.place, hour, digests)
    }

    fn forget_before(&mut self, hour: Hour) -> Result<(), Error> {
        self.seen.forget_before(hour);
        Ok(())
    }

    fn attend(&mut self, id: &CustomerId, wanted: bool) {
        self.customers.attend(id, wanted);
    }

    fn attended(&self) -> Vec<CustomerId> {
        self.customers.attended()
    }
}

/// The partitions whose states lie below `root`.
pub(crate) fn partitions_in(root: &Path) -> Vec<PartitionId> {
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let partition = |name: &str| name.strip_prefix("partition-")?.parse().ok().map(PartitionId::new);
    entries.filter_map(|entry| partition(entry.file_name().to_str()?)).collect()
}

/// Where the state of `partition` lies below `root`.
pub(crate) fn folder_of(root: &Path, partition: PartitionId) -> PathBuf {
    root.join(format!("partition-{partition}"))
}

/// Moves the state in `folder` to the same name with the extension `why`, in the place of what lies there.
pub(crate) fn set_aside(folder: &Path, why: &str) -> Result<(), Error> {
    let aside = folder.with_extension(why);
    let moved = match std::fs::remove_dir_all(&aside) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => std::fs::rename(folder, &aside),
    };
    moved.map_err(|source| Error::Directory { path: aside, source })
}

fn open_db(place: &Place, budget: Budget) -> Result<DB, Error> {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_max_background_jobs(2);
    // What survives of the write-ahead log after a power cut is a prefix; the log gives the rest again.
    options.set_wal_recovery_mode(rocksdb::DBRecoveryMode::PointInTime);
    let families = keys::ALL.map(|name| (name, keys::options(name, budget.write_buffer)));
    DB::open_cf_with_opts(&options, &place.path, families).map_err(place.failed("opening"))
}

/// The layout found; `None` in an empty directory.
fn format_of(db: &DB, place: &Place) -> Result<Option<u32>, Error> {
    let meta: &ColumnFamily = keys::cf(db, keys::META, place)?;
    let bytes = db.get_cf(meta, keys::FORMAT).map_err(place.failed("reading its layout"))?;
    Ok(bytes.map(|bytes| <[u8; 4]>::try_from(bytes.as_slice()).map_or(0, u32::from_be_bytes)))
}
