//! Under load, faults and bad requests, neither the API key nor a recipient's address is shown by anything: log lines at the
//! finest level, errors, metrics, answers of the receiver and of the operators' API.
//!
//! What lies in the log's topics is another matter: events are kept as they came, unless pseudonyms are asked for.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use simulator::sendgrid::{Budget, Faults, Options, SendGrid, World};
use site::{Process, Site, free_port, now, subuser};

use crate::mail_server::{MailServer, Mood};

const PATIENCE: Duration = Duration::from_secs(120);
const CUSTOMERS: usize = 12;
const RECIPIENTS: usize = 25;
/// How often everybody's mail has its events.
const ROUNDS: usize = 8;
const HOOK_SECRET: &str = "whsec_aGlkZGVuIGhpZGRlbiBoaWRkZW4gaGlkZGVuIGhpZGRlbg==";
const MAIL_PASSWORD: &str = "hidden-password-of-the-mail-server";
/// What makes the chat's URL a secret.
const CHAT_TOKEN: &str = "T0hidden/B0hidden/hiddenhiddenhidden";
/// Where the contacts of customers, and their owners, have their mailboxes.
const CONTACTS: &str = "contacts-of-customers.example";

/// A name that stands nowhere else.
fn local_part(number: usize) -> String {
    format!("xq{number}recipient")
}

fn address(number: usize) -> String {
    format!("{}@private-{number}.example", local_part(number))
}

fn customer(number: usize) -> String {
    format!("customer-{number}")
}

/// A running Weir, whose every word is kept.
struct Weir {
    process: Process,
    site: Site,
    /// Every answer that it gave, with what was asked.
    answers: Vec<String>,
}

impl Weir {
    fn start(sendgrid: &SendGrid, (mail, certificate): (&MailServer, &str)) -> Self {
        let site = Site::new();
        site.configure(&format!(
            r#"
            [receiver]
            max_body_bytes = 768000
            [state]
            checkpoints = "file://{folder}/checkpoints"
            checkpoint_interval = "2s"
            [enforcer]
            mode = "enforce"
            volume_per_hour = "100 %"
            sweep_interval = "500ms"
            settling = "300ms"
            [sendgrid]
            api = "{api}"
            api_key_env = "KEY_FOR_SENDGRID"
            [[hook]]
            name = "platform"
            url = "http://127.0.0.1:{nobody}/hook"
            secret_env = "SECRET_OF_THE_HOOK"
            allow_private = true
            [outreach]
            customer_success = "success@platform.example"
            from = "Weir <weir@platform.example>"
            chat_url_env = "URL_OF_THE_CHAT"
            contacts = "contacts.csv"
            tell_customers = true
            drafts = true
            quiet = "1ms"
            [outreach.smtp]
            host = "localhost"
            port = {smtp}
            user = "weir"
            password_env = "PASSWORD_OF_THE_MAIL_SERVER"
            "#,
            folder = site.folder().display(),
            api = sendgrid.base_url(),
            nobody = free_port(),
            smtp = mail.port(),
        ));
        std::fs::write(site.folder().join("mail.pem"), certificate).unwrap();
        write_contacts(site.folder(), "");
        let process = start(site.folder(), sendgrid.api_key());
        Self { process, site, answers: Vec::new() }
    }

    /// Asks, and keeps the answer; `None` where there is none.
    async fn ask(&mut self, method: Method, port: u16, path: &str, body: Option<String>) -> Option<(u16, String)> {
        let request = self.site.client.request(method.clone(), format!("http://127.0.0.1:{port}{path}"));
        let request = request.header("content-type", "application/json").body(body.unwrap_or_default());
        let answer = request.send().await.ok()?;
        let (status, headers) = (answer.status().as_u16(), format!("{:?}", answer.headers()));
        let text = answer.text().await.ok()?;
        self.answers.push(format!("answer to a {method}: {status} {headers} {text}"));
        Some((status, text))
    }

    async fn get(&mut self, path: &str) -> (u16, String) {
        self.ask(Method::GET, self.site.admin, path, None).await.unwrap()
    }

    async fn command(&mut self, id: &str, command: &Value) -> u16 {
        let path = format!("/v1/customers/{id}/commands");
        self.ask(Method::POST, self.site.admin, &path, Some(command.to_string())).await.unwrap().0
    }

