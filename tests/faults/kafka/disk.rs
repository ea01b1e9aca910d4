//! A disk that is full.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use broker::Cluster;
use simulator::sendgrid::Signer;

use super::load::Load;
use super::process::{Fleet, PATIENCE, Process};
use super::reference;

/// A file system of a few megabytes; it goes with the value.
struct SmallDisk(PathBuf);

fn as_root(program: &str) -> Command {
    let id = Command::new("id").arg("-u").output().unwrap();
    if id.stdout.trim_ascii() == b"0" {
        return Command::new(program);
    }
    let mut sudo = Command::new("sudo");
    sudo.args(["-n", program]);
    sudo
}

impl SmallDisk {
    fn mount(at: &Path, megabytes: u32) -> Self {
        std::fs::create_dir_all(at).unwrap();
        let size = format!("size={megabytes}m");
        let mounted = as_root("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).status().unwrap();
        assert!(mounted.success(), "a small file system can't be mounted: this test needs root, or sudo");
        Self(at.to_owned())
    }

    /// Takes all the space there is.
    fn fill(&self) {
        let mut ballast = std::fs::File::create(self.0.join("ballast")).unwrap();
        let full = std::io::copy(&mut std::io::repeat(7), &mut ballast).unwrap_err();
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    }

    fn free(&self) {
        std::fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _unmounted = as_root("umount").arg("-l").arg(&self.0).status();
    }
}

/// Waits until `/readyz` says `wanted`; what else it says.
async fn readiness(process: &Process, wanted: u16) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some((status, text)) = process.get("/readyz").await
            && status == wanted
        {
            return text;
        }
        assert!(Instant::now() < deadline, "/readyz is not {wanted}:\n{}", process.told());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_told_and_harms_nothing() {
    let _turn = crate::turn().await;
    let cluster = Cluster::start(1);
    let signer = Arc::new(Signer::generate().unwrap());
    let fleet = Fleet::new(cluster.addresses(), &signer, (2, 1), "1s");
    let mut receiver = fleet.process("receiver", "receiver");
    let mut scorer = fleet.process("scorer", "scorer,console");
    let state = SmallDisk::mount(&fleet.folder.path().join("scorer"), 64);
    let copies = SmallDisk::mount(&fleet.checkpoints(), 64);
    fleet.create_topics(&receiver);
    receiver.start();
    scorer.start();
    receiver.wait_until_ready().await;
    scorer.wait_until_ready().await;
    let mut load = Load::new(40, 40_000, 100);
    load.begin(&[receiver.url()], &signer, 2, Duration::from_millis(100));

    copies.fill();
    let told = readiness(&scorer, 503).await;
    assert!(told.contains("checkpoints") && told.contains("No space left"), "{told}");
    copies.free();
    readiness(&scorer, 200).await;

    state.fill();
    let told = readiness(&scorer, 503).await;
    assert!(told.contains("partition") && told.contains("No space left"), "{told}");
    state.free();
    readiness(&scorer, 200).await;
    assert!(load.has_more(), "nothing new came while the disks were full");
    load.finish().await;
    let scorers = [scorer];
    load.check(&fleet, &scorers).await;
    let [mut scorer] = scorers;
    scorer.stop();
    reference::check_decisions(&fleet);

    // The copies that were made around the fault are whole: another machine goes on from them.
    for entry in std::fs::read_dir(scorer.state()).unwrap() {
        std::fs::remove_dir_all(entry.unwrap().path()).unwrap();
    }
    scorer.start();
    scorer.wait_until_ready().await;
    let scorers = [scorer];
    load.check(&fleet, &scorers).await;
    assert!(scorers[0].told().contains("restored from a checkpoint"), "{}", scorers[0].told());
}
