//! Real Weir processes tell of decisions by SMTP with STARTTLS and a login, and in a chat: each once, whenever they are killed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use simulator::sendgrid::{Options, SendGrid, World};
use site::{Process, Site};

use crate::chat::chat;
use crate::mail_server::MailServer;

const PATIENCE: Duration = Duration::from_secs(120);
const CUSTOMERS: usize = 12;
const KILLS: usize = 6;
/// How long the server takes over a mail: kills hit it in between, and in the middle.
const PACE: Duration = Duration::from_millis(40);
const CHANNELS: [&str; 3] = ["success_mail", "success_chat", "customer_mail"];
const PASSWORD: &str = "a password of the mail server";

fn customer(number: usize) -> String {
    format!("customer-{number}")
}

struct Weir {
    process: Process,
    site: Site,
    _sendgrid: SendGrid,
}

impl Weir {
    async fn start(mail: (&MailServer, &str), chat: &str) -> Self {
        let sendgrid = SendGrid::start_with(World::of(&[]), Options::default()).await.unwrap();
        let site = Site::new();
        let contacts: String = (0..CUSTOMERS).map(|n| format!("{0},ops@{0}.example,\n", customer(n))).collect();
        std::fs::write(site.folder().join("contacts.csv"), format!("customer,contact,owner\n{contacts}")).unwrap();
        let certificate = site.folder().join("mail.pem");
        std::fs::write(&certificate, mail.1).unwrap();
        site.configure(&format!(
            r#"
            [enforcer]
            mode = "enforce"
            placement = "route"
            customers_per_hour = 1000
            volume_per_hour = "100 %"
            [sendgrid]
            api = "{api}"
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
            api = sendgrid.base_url(),
            port = mail.0.port(),
        ));
        let mut weir = site.run(env!("CARGO_BIN_EXE_weir"));
        weir.env("SENDGRID_API_KEY", sendgrid.api_key())
            .env("URL_OF_THE_CHAT", chat)
            .env("PASSWORD_OF_THE_MAIL_SERVER", PASSWORD)
            .env("SSL_CERT_FILE", certificate);
        Self { process: Process::start(weir), site, _sendgrid: sendgrid }
    }

    async fn suspend(&self, customer: &str) {
        let url = format!("{}/v1/customers/{customer}/commands", self.site.base());
        let order = json!({ "type": "set_stage", "stage": "suspended", "by": "ann", "reason": "a test" });
        let request = self.site.client.post(url).header("content-type", "application/json").body(order.to_string());
        assert_eq!(request.send().await.unwrap().status(), 202);
    }

    /// What a gauge of outreach is for a channel; `None` while nobody tells.
    async fn gauge(&self, name: &str, channel: &str) -> Option<usize> {
        let metrics = self.site.get("/metrics").await?;
        let line = format!("weir_outreach_{name}{{channel=\"{channel}\"}} ");
        metrics.lines().find_map(|told| told.strip_prefix(&line))?.parse().ok()
    }
}

/// Waits for a condition.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "it did not come to that: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The customer that a text names.
fn named(text: &str) -> String {
    let number: String = text.split("customer-").nth(1).unwrap().chars().take_while(char::is_ascii_digit).collect();
    format!("customer-{number}")
}

/// How often each customer was told of in each channel, and how often that what was not in force is so now.
fn told(server: &MailServer, posts: &Mutex<Vec<Value>>) -> BTreeMap<(&'static str, String), [usize; 2]> {
    let mut told: BTreeMap<_, [usize; 2]> = BTreeMap::new();
    let mut count = |channel, text: &str, is_once_more: bool| {
        let [first, once_more] = told.entry((channel, named(text))).or_default();
        *if is_once_more { once_more } else { first } += 1;
    };
    let is_once_more = |subject: &str| subject.starts_with("[now in force]");
    for mail in server.taken() {
        let subject = mail.header("Subject");
        match mail.to[0].as_str() {
            "success@platform.example" => count("success_mail", &subject, is_once_more(&subject)),
            to => count("customer_mail", to, false),
        }
    }
    for post in posts.lock().unwrap().iter() {
        let text = post["text"].as_str().unwrap();
        count("success_chat", text, is_once_more(text));
    }
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_decision_is_told_once_whenever_the_process_is_killed() {
    let (server, certificate) = MailServer::start_guarded(PASSWORD, PACE);
    let (url, posts) = chat().await;
    let mut weir = Weir::start((&server, &certificate), &url).await;
    until("it begins", async || weir.gauge("waiting", "success_mail").await.is_some()).await;
    for number in 0..CUSTOMERS {
        weir.suspend(&customer(number)).await;
    }
    let deliveries = |server: &MailServer| server.taken().len() + posts.lock().unwrap().len();
    for kill in 1..=KILLS {
        until("something is told", async || deliveries(&server) >= kill * 4).await;
        weir.process.kill_and_restart();
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
    let twice: Vec<_> = told.iter().filter(|(_, times)| times.iter().any(|times| *times > 1)).collect();
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
