//! Weir as it is deployed: a receiver, a scorer, and an enforcer with the console, over a real Kafka and a simulated SendGrid, and
//! a real Prometheus that scrapes them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use broker::Cluster;
use simulator::platform::{Account, Placement};
use simulator::sendgrid::{Poster, SendGrid, Signer, World};
use site::{Process, free_port, now};

use super::load::{Load, accounts};
use super::server::Prometheus;

pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
/// The jobs of the deployed configuration, with the roles of a process of each.
const JOBS: [(&str, &str); 3] =
    [("weir-receiver", "receiver"), ("weir-scorer", "scorer"), ("weir-enforcer", "enforcer,console")];

/// A process of Weir.
struct Job {
    _process: Process,
    admin: u16,
    log: PathBuf,
}

/// What everything stands in; the parts end in the order in which they are named.
pub(crate) struct House {
    pub(crate) load: Load,
    pub(crate) prometheus: Prometheus,
    processes: Vec<Job>,
    pub(crate) cluster: Cluster,
    pub(crate) sendgrid: Arc<SendGrid>,
    _folder: tempfile::TempDir,
    client: reqwest::Client,
}

/// An endpoint that takes hooks and what is said in a chat.
async fn endpoint() -> String {
    let router = Router::new().route("/", post(async || StatusCode::OK));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/")
}

/// How the customers exist at SendGrid; most are subusers of their own name.
fn placements(accounts: &[Account]) -> String {
    let mut text = String::new();
    for Account { id, placement, .. } in accounts {
        let how = match placement {
            Placement::Subuser(_) => continue,
            Placement::DedicatedIps(ips) => format!("ips = {ips:?}"),
            Placement::Route => "route = true".to_owned(),
        };
        let _unfailing = writeln!(text, "[[enforcer.customer]]\nname = \"{id}\"\n{how}");
    }
    text
}

/// What every process has to know.
struct Fleet<'a> {
    folder: &'a Path,
    receiver: u16,
    brokers: String,
    sendgrid: &'a SendGrid,
    /// Takes what hooks and the chat are told.
    endpoint: String,
    key: String,
    placements: String,
}

impl Fleet<'_> {
    fn config(&self, name: &str, admin: u16, state: &Path) -> String {
        let Self { receiver, brokers, endpoint, key, placements, .. } = self;
        format!(
            r#"
            [receiver]
            listen = "127.0.0.1:{receiver}"
            [admin]
            listen = "127.0.0.1:{admin}"
            [log]
            backend = "kafka"
            brokers = "{brokers}"
            partitions = 2
            replication = 1
            create_topics = true
            member = "{name}"
            [state]
            path = "{state}"
            checkpoints = "file://{checkpoints}"
            checkpoint_interval = "5s"
            [scorer]
            tick_interval = "1s"
            [enforcer]
            mode = "enforce"
            settling = "1s"
            sweep_interval = "5s"
            {placements}
            [sendgrid]
            api = "{api}"
            [outreach]
            chat_url_env = "WEIR_TEST_CHAT"
            [[hook]]
            name = "platform"
            url = "{endpoint}"
            secret_env = "WEIR_TEST_HOOK_SECRET"
            allow_private = true
            [[source]]
            name = "main"
            verification_keys = ["{key}"]
            customer = {{ custom_arg = "customer_id" }}
            "#,
            state = state.display(),
            checkpoints = self.folder.join("checkpoints").display(),
            api = self.sendgrid.base_url(),
        )
    }

    fn run(&self, name: &str, roles: &str) -> Job {
        let (admin, own) = (free_port(), self.folder.join(name));
        std::fs::create_dir(&own).unwrap();
        let (config, log) = (own.join("weir.toml"), own.join("log"));
        std::fs::write(&config, self.config(name, admin, &own.join("state"))).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
        command
            .args(["run", "--roles", roles, "--config"])
            .arg(&config)
            .env("WEIR_LOG", "info")
            .env("SENDGRID_API_KEY", self.sendgrid.api_key())
            .env("WEIR_TEST_CHAT", &self.endpoint)
            .env("WEIR_TEST_HOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log).unwrap());
        Job { _process: Process::start(command), admin, log }
    }
}

