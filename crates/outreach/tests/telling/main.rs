//! Decisions are told over a real log, by real SMTP and real HTTP.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod mail_server;
mod platform;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use model::{Millis, Stage};
use outreach::Secret;
use serde_json::Value;

use mail_server::{MailServer, Mood};
use platform::{Platform, config, decision, in_shadow, until};

const ACME: &str = "acme,ops@acme.example,Ann <ann@platform.example>\n";
const UP: (Stage, Stage) = (Stage::Healthy, Stage::Suspended);

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_written_to_once_its_stage_is_in_force_and_not_before() {
    let (server, mut platform) = (MailServer::start(), Platform::new());
    platform.start(config(&server, ACME)).await;
    let suspended = decision(7, "acme", UP);
    platform.decide(&suspended).await;
    platform.ask(&suspended).await;
    until(|| server.taken().len() == 1).await;
    let told = &server.taken()[0];
    assert_eq!(told.to, ["ann@platform.example", "success@platform.example"]);
    assert_eq!(told.header("Subject"), "[not in force] acme is suspended");
    assert_eq!(told.header("Auto-Submitted"), "auto-generated");
    assert_eq!(told.header("Message-ID"), format!("{:032x}.success_mail@platform.example", 7));
    let (text, page) = told.bodies();
    for said in ["it waits for a person's approval", "7.71 %", "limit: 5.00 %", "other customers: 0.90 %", "Find where"]
    {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(
        page.contains("<strong>7.71 %</strong>") && page.contains("https://weir.example.com/customers/acme"),
        "{page}"
    );
    assert_eq!(platform.metric("weir_outreach_waiting", &[("channel", "customer_mail")]), Some(1.0));

    platform.let_through(&suspended).await;
    until(|| server.taken().len() == 2).await;
    let told = &server.taken()[1];
    assert_eq!(
        (told.to.clone(), told.header("Subject")),
        (vec!["ops@acme.example".to_owned()], "Your mail is stopped for now".to_owned())
    );
    let (text, _) = told.bodies();
    assert!(text.contains("hard bounces: 310 of 4,020") && !text.contains("hard-bounce-fire"), "{text}");
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shadow_is_told_to_customer_success_alone_and_says_so() {
    let (server, mut platform) = (MailServer::start(), Platform::new());
    platform.start(config(&server, ACME)).await;
    let shadow = in_shadow(decision(1, "acme", UP));
    platform.decide(&shadow).await;
    platform.let_through(&shadow).await;
    // The other's comes behind it.
    platform.decide(&decision(2, "bolt", (Stage::Healthy, Stage::Watch))).await;
    until(|| server.taken().len() == 2).await;
    let subjects: Vec<_> = server.taken().iter().map(|mail| mail.header("Subject")).collect();
    assert_eq!(subjects, ["[shadow] acme is suspended", "bolt is being watched"]);
    // Nobody knows whom to tell at bolt.
    until(|| platform.outcome("customer_mail", "no_contact") == "1").await;
    until(|| platform.metric("weir_outreach_waiting", &[]) == Some(0.0)).await;
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_latest_is_told_when_delivery_was_impossible() {
    let (server, mut platform) = (MailServer::start(), Platform::new());
    server.is(Mood::Busy);
    platform.start(config(&server, "")).await;
    platform.decide(&decision(1, "acme", (Stage::Healthy, Stage::Watch))).await;
    until(|| platform.outcome("success_mail", "failed") != "0").await;
    platform.decide(&decision(2, "acme", (Stage::Watch, Stage::Throttled))).await;
    platform.decide(&decision(3, "acme", (Stage::Throttled, Stage::Banned))).await;
    platform.stop().await;
    server.is(Mood::Takes);
    platform.start(config(&server, "")).await;
    until(|| platform.outcome("success_mail", "delivered") == "1").await;
    let taken = server.taken();
    assert_eq!(taken.len(), 1, "{taken:?}");
    assert_eq!(taken[0].header("Subject"), "[not in force] acme is banned");
    assert!(taken[0].bodies().0.contains("it was moved 3 times"), "{}", taken[0].bodies().0);
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_arrived_is_not_repeated_and_what_is_refused_is_given_up() {
    let (server, mut platform) = (MailServer::start(), Platform::new());
    server.is(Mood::TakesInSilence);
    platform.start(config(&server, "")).await;
    platform.decide(&decision(1, "acme", UP)).await;
    until(|| platform.outcome("success_mail", "unknown") == "1").await;
    server.is(Mood::Refuses);
    platform.decide(&decision(2, "bolt", UP)).await;
    until(|| platform.outcome("success_mail", "given_up") == "1").await;
    until(|| platform.metric("weir_outreach_given_up", &[("channel", "success_mail")]) == Some(2.0)).await;
    platform.stop().await;
    server.is(Mood::Takes);
    platform.start(config(&server, "")).await;
    platform.decide(&decision(3, "crib", UP)).await;
    until(|| server.taken().len() >= 2).await;
    platform.stop().await;
    let subjects: Vec<_> = server.taken().iter().map(|mail| mail.header("Subject")).collect();
    assert_eq!(subjects, ["[not in force] acme is suspended", "[not in force] crib is suspended"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_gets_milder_waits_out_the_quiet_time() {
    let (server, mut platform) = (MailServer::start(), Platform::new());
    let mut quiet = config(&server, "");
    quiet.quiet = Millis::seconds(8);
    platform.start(quiet).await;
    platform.decide(&decision(1, "acme", (Stage::Healthy, Stage::Watch))).await;
    until(|| server.taken().len() == 1).await;
    let first = std::time::Instant::now();
    platform.decide(&decision(2, "acme", (Stage::Watch, Stage::Healthy))).await;
    platform.decide(&decision(3, "bolt", (Stage::Healthy, Stage::Watch))).await;
    until(|| server.taken().len() == 2).await;
    assert!(server.taken()[1].header("Subject").starts_with("bolt"), "another customer does not wait");
    until(|| server.taken().len() == 3).await;
    assert!(first.elapsed() >= std::time::Duration::from_millis(7_500), "{:?}", first.elapsed());
    assert_eq!(server.taken()[2].header("Subject"), "acme is healthy again");
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_name_and_no_reason_makes_a_header_a_link_or_a_tag() {
    let (server, posts) = (MailServer::start(), Arc::new(Mutex::new(Vec::<Value>::new())));
    let take = async |State(posts): State<Arc<Mutex<Vec<Value>>>>, axum::Json(body): axum::Json<Value>| {
        posts.lock().unwrap().push(body);
    };
    let router = Router::new().route("/hook", post(take)).with_state(Arc::clone(&posts));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let mut config = config(&server, "");
    config.chat = Some(Secret::new(url));
    let mut platform = Platform::new();
    platform.start(config).await;
    let name = "<!channel> [x](https://evil.example) <b>\u{202e}*y*\u{2028}Bcc: a@evil.example";
    let mut hostile = decision(1, name, UP);
    hostile.evidence = None;
    hostile.rule = "command:set_stage".to_owned();
    hostile.by = Some("ann\r\nBcc: b@evil.example".to_owned());
    hostile.reason = Some("# loud\n\n<script>alert(1)</script>\n[z](https://evil.example)".to_owned());
    platform.decide(&hostile).await;
    until(|| server.taken().len() == 1 && posts.lock().unwrap().len() == 1).await;
    let mail = &server.taken()[0];
    assert_eq!(mail.to, ["success@platform.example"]);
    let head = mail.raw.split("\r\n\r\n").next().unwrap();
    assert!(!head.lines().any(|line| line.to_ascii_lowercase().starts_with("bcc")), "{head}");
    let page = mail.bodies().1;
    for bad in ["<script", "<b>", "href=\"https://evil", "<h1"] {
        assert!(!page.contains(bad), "{bad}: {page}");
    }
    let post = posts.lock().unwrap()[0].clone();
    let said = post["blocks"][1]["text"]["text"].as_str().unwrap();
    assert!(said.contains("&lt;!channel&gt;") && !said.contains("<!channel"), "{said}");
    assert!(!post["text"].as_str().unwrap().contains('<') && !said.contains("<https://evil"), "{post}");
    platform.stop().await;
}
