//! A simulated SendGrid, a configuration, and the binary to run on both.

use std::path::PathBuf;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use simulator::sendgrid::{Call, SendGrid, World};
use site::{Process, free_port, subuser};
use tempfile::TempDir;

/// The two subusers that there are.
pub(crate) const SUBUSERS: [&str; 2] = ["acme", "bolt"];

/// How long anything may take that is expected to happen.
const SOON: Duration = Duration::from_secs(30);

/// Where the settings of webhooks are.
pub(crate) const SETTINGS: &str = "/v3/user/webhooks/event/settings";

pub(crate) struct Rig {
    pub(crate) sendgrid: SendGrid,
    pub(crate) folder: TempDir,
    /// The configuration as it was at first.
    pub(crate) written: String,
    client: Client,
    receiver: u16,
    admin: u16,
}

/// What the binary said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: ExitStatus,
    pub(crate) out: String,
    pub(crate) error: String,
}

impl Said {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { status: output.status, out: text(output.stdout), error: text(output.stderr) }
    }

    /// What it printed, where it succeeded.
    pub(crate) fn done(self) -> String {
        assert!(self.status.success(), "{self:?}");
        self.out
    }

    /// What it printed and what was wrong, where it failed.
    pub(crate) fn failed(self) -> String {
        assert_eq!(self.status.code(), Some(1), "{self:?}");
        format!("{}\n{}", self.out, self.error)
    }
}

impl Rig {
    pub(crate) async fn new() -> Self {
        let sendgrid = SendGrid::start(World::of(&SUBUSERS.map(subuser))).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (receiver, admin) = (free_port(), free_port());
        // Comments, an odd layout, and no line break at the end: all of it has to stay.
        let written = format!(
            "# Ours, by hand.\n[receiver]\nlisten   = \"127.0.0.1:{receiver}\" # not the default\n\n\
             [admin]\nlisten = \"127.0.0.1:{admin}\"\n[log]\npath = {log:?}\n[state]\npath = {state:?}\n\
             [sendgrid]\napi = \"{api}\"",
            log = folder.path().join("log"),
            state = folder.path().join("state"),
            api = sendgrid.base_url(),
        );
        std::fs::write(folder.path().join("weir.toml"), &written).unwrap();
        let client = Client::builder().no_proxy().build().unwrap();
        Self { sendgrid, folder, written, client, receiver, admin }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn config(&self) -> String {
        std::fs::read_to_string(self.path("weir.toml")).unwrap()
    }

    /// Where SendGrid reaches the receiver.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.receiver)
    }

    pub(crate) fn url_of(&self, source: &str) -> String {
        format!("{}/webhooks/sendgrid/{source}", self.url())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
        command
            .args(arguments)
            .env("WEIR_CONFIG", self.path("weir.toml"))
            .env("SENDGRID_API_KEY", self.sendgrid.api_key())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the binary to its end.
    pub(crate) async fn weir(&self, arguments: &[&str]) -> Said {
        let mut command = self.command(arguments);
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
        Said::of(output.unwrap())
    }

    pub(crate) async fn connect(&self, more: &[&str]) -> Said {
        let url = self.url();
        self.weir(&[&["connect", "--url", &url, "--yes"], more].concat()).await
    }

    pub(crate) async fn disconnect(&self) -> Said {
        self.weir(&["disconnect", "--yes"]).await
    }

    /// Starts the binary, and kills it once SendGrid has answered so many calls that change something. Whether it was killed,
    /// or had ended before.
    pub(crate) async fn killed_after(&self, arguments: &[&str], changes: usize) -> bool {
        let before = self.changes().len();
        let mut child = self.command(arguments).spawn().unwrap();
        let deadline = Instant::now() + SOON;
        while self.changes().len() < before + changes {
            if child.try_wait().unwrap().is_some() {
                return false;
            }
            assert!(Instant::now() < deadline, "{arguments:?}: {:?}", self.changes());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        !output.status.success()
    }

    /// A Weir that runs and is ready; it is killed when this is dropped.
    pub(crate) async fn running(&self) -> Process {
        let mut command = self.command(&["run"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let process = Process::start(command);
        let deadline = Instant::now() + SOON;
        let ready = format!("http://127.0.0.1:{}/readyz", self.admin);
        while !self.client.get(&ready).send().await.is_ok_and(|answer| answer.status().is_success()) {
            assert!(Instant::now() < deadline, "Weir does not become ready");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        process
    }

    /// The calls that asked for a change.
    pub(crate) fn changes(&self) -> Vec<Call> {
        self.sendgrid.world().calls().iter().filter(|call| call.changes()).cloned().collect()
    }

    /// Calls SendGrid as a person would, past Weir.
    pub(crate) async fn call(&self, method: Method, path: &str, user: Option<&str>, body: Option<Value>) -> Value {
        let mut request = self.client.request(method, format!("{}{path}", self.sendgrid.base_url()));
        request = request.bearer_auth(self.sendgrid.api_key());
        if let Some(user) = user {
            request = request.header("on-behalf-of", user);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default()
    }

    /// A user's webhooks, with all that SendGrid tells of them but when they were changed last.
    pub(crate) async fn webhooks(&self, user: Option<&str>) -> Vec<Value> {
        let path = format!("{SETTINGS}/all?include=account_status_change");
        let mut all = self.call(Method::GET, &path, user, None).await;
        let Value::Array(mut webhooks) = all["webhooks"].take() else { panic!("{all}") };
        for webhook in &mut webhooks {
            webhook["updated_date"].take();
        }
        webhooks
    }

    /// Everybody's.
    pub(crate) async fn all_webhooks(&self) -> Vec<Vec<Value>> {
        let mut all = vec![self.webhooks(None).await];
        for subuser in SUBUSERS {
            all.push(self.webhooks(Some(subuser)).await);
        }
        all
    }

    /// A webhook that somebody made by hand, off, for bounces alone, and unsigned; its id.
    pub(crate) async fn made_by_hand(&self, url: &str) -> String {
        let body = json!({
            "url": url, "enabled": false, "bounce": true, "friendly_name": "by hand",
            "oauth_client_id": "me", "oauth_token_url": "https://token.example/",
        });
        let made = self.call(Method::POST, SETTINGS, None, Some(body)).await;
        made["id"].as_str().unwrap().to_owned()
    }

    /// Says what `weir config check` says of the configuration.
    pub(crate) async fn checked(&self) -> String {
        self.weir(&["config", "check"]).await.done()
    }
}