impl House {
    /// With everything running, mail on its way, and Prometheus looking on.
    pub(crate) async fn new() -> Self {
        let cluster = tokio::task::spawn_blocking(|| Cluster::start(1)).await.unwrap();
        let accounts = accounts();
        let sendgrid = Arc::new(SendGrid::start(World::of(&accounts)).await.unwrap());
        let (folder, signer) = (tempfile::tempdir().unwrap(), Arc::new(Signer::generate().unwrap()));
        let (receiver, endpoint) = (free_port(), endpoint().await);
        let fleet = Fleet {
            folder: folder.path(),
            receiver,
            brokers: cluster.addresses(),
            sendgrid: &sendgrid,
            endpoint,
            key: signer.public_key(),
            placements: placements(&accounts),
        };
        let processes = JOBS.map(|(name, roles)| fleet.run(name, roles));
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap();
        for process in &processes {
            until_ready(process, &client).await;
        }
        let url = format!("http://127.0.0.1:{receiver}/webhooks/sendgrid/main");
        let poster = Poster::new(&url, signer, Load::RETRIES, Arc::new(now)).unwrap();
        let load = Load::begin(&sendgrid, poster);
        until_caught_up(&processes[1], &load, &client).await;
        let jobs: Vec<_> = JOBS.iter().zip(&processes).map(|((job, _), process)| (*job, process.admin)).collect();
        let prometheus = Prometheus::start(&jobs).await;
        let processes = processes.into();
        Self { load, prometheus, processes, cluster, sendgrid, _folder: folder, client }
    }

    /// What the processes tell Prometheus.
    pub(crate) async fn metrics(&self) -> Vec<String> {
        let mut told = Vec::new();
        for process in &self.processes {
            let url = format!("http://127.0.0.1:{}/metrics", process.admin);
            told.push(self.client.get(url).send().await.unwrap().text().await.unwrap());
        }
        told
    }

    /// The console's address.
    pub(crate) fn console(&self) -> String {
        format!("http://127.0.0.1:{}", self.processes.last().unwrap().admin)
    }

    /// What the console answers to a request for a page.
    pub(crate) async fn page(&self, path: &str) -> u16 {
        let answer = self.client.get(format!("{}{path}", self.console())).send().await;
        answer.map_or(0, |answer| answer.status().as_u16())
    }

    /// Steers by the command line, as a runbook says.
    pub(crate) async fn steer(&self, arguments: &[&str]) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
        command.args(arguments).args(["--by", "ann", "--reason", "a test"]);
        command.env("WEIR_ADMIN", self.console()).env_remove("WEIR_TOKEN");
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// The end of what the processes logged.
    pub(crate) fn told(&self) -> String {
        let logs = self.processes.iter().map(|process| std::fs::read_to_string(&process.log).unwrap_or_default());
        let ends = logs.map(|log| log.lines().rev().take(20).collect::<Vec<_>>().join("\n"));
        ends.collect::<Vec<_>>().join("\n\n")
    }
}

async fn until_ready(process: &Job, client: &reqwest::Client) {
    let deadline = Instant::now() + PATIENCE;
    let url = format!("http://127.0.0.1:{}/readyz", process.admin);
    while !client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
        let told = || std::fs::read_to_string(&process.log).unwrap_or_default();
        assert!(Instant::now() < deadline, "{}", told());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Waits until the scorer has folded what the platform sent before.
async fn until_caught_up(scorer: &Job, load: &Load, client: &reqwest::Client) {
    let deadline = Instant::now() + PATIENCE;
    let url = format!("http://127.0.0.1:{}/metrics", scorer.admin);
    loop {
        let told = client.get(&url).send().await.unwrap().text().await.unwrap();
        let next = told.lines().filter_map(|line| line.strip_prefix("weir_scorer_next_offset{")?.rsplit(' ').next());
        let folded: u64 = next.filter_map(|offset| offset.parse::<u64>().ok()).sum();
        if load.has_posted_the_past() && folded > load.posted() {
            return;
        }
        assert!(Instant::now() < deadline, "{folded} of {} events folded", load.posted());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
