//! Real Weir processes tell of decisions by SMTP with STARTTLS and a login, and in a chat: each once, whenever they are killed.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::routing::post;
use reqwest::Client;
use serde_json::{Value, json};

#[path = "../crates/outreach/tests/telling/mail_server.rs"]
mod mail_server;

use mail_server::MailServer;

const PATIENCE: Duration = Duration::from_secs(120);
const CUSTOMERS: usize = 12;
const KILLS: usize = 6;
/// How long the server takes over a mail: kills hit it in between, and in the middle.
const PACE: Duration = Duration::from_millis(40);
const CHANNELS: [&str; 3] = ["success_mail", "success_chat", "customer_mail"];
const PASSWORD: &str = "a password of the mail server";

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn customer(number: usize) -> String {
    format!("customer-{number}")
}

struct Weir {
    config: PathBuf,
    certificate: PathBuf,
    chat: String,
    admin: u16,
    client: Client,
    child: Child,
}

impl Weir {
    fn start(folder: &Path, mail: (&MailServer, &str), chat: String) -> Self {
        let (admin, receiver) = (free_port(), free_port());
        let contacts: String = (0..CUSTOMERS).map(|n| format!("{0},ops@{0}.example,\n", customer(n))).collect();
        std::fs::write(folder.join("contacts.csv"), format!("customer,contact,owner\n{contacts}")).unwrap();
        let (config, certificate) = (folder.join("weir.toml"), folder.join("mail.pem"));
        std::fs::write(&certificate, mail.1).unwrap();
        let text = format!(
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
            [enforcer]
            mode = "enforce"
            placement = "route"
            customers_per_hour = 1000
            volume_per_hour = "100 %"
            [outreach]
            customer_success = "success@platform.example"
            from = "Weir <weir@platform.example>"
            chat_url_env = "URL_OF_THE_CHAT"
            contacts = "contacts.csv"
            tell_customers = true
            [outreach.smtp]
            host = "localhost"
            port = {port}
            tls = "starttls"
            user = "weir"
            password_env = "PASSWORD_OF_THE_MAIL_SERVER"
            "#,
            folder = folder.display(),
            port = mail.0.port(),
        );
        std::fs::write(&config, text).unwrap();
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap();
        let child = spawn(&config, &certificate, &chat);
        Self { config, certificate, chat, admin, client, child }
    }

    /// SIGKILL, and a new process.
    fn kill_and_restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = spawn(&self.config, &self.certificate, &self.chat);
    }

    async fn get(&self, path: &str) -> Option<String> {
        let answer = self.client.get(format!("http://127.0.0.1:{}{path}", self.admin)).send().await.ok()?;
        answer.error_for_status().ok()?.text().await.ok()
    }

    async fn suspend(&self, customer: &str) {
        let url = format!("http://127.0.0.1:{}/v1/customers/{customer}/commands", self.admin);
        let order = json!({ "type": "set_stage", "stage": "suspended", "by": "ann", "reason": "a test" });
        let request = self.client.post(url).header("content-type", "application/json").body(order.to_string());
        assert_eq!(request.send().await.unwrap().status(), 202);
    }

    /// What a gauge of outreach is for a channel; `None` while nobody tells.
    async fn gauge(&self, name: &str, channel: &str) -> Option<usize> {
        let metrics = self.get("/metrics").await?;
        let line = format!("weir_outreach_{name}{{channel=\"{channel}\"}} ");
        metrics.lines().find_map(|told| told.strip_prefix(&line))?.parse().ok()
    }
}

impl Drop for Weir {
    fn drop(&mut self) {
        // The test may have failed between a kill and a start.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn spawn(config: &Path, certificate: &Path, chat: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(["run", "--config"])
        .arg(config)
        .env("WEIR_LOG", "error")
        .env("URL_OF_THE_CHAT", chat)
        .env("PASSWORD_OF_THE_MAIL_SERVER", PASSWORD)
        .env("SSL_CERT_FILE", certificate)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits for a condition.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "it did not come to that: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A chat that takes everything; its URL, and what it took.
async fn chat() -> (String, Arc<Mutex<Vec<Value>>>) {
    let posts = Arc::new(Mutex::new(Vec::new()));
    let take = async |State(posts): State<Arc<Mutex<Vec<Value>>>>, axum::Json(body): axum::Json<Value>| {
        posts.lock().unwrap().push(body);
    };
    let router = axum::Router::new().route("/hook", post(take)).with_state(Arc::clone(&posts));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, posts)
}

/// The customer that a text names.
fn named(text: &str) -> String {
    let number: String = text.split("customer-").nth(1).unwrap().chars().take_while(char::is_ascii_digit).collect();
    format!("customer-{number}")
}

/// How often each customer was told of in each channel.
fn told(server: &MailServer, posts: &Mutex<Vec<Value>>) -> BTreeMap<(&'static str, String), usize> {
    let mut told = BTreeMap::new();
    for mail in server.taken() {
        let (channel, text) = match mail.to[0].as_str() {
            "success@platform.example" => ("success_mail", mail.header("Subject")),
            to => ("customer_mail", to.to_owned()),
        };
        *told.entry((channel, named(&text))).or_default() += 1;
    }
    for post in posts.lock().unwrap().iter() {
        *told.entry(("success_chat", named(post["text"].as_str().unwrap()))).or_default() += 1;
    }
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_decision_is_told_once_whenever_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let (server, certificate) = MailServer::start_guarded(PASSWORD, PACE);
    let (url, posts) = chat().await;
    let mut weir = Weir::start(folder.path(), (&server, &certificate), url);
    until("it begins", async || weir.gauge("waiting", "success_mail").await.is_some()).await;
    for number in 0..CUSTOMERS {
        weir.suspend(&customer(number)).await;
    }
    let deliveries = |server: &MailServer| server.taken().len() + posts.lock().unwrap().len();
    for kill in 1..=KILLS {
        until("something is told", async || deliveries(&server) >= kill * 4).await;
        weir.kill_and_restart();
    }
    until("all is told", async || {
        let mut is_told = true;
        for channel in CHANNELS {
            let unknown = weir.gauge("given_up", channel).await.unwrap_or_default();
            let arrived = told(&server, &posts).keys().filter(|(through, _)| *through == channel).count();
            is_told &= weir.gauge("waiting", channel).await == Some(0) && arrived + unknown >= CUSTOMERS;
        }
        is_told
    })
    .await;
    let told = told(&server, &posts);
    let twice: Vec<_> = told.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "told more than once: {twice:?}");
    for channel in CHANNELS {
        let arrived = told.keys().filter(|(through, _)| *through == channel).count();
        // Only where it is not known whether a message arrived may one be missing.
        let unknown = weir.gauge("given_up", channel).await.unwrap();
        println!("{channel}: {arrived} of {CUSTOMERS} arrived, of {unknown} it is not known");
        assert!(unknown <= KILLS, "{channel}: {unknown}");
    }
    let ids: BTreeSet<_> = server.taken().iter().map(|mail| mail.header("Message-ID")).collect();
    assert_eq!(ids.len(), server.taken().len());
}
