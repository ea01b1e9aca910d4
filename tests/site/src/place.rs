//! Where one Weir over an embedded log runs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use simulator::sendgrid::{Poster, Retries, Signer};
use tempfile::TempDir;
use toml::{Table, Value};

use crate::{free_port, now};

/// Events in a POST at most.
const EVENTS: usize = 200;

/// The folder and the ports of one Weir, and who signs the events that it takes.
#[derive(Debug)]
pub struct Site {
    folder: TempDir,
    /// Where the receiver listens.
    pub receiver: u16,
    /// Where the console listens.
    pub admin: u16,
    /// Signs as the source `test`.
    pub signer: Arc<Signer>,
    /// Asks the console, and follows no redirection.
    pub client: reqwest::Client,
}

impl Site {
    /// An empty one.
    pub fn new() -> Self {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30));
        Self {
            folder: tempfile::tempdir().unwrap(),
            receiver: free_port(),
            admin: free_port(),
            signer: Arc::new(Signer::generate().unwrap()),
            client: client.redirect(reqwest::redirect::Policy::none()).build().unwrap(),
        }
    }

    /// Where everything lies.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where its configuration is.
    pub fn config(&self) -> PathBuf {
        self.folder().join("weir.toml")
    }

    /// Writes the configuration: what every Weir that is tested has, and `more`, in the same tables or in others.
    pub fn configure(&self, more: &str) {
        let common = format!(
            r#"
            [receiver]
            listen = "127.0.0.1:{receiver}"
            [admin]
            listen = "127.0.0.1:{admin}"
            [log]
            path = "{folder}/log"
            [state]
            path = "{folder}/state"
            [scorer]
            tick_interval = "200ms"
            [[source]]
            name = "test"
            verification_keys = ["{key}"]
            customer = {{ custom_arg = "customer_id" }}
            "#,
            receiver = self.receiver,
            admin = self.admin,
            folder = self.folder().display(),
            key = self.signer.public_key(),
        );
        let mut config: Table = common.parse().unwrap();
        merge(&mut config, more.parse().unwrap());
        std::fs::write(self.config(), config.to_string()).unwrap();
    }

    /// What runs it: `binary`, which tells only errors.
    pub fn run(&self, binary: &str) -> Command {
        let mut command = Command::new(binary);
        command.args(["run", "--config"]).arg(self.config()).env("WEIR_LOG", "error").stdout(Stdio::null());
        command
    }

    /// The console's address.
    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.admin)
    }

    /// Where events are posted to.
    pub fn webhook(&self) -> String {
        format!("http://127.0.0.1:{}/webhooks/sendgrid/test", self.receiver)
    }

    /// Posts events, each batch until it is taken.
    pub async fn post(&self, events: &[String]) {
        let retries = Retries { first: Duration::from_millis(50), longest: Duration::from_millis(200), most: 1_000 };
        let poster = Poster::new(&self.webhook(), Arc::clone(&self.signer), retries, Arc::new(now)).unwrap();
        for batch in events.chunks(EVENTS) {
            poster.post(batch).await.unwrap();
        }
    }

    /// What the console answers, where it is something good.
    pub async fn get(&self, path: &str) -> Option<String> {
        let answer = self.client.get(format!("{}{path}", self.base())).send().await.ok()?;
        answer.error_for_status().ok()?.text().await.ok()
    }
}

impl Default for Site {
    fn default() -> Self {
        Self::new()
    }
}

fn merge(into: &mut Table, more: Table) {
    for (key, value) in more {
        match (into.get_mut(&key), value) {
            (Some(Value::Table(known)), Value::Table(more)) => merge(known, more),
            (_, value) => drop(into.insert(key, value)),
        }
    }
}
