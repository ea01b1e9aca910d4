//! A state that was brought from a checkpoint is the state that the log makes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use broker::Cluster;
use log::{Log, Output, Reach, Stored, Topic};
use model::PartitionId;
use rocksdb::{DB, IteratorMode, Options};
use scorer::Checkpoints;
use simulator::sendgrid::Signer;

use super::load::Load;
use super::process::{Fleet, PATIENCE, copy_folder};
use super::reference;

const ONLY: PartitionId = PartitionId::new(0);
/// Records between commits.
const EVERY: usize = 997;
/// And where commits fall elsewhere.
const ELSEWHERE: usize = 1_409;

/// The digests of events that were seen.
const SEEN: &str = "seen";

type Entry = (Box<[u8]>, Box<[u8]>);
type Contents = BTreeMap<String, Vec<Entry>>;

/// Every byte of a state.
fn contents(folder: &Path) -> Contents {
    let names = DB::list_cf(&Options::default(), folder).unwrap();
    let db = DB::open_cf_for_read_only(&Options::default(), folder, &names, false).unwrap();
    let of = |name: &String| {
        let entries = db.iterator_cf(db.cf_handle(name).unwrap(), IteratorMode::Start);
        (name.clone(), entries.map(Result::unwrap).collect())
    };
    names.iter().map(of).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restored_and_replayed_is_what_is_replayed_from_the_beginning() {
    let _turn = crate::turn().await;
    let cluster = Cluster::start(1);
    let signer = std::sync::Arc::new(Signer::generate().unwrap());
    let fleet = Fleet::new(cluster.addresses(), &signer, (1, 1), "1s");
    let mut weir = fleet.process("weir", "receiver,scorer");
    fleet.create_topics(&weir);
    weir.start();
    weir.wait_until_ready().await;
    let mut load = Load::new(40, 4_000, 100);
    load.begin(&[weir.url()], &signer, 4, std::time::Duration::from_millis(5));
    load.finish().await;
    weir.stop();

    let log = reference::log(&fleet);
    tokio::task::spawn_blocking(move || compare(log.as_ref(), fleet.folder.path())).await.unwrap();
}

fn compare(log: &dyn Log, root: &Path) {
    let records = reference::read(log, Topic::Events).remove(&ONLY).unwrap();
    let url = format!("file://{}", root.join("copies").display());
    let checkpoints = Checkpoints::open(&url).unwrap();
    let reach = log.reach(Topic::Events, ONLY).unwrap();
    let half = records.len() / 2 / EVERY * EVERY;
    let [whole, moved, ragged] = ["whole", "moved", "ragged"].map(|name| root.join(name));

    let (mut task, said) = reference::open(&whole, ONLY);
    for (number, part) in records.chunks(EVERY).enumerate() {
        if number * EVERY == half {
            for (copy, offset) in [("older", 1), ("newer", 0)] {
                let copy = root.join(copy);
                task.copy_to(&copy).unwrap();
                let at = task.next_offset();
                // An older copy by name: it says that it is of another offset than its content.
                let at = model::Offset::new(at.get() - offset);
                checkpoints.save(ONLY, at, &copy).unwrap();
            }
        }
        task.fold(part).unwrap();
        task.commit().unwrap();
    }
    task.settle(PATIENCE).unwrap();
    drop(task);

    let (said, first) = (said.all(), records[half].position.offset);
    let behind = |said: &[Output]| said.iter().filter(|output| output.said_at >= first).count();
    assert!(behind(&said) > 0, "nothing is said behind the copy");
    for (root, every) in [(&moved, EVERY), (&ragged, ELSEWHERE)] {
        let again = replay_from_copy(&checkpoints, &records[half..], reach, (root, every));
        // What was not published yet stands in the copy, and is said before.
        assert!(said.ends_with(&again), "other things are said, with commits every {every}");
        assert_eq!(behind(&again), behind(&said), "something is not said, with commits every {every}");
    }
    let [whole, moved, ragged] = [&whole, &moved, &ragged].map(|root| contents(&root.join("partition-0")));
    assert!(whole["customers"].len() >= 40, "too few customers to compare");
    for (family, entries) in &whole {
        assert!(moved[family] == *entries, "{family} differs");
        if family == SEEN {
            assert_eq!(digests(&ragged[family]), digests(entries), "{family} differs where commits fell elsewhere");
        } else {
            assert!(ragged[family] == *entries, "{family} differs where commits fell elsewhere");
        }
    }
    refuse_damage(&checkpoints, root, reach);
}

/// Brings the newest copy to `root` and folds what the log has beyond it; what that says.
fn replay_from_copy(
    checkpoints: &Checkpoints,
    rest: &[Stored],
    reach: Reach,
    (root, every): (&Path, usize),
) -> Vec<Output> {
    let restored = checkpoints.restore(ONLY, reach, &root.join("partition-0")).unwrap();
    assert_eq!(restored, Some(rest[0].position.offset));
    let (mut task, said) = reference::open(root, ONLY);
    assert_eq!(task.next_offset(), rest[0].position.offset);
    for part in rest.chunks(every) {
        task.fold(part).unwrap();
        task.commit().unwrap();
    }
    task.settle(PATIENCE).unwrap();
    said.all()
}

/// The digests of events that were seen, by hour: a commit writes what is new as one value, so how they are cut up depends on
/// the commits.
fn digests(entries: &[Entry]) -> BTreeSet<(&[u8], &[u8])> {
    entries.iter().flat_map(|entry| entry.1.chunks(16).map(|digest| (&entry.0[..4], digest))).collect()
}

/// A newest checkpoint that is damaged, of another version or of another partition is passed over.
fn refuse_damage(checkpoints: &Checkpoints, root: &Path, reach: Reach) {
    let folder = root.join("copies/partition-0");
    let manifests = || {
        let entries = std::fs::read_dir(folder.join("checkpoints")).unwrap();
        let mut found: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        found.sort();
        found
    };
    let [older, newest] = manifests().try_into().unwrap();
    let older_offset = older.file_stem().unwrap().to_str().unwrap().parse::<u64>().unwrap();
    let sound = std::fs::read_to_string(&newest).unwrap();
    let to = root.join("refused");
    for changed in [
        sound.replace("\"version\": 1", "\"version\": 2"),
        sound.replace("\"partition\": 0", "\"partition\": 1"),
        sound.replacen("\"size\": ", "\"size\": 1", 1),
        sound.get(..sound.len() / 2).unwrap().to_owned(),
        String::new(),
    ] {
        assert_ne!(changed, sound);
        std::fs::write(&newest, changed).unwrap();
        let restored = checkpoints.restore(ONLY, reach, &to).unwrap();
        assert_eq!(restored.map(|offset| offset.get()), Some(older_offset));
        std::fs::remove_dir_all(&to).unwrap();
    }
    std::fs::write(&newest, sound).unwrap();

    // Another partition's copy under this partition's name.
    copy_folder(&folder.join("checkpoints"), &root.join("copies/partition-7/checkpoints"));
    copy_folder(&folder.join("files"), &root.join("copies/partition-7/files"));
    assert_eq!(checkpoints.restore(PartitionId::new(7), reach, &to).unwrap(), None);

    // A file of which both copies are made: neither can be used, and nothing is left behind.
    let largest = std::fs::read_dir(folder.join("files")).unwrap().map(|entry| entry.unwrap().path());
    let largest = largest.max_by_key(|path| path.metadata().unwrap().len()).unwrap();
    let mut bytes = std::fs::read(&largest).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    for damaged in [bytes.as_slice(), bytes.get(..middle).unwrap()] {
        std::fs::write(&largest, damaged).unwrap();
        assert_eq!(checkpoints.restore(ONLY, reach, &to).unwrap(), None);
        assert!(!to.exists());
    }
    std::fs::remove_file(&largest).unwrap();
    assert_eq!(checkpoints.restore(ONLY, reach, &to).unwrap(), None);
    assert!(!to.exists());
}
