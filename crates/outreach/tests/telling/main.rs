//! Decisions are told over a real log, by real SMTP and real HTTP.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod accounts;
mod chat;
mod digest;
mod golden;
mod mail_server;
mod office;
mod platform;

use std::collections::BTreeSet;

use log::Topic;
use model::{Millis, Stage};
use outreach::Secret;
use serde_json::Value;

use chat::chat;
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
    until(|| server.taken().len() == 3).await;
    let taken = server.taken();
    let told = taken.iter().find(|mail| mail.to == ["ops@acme.example"]).unwrap();
    assert_eq!(told.header("Subject"), "Your mail is stopped for now");
    let (text, page) = told.bodies();
    assert!(text.contains("hard bounces: 310 of 4,020") && !text.contains("hard-bounce-fire"), "{text}");
    // Only a person brings a suspended customer down: the letter says so, and behind the list.
    let page = page.replace("\r\n", "\n");
    assert!(page.contains("</ol>\n<p>This does not end by itself") && !text.contains("step by step"), "{page}");
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn customer_success_is_told_once_more_when_what_was_held_back_comes_into_force() {
    let (server, mut platform) = (MailServer::start(), Platform::new());
    let (url, posts) = chat().await;
    let mut config = config(&server, "");
    (config.chat, config.tell_customers) = (Some(Secret::new(url)), false);
    platform.start(config.clone()).await;
    let (acme, bolt) = (decision(7, "acme", UP), decision(8, "bolt", UP));
    for held in [&acme, &bolt] {
        platform.decide(held).await;
        platform.ask(held).await;
    }
    until(|| server.taken().len() == 2 && posts.lock().unwrap().len() == 2).await;
    platform.let_through(&acme).await;
    until(|| server.taken().len() == 3 && posts.lock().unwrap().len() == 3).await;
    let told = server.taken()[2].clone();
    assert_eq!(told.header("Subject"), "[now in force] acme is suspended");
    assert_eq!(told.header("Message-ID"), format!("{:032x}.success_mail.in-force@platform.example", 7));
    assert!(told.bodies().0.starts_with("In force now: acme was moved from healthy to suspended."), "{told:?}");
    assert_eq!(posts.lock().unwrap()[2]["text"], "[now in force] acme is suspended");
    // The same word once more, and what comes into force while nobody tells.
    platform.let_through(&acme).await;
    platform.stop().await;
    platform.let_through(&acme).await;
    platform.let_through(&bolt).await;
    platform.start(config).await;
    until(|| server.taken().len() == 4 && posts.lock().unwrap().len() == 4).await;
    // Behind everything else comes another customer's.
    platform.decide(&decision(9, "crib", (Stage::Healthy, Stage::Watch))).await;
    until(|| server.taken().len() == 5 && posts.lock().unwrap().len() == 5).await;
    platform.stop().await;
    let subjects: Vec<_> = server.taken()[3..].iter().map(|mail| mail.header("Subject")).collect();
    assert_eq!(subjects, ["[now in force] bolt is suspended", "crib is being watched"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_letter_says_of_the_way_back_is_what_the_policy_and_the_customers_standing_say() {
    let (server, mut platform) = (MailServer::start(), Platform::new());
    platform.start(config(&server, "acme,ops@acme.example,\nbolt,ops@bolt.example,\n")).await;
    let throttled = (Stage::Healthy, Stage::Throttled);
    let mut of_another_policy = decision(2, "bolt", throttled);
    of_another_policy.policy = "sha256:another".to_owned();
    let of_this = decision(1, "acme", throttled);
    for decision in [&of_this, &of_another_policy] {
        platform.stand(decision, 100).await;
        platform.decide(decision).await;
        platform.let_through(decision).await;
    }
    let to = |address: &str| server.taken().into_iter().find(|mail| mail.to == [address]).map(|mail| mail.bodies().0);
    until(|| to("ops@acme.example").is_some() && to("ops@bolt.example").is_some()).await;
    platform.stop().await;
    let (acme, bolt) = (to("ops@acme.example").unwrap(), to("ops@bolt.example").unwrap());
    assert!(acme.contains("eased step by step") && acme.contains("at least 48 hours"), "{acme}");
    assert!(acme.contains("complaints below 0.10 % of mails delivered"), "{acme}");
    assert!(!bolt.contains("step by step") && bolt.contains("write to us to learn what ends this"), "{bolt}");
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
    let (text, _) = server.taken()[0].bodies();
    assert!(text.starts_with("In shadow: nothing was changed, and the customer is not told."), "{text}");
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
async fn what_is_told_in_is_counted_from_zero_on_and_what_no_longer_is_counts_nothing_lost() {
    let (server, mut platform) = (MailServer::start(), Platform::new());
    server.is(Mood::TakesInSilence);
    platform.start(config(&server, "")).await;
    for (channel, count) in [("success_mail", Some(0.0)), ("customer_mail", Some(0.0)), ("success_chat", None)] {
        for outcome in ["delivered", "failed", "given_up", "unknown", "no_contact"] {
            let labels = [("channel", channel), ("outcome", outcome)];
            assert_eq!(platform.metric("weir_outreach_deliveries_total", &labels), count, "{channel} {outcome}");
        }
    }
    platform.decide(&decision(1, "acme", UP)).await;
    until(|| platform.metric("weir_outreach_given_up", &[("channel", "success_mail")]) == Some(1.0)).await;
    platform.stop().await;
    let mut without = config(&server, "");
    without.success = None;
    platform.start(without).await;
    until(|| platform.metric("weir_outreach_given_up", &[("channel", "success_mail")]) == Some(0.0)).await;
    platform.stop().await;
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
async fn what_gets_stricter_does_not_wait() {
    let (server, mut platform) = (MailServer::start(), Platform::new());
    platform.start(config(&server, "")).await;
    platform.decide(&decision(1, "acme", (Stage::Healthy, Stage::Watch))).await;
    until(|| server.taken().len() == 1).await;
    platform.decide(&decision(2, "acme", (Stage::Watch, Stage::Suspended))).await;
    until(|| server.taken().len() == 2).await;
    assert_eq!(server.taken()[1].header("Subject"), "[not in force] acme is suspended");
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contacts_are_read_again_when_they_change() {
    let (server, mut platform) = (MailServer::start(), Platform::new());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("contacts.csv");
    let write = |contact: &str| {
        let rows: String = (0..10).map(|number| format!("customer-{number},{contact},\n")).collect();
        std::fs::write(&file, format!("customer,contact,owner\n{rows}")).unwrap();
    };
    write("former@acme.example");
    let mut config = config(&server, "");
    (config.contacts, config.success) = (outreach::Contacts::read(&file).unwrap(), None);
    platform.start(config).await;
    // One customer after the other is told, until what is written is known.
    let mut contacts = BTreeSet::new();
    for number in 0..10 {
        let next = decision(number, &format!("customer-{number}"), UP);
        platform.decide(&next).await;
        platform.let_through(&next).await;
        until(|| server.taken().len() > usize::try_from(number).unwrap()).await;
        contacts.insert(server.taken().last().unwrap().to[0].clone());
        write("latter@acme.example");
        if contacts.len() > 1 {
            break;
        }
    }
    assert_eq!(contacts, ["former@acme.example".to_owned(), "latter@acme.example".to_owned()].into());
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_are_written_once_and_for_customers_only_of_what_is_in_force() {
    let (server, mut platform) = (MailServer::start(), Platform::new());
    let drafts = || {
        let mut config = config(&server, "");
        (config.mail, config.success, config.tell_customers, config.drafts) = (None, None, false, true);
        config
    };
    platform.start(drafts()).await;
    let written = |platform: &Platform| -> Vec<(String, Value)> {
        let records = platform.read(Topic::Drafts);
        let told = records.iter().map(|record| {
            let id = String::from_utf8(record.header("ce_id").unwrap().to_vec()).unwrap();
            (id, serde_json::from_slice(&record.value).unwrap())
        });
        told.collect()
    };
    let suspended = decision(7, "acme", UP);
    platform.decide(&suspended).await;
    platform.ask(&suspended).await;
    until(|| written(&platform).len() == 1).await;
    platform.stop().await;
    platform.start(drafts()).await;
    platform.let_through(&suspended).await;
    until(|| written(&platform).len() == 3).await;
    platform.stop().await;
    platform.start(drafts()).await;
    platform.decide(&decision(8, "bolt", UP)).await;
    until(|| written(&platform).len() == 4).await;
    platform.stop().await;
    let written = written(&platform);
    let ids: Vec<_> = written.iter().map(|(id, _)| id.clone()).collect();
    let id = |number: u32, audience: &str| format!("{number:032x}-{audience}");
    // The topic's partitions are read one after the other.
    let wanted = [id(7, "success"), id(7, "success-in-force"), id(7, "customer"), id(8, "success")];
    assert_eq!(BTreeSet::from_iter(ids), wanted.into());
    let of = |wanted: String| written.iter().find(|(id, _)| *id == wanted).unwrap().1.clone();
    let (success, customer) = (of(id(7, "success")), of(id(7, "customer")));
    assert_eq!([&success["audience"], &success["state"], &success["to"]], ["success", "awaits_approval", "suspended"]);
    let once_more = of(id(7, "success-in-force"));
    assert_eq!([&once_more["state"], &once_more["subject"]], ["in_force", "[now in force] acme is suspended"]);
    assert_eq!([&customer["audience"], &customer["state"]], ["customer", "in_force"]);
    assert_eq!(customer["subject"], "Your mail is stopped for now");
    assert!(customer["text"].as_str().unwrap().contains("hard bounces: 310 of 4,020"), "{customer}");
    assert!(customer["html"].as_str().unwrap().starts_with("<!doctype html>"), "{customer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_recipient_that_is_refused_does_not_keep_the_others_from_being_told() {
    let (server, mut platform) = (MailServer::start(), Platform::new());
    server.is(Mood::RefusesOwners);
    platform.start(config(&server, "acme,,owner@platform.example\n")).await;
    platform.decide(&decision(1, "acme", UP)).await;
    until(|| platform.outcome("success_mail", "delivered") == "1").await;
    assert_eq!(server.taken()[0].to, ["success@platform.example"]);
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_name_and_no_reason_makes_a_header_a_link_or_a_tag() {
    let (server, (url, posts)) = (MailServer::start(), chat().await);
    let mut config = config(&server, "");
    config.chat = Some(Secret::new(url));
    let mut platform = Platform::new();
    platform.start(config).await;
    let name =
        "x)[c](mailto:b@evil.example) <!channel> [x](https://evil.example) <b>\u{202e}*y*\u{2028}Bcc: a@evil.example";
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
    for bad in ["<script", "<b>", "href=\"https://evil", "href=\"mailto", "<h1"] {
        assert!(!page.contains(bad), "{bad}: {page}");
    }
    let post = posts.lock().unwrap()[0].clone();
    let said = post["blocks"][1]["text"]["text"].as_str().unwrap();
    assert!(said.contains("&lt;!channel&gt;") && !said.contains("<!channel"), "{said}");
    assert!(!post["text"].as_str().unwrap().contains('<') && !said.contains("<https://evil"), "{post}");
    // The page's link is the only one.
    assert_eq!(said.matches('<').count(), 1, "{said}");
    platform.stop().await;
}