    async fn wait_until_ready(&mut self) {
        let (deadline, admin) = (Instant::now() + PATIENCE, self.site.admin);
        while self.ask(Method::GET, admin, "/readyz", None).await.is_none_or(|(status, _)| status != 200) {
            let has_ended = self.process.has_ended();
            let said = || lines(&self.site.folder().join("weir.err")).join("\n");
            assert!(!has_ended && Instant::now() < deadline, "not ready:\n{}", said());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// SIGTERM, and everything that it said and answered in all that time.
    fn end(mut self) -> Vec<String> {
        assert!(self.process.end().success());
        let mut said = std::mem::take(&mut self.answers);
        said.extend(lines(&self.site.folder().join("weir.out")));
        said.extend(lines(&self.site.folder().join("weir.err")));
        // RocksDB keeps logs of its own.
        let mut folders = vec![self.site.folder().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else if entry.file_name().to_string_lossy().starts_with("LOG") {
                    said.extend(lines(&entry.path()));
                }
            }
        }
        said
    }
}

/// Everybody's contact and owner, and what stands behind them.
fn write_contacts(folder: &Path, more: &str) {
    let row = |n| format!("{},contact-{n}@{CONTACTS},Owner {n} <owner-{n}@{CONTACTS}>\n", customer(n));
    let rows: String = (0..CUSTOMERS).map(row).collect();
    std::fs::write(folder.join("contacts.csv"), format!("customer,contact,owner\n{rows}{more}")).unwrap();
}

fn command(folder: &Path, key: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    command
        .env("WEIR_CONFIG", folder.join("weir.toml"))
        .env("WEIR_LOG", "trace")
        .env("RUST_BACKTRACE", "full")
        .env("KEY_FOR_SENDGRID", key)
        .env("SECRET_OF_THE_HOOK", HOOK_SECRET)
        .env("PASSWORD_OF_THE_MAIL_SERVER", MAIL_PASSWORD)
        // Nobody listens there.
        .env("URL_OF_THE_CHAT", format!("http://127.0.0.1:9/{CHAT_TOKEN}"))
        .env("SSL_CERT_FILE", folder.join("mail.pem"));
    command
}

/// Its words go to files.
fn start(folder: &Path, key: &str) -> Process {
    let file = |name: &str| -> Stdio { std::fs::File::create(folder.join(name)).unwrap().into() };
    let mut command = command(folder, key);
    command.arg("run").stdout(file("weir.out")).stderr(file("weir.err"));
    Process::start(command)
}

fn lines(file: &PathBuf) -> Vec<String> {
    String::from_utf8_lossy(&std::fs::read(file).unwrap()).lines().map(str::to_owned).collect()
}

/// What happens to the mail of one customer to one recipient; the address stands wherever SendGrid puts it, and elsewhere.
fn events(number: usize, recipient: usize, round: usize) -> Vec<String> {
    let (id, to) = (customer(number), address(recipient));
    let event = |kind: &str, more: Value| {
        let mut event = json!({
            "email": to,
            "timestamp": now().seconds(),
            "event": kind,
            "customer_id": id,
            "sg_event_id": format!("{kind}-{number}-{recipient}-{round}"),
            "sg_message_id": format!("m{number}-{recipient}-{round}.recvd-1-1"),
            "smtp-id": format!("<{to}>"),
            "to_name": to,
        });
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        event.to_string()
    };
    let reason = format!("550 5.1.1 <{to}>: Recipient address rejected: User unknown");
    vec![
        event("processed", json!({})),
        event("bounce", json!({ "reason": reason, "status": "5.1.1", "type": "bounce" })),
        event("deferred", json!({ "response": format!("451 {to} try later"), "attempt": "1" })),
        event("dropped", json!({ "reason": format!("Bounced Address {to}"), "status": "" })),
        event("spamreport", json!({})),
        event("click", json!({ "url": format!("https://example.com/?to={to}"), "ip": "192.0.2.1", "useragent": to })),
        // None of these makes sense.
        event(&format!("no such event for {to}"), json!({})),
        event("delivered", json!({ "timestamp": to, "status": { to.clone(): to } })),
        event("delivered", json!({ "customer_id": [to], "sg_event_id": { "to": to } })),
        format!(r#""{to}""#),
        format!(r#"{{"email":"{to}","email":"{to}","event":"open"}}"#),
    ]
}

fn faults() -> Faults {
    Faults {
        fail_before: 0.05,
        fail_after: 0.05,
        cut: 0.5,
        unauthorised: 0.03,
        too_many_share: 0.02,
        stale: Duration::from_millis(200),
        ..Faults::default()
    }
}

/// POSTs to the receiver that it refuses, each with an address wherever it can stand.
async fn bad_posts(weir: &mut Weir) {
    let to = address(0);
    let (url, port) = (weir.site.webhook(), weir.site.receiver);
    let body = format!(r#"[{{"email":"{to}","event":"bounce","timestamp":1}}]"#);
    let bodies = [
        body.clone(),
        format!(r#"[{{"email":"{to}","#),
        to.clone(),
        format!(r#"{{"email":"{to}"}}"#),
        format!(r#"["{to}", {to}]"#),
        format!("[{{\"email\":\"{to}\0\"}}]"),
        format!(r#"[{}]"#, vec![body.clone(); 20_000].join(",")),
    ];
    let old = "1000000000".to_owned();
    for body in bodies {
        for timestamp in [now().seconds().to_string(), old.clone(), to.clone()] {
            for signature in [weir.site.signer.sign(&timestamp, body.as_bytes()).unwrap(), to.clone(), String::new()] {
                let request = weir.site.client.post(&url).body(body.clone());
                let request = request
                    .header("x-twilio-email-event-webhook-signature", &signature)
                    .header("x-twilio-email-event-webhook-timestamp", &timestamp);
                if let Ok(answer) = request.send().await {
                    let (status, headers) = (answer.status(), format!("{:?}", answer.headers()));
                    weir.answers
                        .push(format!("answer to a bad POST: {status} {headers} {}", answer.text().await.unwrap()));
                }
            }
        }
        for (method, path) in [(Method::POST, "/webhooks/sendgrid/other"), (Method::PUT, "/webhooks/sendgrid/test")] {
            drop(weir.ask(method, port, path, Some(body.clone())).await);
        }
        drop(weir.ask(Method::POST, port, &format!("/webhooks/sendgrid/{to}"), Some(body)).await);
    }
    for torn in [
        format!("POST /webhooks/sendgrid/test HTTP/1.1\r\nhost: a\r\ncontent-length: 500\r\n\r\n[{to}"),
        format!("POST /webhooks/sendgrid/test HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n{to}\r\n{to}"),
        format!("POST /webhooks/sendgrid/test HTTP/1.1\r\n{to}\r\n\r\n"),
        format!("{to} {to}\r\n\r\n"),
    ] {
        for port in [weir.site.receiver, weir.site.admin] {
            weir.answers.push(format!("answer to a torn request: {}", raw(port, &torn)));
        }
    }
}

/// The answer to bytes that are no whole request.
fn raw(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut answer = Vec::new();
    // A reset instead of an answer is fine, also while it is still asked.
    let asked = stream.write_all(request.as_bytes()).and_then(|()| stream.shutdown(std::net::Shutdown::Write));
    drop(asked.and_then(|()| stream.read_to_end(&mut answer)));
    String::from_utf8_lossy(&answer).into_owned()
}

/// Requests to the operators' API that it refuses.
async fn bad_requests(weir: &mut Weir) {
    let (to, admin) = (address(1), weir.site.admin);
    let good = json!({ "type": "release", "fully": true, "by": "ann", "reason": "looked at it" });
    let mut bodies = vec![
        to.clone(),
        format!(r#""{to}""#),
        format!(r#"{{"{to}":1}}"#),
        format!(r#"{{"type":"{to}"}}"#),
        json!({ "type": { "to": to } }).to_string(),
        json!([to]).to_string(),
    ];
    for key in ["type", "by", "reason", "stage", "until", "phase", "to"] {
        for wrong in [json!(to), json!([to]), json!({ &to: to }), json!({ "type": to })] {
            let mut command = json!({ "type": "set_stage", "by": "ann", "reason": "r", "stage": "watch" });
            command[key] = wrong;
            bodies.push(command.to_string());
        }
    }
    bodies.extend([
        format!("mode = \"{to}\""),
        format!("\"{to}\" = 1"),
        format!("[{to}]"),
        format!("[[rule]]\nname = \"{to}\""),
    ]);
    let policy = "/v1/policy?by=ann&reason=r";
    let paths = ["/v1/customers/none/commands", "/v1/customers/none/admit", policy, "/v1/policy", "/v1/fleet"];
    for body in bodies {
        for path in paths {
            // What a person says in so many words as the reason is kept for other persons to read.
            let is_taken = serde_json::from_str::<model::Command>(&body).is_ok_and(|command| command.checked().is_ok());
            if !is_taken {
                drop(weir.ask(Method::POST, admin, path, Some(body.clone())).await);
            }
        }
    }
    for query in ["stage", "after", "limit", "wait", "count", "key"] {
        for path in ["/v1/customers", "/v1/decisions", "/v1/fleet", "/v1/policy", "/metrics"] {
            // Whoever asks for an address is answered that it is none; nothing of it is kept.
            let request = weir.site.client.get(format!("http://127.0.0.1:{admin}{path}?{query}={to}&{to}=1"));
            drop(request.send().await);
        }
    }
    assert_eq!(weir.command("none", &good).await, 202);
}

/// Outreach has told something, with every kind of trouble.
async fn outreach(weir: &mut Weir, mail: &MailServer) {
    let is_told = |mail: &MailServer| {
        let to = |wanted: &str| mail.taken().iter().any(|taken| taken.to.iter().any(|to| to.contains(wanted)));
        to("contact-") && to("owner-") && to("success@")
    };
    until_outreach(weir, mail, "tells everybody", |mail, _| is_told(mail)).await;
    // It names the recipient.
    mail.is(Mood::Refuses);
    write_contacts(weir.site.folder(), &format!("another,no-address@{CONTACTS}@{CONTACTS},\n"));
    for (number, stage) in [(0, "throttled"), (1, "suspended"), (2, "watch")] {
        let order = json!({ "type": "set_stage", "stage": stage, "by": "ann", "reason": "to see" });
        assert_eq!(weir.command(&customer(number), &order).await, 202);
    }
    let is_refused = |said: &str| said.contains("a message is refused for good");
    until_outreach(weir, mail, "is refused", |_, said| is_refused(said)).await;
    mail.is(Mood::Busy);
    let is_busy = |said: &str| said.lines().any(|line| line.contains("success_mail") && line.contains("transient"));
    let order = json!({ "type": "set_stage", "stage": "throttled", "by": "ann", "reason": "to see" });
    assert_eq!(weir.command(&customer(3), &order).await, 202);
    until_outreach(weir, mail, "fails", |_, said| is_busy(said)).await;
    until_outreach(weir, mail, "reads the contacts", |_, said| said.contains("the contacts are left as they were"))
        .await;
}

/// Waits until it has told or said something.
async fn until_outreach(weir: &Weir, mail: &MailServer, what: &str, holds: impl Fn(&MailServer, &str) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    let said = || [lines(&weir.site.folder().join("weir.out")), lines(&weir.site.folder().join("weir.err"))].concat();
    loop {
        let said: Vec<_> = said().into_iter().filter(|line| line.contains("outreach")).collect();
        if holds(mail, &said.join("\n")) {
            return;
        }
        let last = said.len().saturating_sub(20);
        assert!(Instant::now() < deadline, "outreach never {what}:\n{}", said[last..].join("\n"));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Everything that operators and mailers read.
async fn read_all(weir: &mut Weir) {
    let (_, decisions) = weir.get("/v1/decisions").await;
    let decisions: Value = serde_json::from_str(&decisions).unwrap();
    for decision in decisions["decisions"].as_array().unwrap().iter().take(20) {
        let id = decision["id"].as_str().unwrap();
        assert_eq!(weir.get(&format!("/v1/decisions/{id}/explanation")).await.0, 200);
    }
    for path in ["/v1/customers", "/v1/fleet", "/v1/policy", "/metrics", "/healthz", "/readyz"] {
        assert_eq!(weir.get(path).await.0, 200, "{path}");
    }
    for number in 0..CUSTOMERS {
        assert_eq!(weir.get(&format!("/v1/customers/{}", customer(number))).await.0, 200);
        assert_eq!(weir.get(&format!("/v1/customers/{}/route", customer(number))).await.0, 200);
    }
}

/// What another process on the same folder says, and the other commands.
fn other_commands(weir: &mut Weir, key: &str) {
    let folder = weir.site.folder().to_owned();
    let mut take = |output: Output| {
        weir.answers.push(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned());
    };
    let second = command(&folder, key).arg("run").output().unwrap();
    assert!(!second.status.success(), "two processes on one folder");
    take(second);
    let preview = ["outreach", "preview", "--template", "customer", "--customer", "customer-1"];
    // The contacts are faulty by now.
    for arguments in [&["config", "check"][..], &["explain", "00000000000000000000000000000000"], &preview] {
        take(command(&folder, key).args(arguments).output().unwrap());
    }
}

/// Waits until the enforcer has moved everybody whom it can.
async fn until_moved(weir: &mut Weir, sendgrid: &SendGrid) {
    let deadline = Instant::now() + PATIENCE;
    let is_done = || {
        let world = sendgrid.world();
        // The rules may have been quicker than the person, and stricter.
        let is_moved = |name: &str| world.is_disabled(name) || world.pools_of(name).iter().eq(["quarantine"]);
        (0..CUSTOMERS - 2).all(|number| is_moved(&customer(number)))
    };
    while !is_done() {
        if Instant::now() > deadline {
            let told = [weir.get("/v1/enforcer").await.1, weir.get("/v1/enforcer/held").await.1];
            panic!("the enforcer did not act: {told:?}");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_key_and_no_address_is_shown_by_anything() {
    let budget = Budget { calls: 100_000, per: Duration::from_secs(1) };
    // Two customers are no subusers.
    let subusers: Vec<_> = (0..CUSTOMERS - 2).map(|number| subuser(&customer(number))).collect();
    let sendgrid = SendGrid::start_with(World::of(&subusers), Options { budget, seed: 1 }).await.unwrap();
    sendgrid.world().faults = faults();
    let (mail, certificate) = MailServer::start_guarded(MAIL_PASSWORD, Duration::ZERO);
    let mut weir = Weir::start(&sendgrid, (&mail, &certificate));
    weir.wait_until_ready().await;

    for round in 0..ROUNDS {
        for number in 0..CUSTOMERS {
            let batch: Vec<_> = (0..RECIPIENTS).flat_map(|recipient| events(number, recipient, round)).collect();
            weir.site.post(&batch).await;
        }
    }
    bad_posts(&mut weir).await;
    bad_requests(&mut weir).await;
    for number in 0..CUSTOMERS {
        let order = json!({ "type": "set_stage", "stage": "quarantined", "by": "ann", "reason": "to see" });
        assert_eq!(weir.command(&customer(number), &order).await, 202);
    }
    until_moved(&mut weir, &sendgrid).await;
    outreach(&mut weir, &mail).await;
    read_all(&mut weir).await;
    other_commands(&mut weir, sendgrid.api_key());

    let key = sendgrid.api_key();
    let said = weir.end();
    let bytes: usize = said.iter().map(String::len).sum();
    println!("{} lines and answers, {bytes} bytes", said.len());
    // It was listened to as closely as may be, and everything was in it that may show something.
    for wanted in [
        "TRACE",
        "DEBUG",
        "weir_enforcer_actions_total",
        "weir_outreach_deliveries_total",
        "it is no mail address",
        "a message is refused for good",
        "answer to a bad POST: 401",
        "answer to a torn request: HTTP/1.1 400",
    ] {
        assert!(said.iter().any(|line| line.contains(wanted)), "nothing said {wanted:?}");
    }
    let mut secrets =
        [key, HOOK_SECRET, MAIL_PASSWORD, CHAT_TOKEN, CONTACTS, "@platform.example"].map(str::to_owned).to_vec();
    secrets.extend((0..RECIPIENTS).map(local_part));
    secrets.extend((0..RECIPIENTS).map(|number| format!("private-{number}.example")));
    let shown: Vec<_> =
        said.iter().filter(|line| secrets.iter().any(|secret| line.contains(secret.as_str()))).collect();
    for line in shown.iter().take(20) {
        println!("{}", line.chars().take(2_000).collect::<String>());
    }
    assert!(shown.is_empty(), "{} lines show what must not be shown", shown.len());
}
