//! Weir's processes: started, killed, frozen, asked.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use model::{Offset, PartitionId};
use serde_json::Value;
use simulator::sendgrid::Signer;
use site::free_port;

/// How long anything may take that must come about.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// What all processes of one Weir share.
pub(crate) struct Fleet {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) brokers: String,
    pub(crate) partitions: u32,
    replication: u16,
    key: String,
    tick: &'static str,
}

impl Fleet {
    /// The topics' prefix.
    pub(crate) const PREFIX: &'static str = "weir.";

    /// A Weir over `brokers`, with so many partitions and replicas of each, that takes what `signer` signs.
    pub(crate) fn new(
        brokers: String,
        signer: &Signer,
        (partitions, replication): (u32, u16),
        tick: &'static str,
    ) -> Self {
        let (folder, key) = (tempfile::tempdir().unwrap(), signer.public_key());
        Self { folder, brokers, partitions, replication, key, tick }
    }

    /// A process of this Weir, not yet started.
    pub(crate) fn process(&self, name: &str, roles: &'static str) -> Process {
        let (receiver, admin) = (free_port(), free_port());
        let config = self.folder.path().join(format!("{name}.toml"));
        let text = format!(
            r#"
            [receiver]
            listen = "127.0.0.1:{receiver}"
            [admin]
            listen = "127.0.0.1:{admin}"
            [log]
            backend = "kafka"
            brokers = "{brokers}"
            partitions = {partitions}
            replication = {replication}
            create_topics = true
            member = "{name}"
            [log.kafka]
            "session.timeout.ms" = 6000
            "heartbeat.interval.ms" = 1500
            [state]
            path = "{state}"
            checkpoints = "file://{checkpoints}"
            checkpoint_interval = "5s"
            [scorer]
            tick_interval = "{tick}"
            [[source]]
            name = "test"
            verification_keys = ["{key}"]
            customer = {{ custom_arg = "customer_id" }}
            "#,
            brokers = self.brokers,
            partitions = self.partitions,
            replication = self.replication,
            state = self.folder.path().join(name).display(),
            checkpoints = self.checkpoints().display(),
            tick = self.tick,
            key = self.key,
        );
        std::fs::write(&config, text).unwrap();
        Process { name: name.to_owned(), config, roles, receiver, admin, child: None }
    }

    /// Where copies of states go.
    pub(crate) fn checkpoints(&self) -> PathBuf {
        self.folder.path().join("checkpoints")
    }

    /// Makes the topics, as an operator would.
    pub(crate) fn create_topics(&self, process: &Process) {
        let made = weir().args(["topics", "create", "--config"]).arg(&process.config).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
}

fn weir() -> Command {
    Command::new(env!("CARGO_BIN_EXE_weir"))
}

/// A process of Weir.
pub(crate) struct Process {
    pub(crate) name: String,
    pub(crate) config: PathBuf,
    roles: &'static str,
    receiver: u16,
    admin: u16,
    child: Option<Child>,
}

impl Process {
    pub(crate) fn start(&mut self) {
        let log = std::fs::File::options().create(true).append(true).open(self.log()).unwrap();
        let command = weir()
            .args(["run", "--roles", self.roles, "--config"])
            .arg(&self.config)
            .env("WEIR_LOG", "info")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.child = Some(command.unwrap());
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// SIGTERM, and the wait for an orderly end.
    pub(crate) fn stop(&mut self) {
        self.signal("TERM");
        let deadline = Instant::now() + PATIENCE;
        let child = self.child.as_mut().unwrap();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "{} does not end:\n{}", self.name, self.told());
            std::thread::sleep(Duration::from_millis(20));
        };
        self.child = None;
        assert!(status.success(), "{}:\n{}", self.name, self.told());
    }

    /// SIGSTOP and SIGCONT are "STOP" and "CONT".
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().unwrap().id();
        assert!(Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).status().unwrap().success());
    }

    /// Starts it again where it has ended by itself, as a supervisor does; whether it had.
    pub(crate) fn revive(&mut self) -> bool {
        let has_ended = self.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_some());
        if has_ended {
            self.start();
        }
        has_ended
    }

    /// What it wrote to standard error.
    pub(crate) fn told(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    /// Megabytes in memory.
    pub(crate) fn resident(&self) -> u64 {
        let pid = self.child.as_ref().unwrap().id();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1_024
    }

    /// The first offset of each partition that it has not folded, as its metrics tell.
    pub(crate) async fn folded(&self) -> Vec<(PartitionId, Offset)> {
        let Some((_, metrics)) = self.get("/metrics").await else { return Vec::new() };
        let next = |line: &str| {
            let rest = line.strip_prefix("weir_scorer_next_offset{partition=\"")?;
            let (partition, offset) = rest.split_once("\"} ")?;
            Some((PartitionId::new(partition.parse().ok()?), Offset::new(offset.parse().ok()?)))
        };
        metrics.lines().filter_map(next).collect()
    }

    /// Where its state lies.
    pub(crate) fn state(&self) -> PathBuf {
        self.config.with_extension("")
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/webhooks/sendgrid/test", self.receiver)
    }

    /// The answer's status and text; `None` where nobody answers.
    pub(crate) async fn get(&self, path: &str) -> Option<(u16, String)> {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap();
        let answer = client.get(format!("http://127.0.0.1:{}{path}", self.admin)).send().await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    }

    /// Posts JSON to the console; the answer's status.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Option<u16> {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap();
        let url = format!("http://127.0.0.1:{}{path}", self.admin);
        let request = client.post(url).header("content-type", "application/json").body(body.to_string());
        Some(request.send().await.ok()?.status().as_u16())
    }

    /// The answer's JSON, where it is a good one.
    pub(crate) async fn json(&self, path: &str) -> Option<Value> {
        let (status, text) = self.get(path).await?;
        (status == 200).then(|| serde_json::from_str(&text).unwrap())
    }

    pub(crate) async fn wait_until_ready(&self) {
        let deadline = Instant::now() + PATIENCE;
        while self.get("/readyz").await.is_none_or(|(status, _)| status != 200) {
            assert!(Instant::now() < deadline, "{} is not ready:\n{}", self.name, self.told());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn log(&self) -> PathBuf {
        self.config.with_extension("log")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // A frozen one is killed as well.
            let _ended = child.kill();
            let _ended = child.wait();
        }
    }
}

/// Copies a folder without folders in it.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
