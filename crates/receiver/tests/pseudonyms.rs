//! With a key of pseudonyms, no recipient's address reaches the log.

use receiver::PseudonymKey;

use crate::support::{Rig, Setup, assert_refused, assert_taken, text};
use log::Topic;

/// `printf 'jo@example.org' | openssl dgst -sha256 -hmac 'a key of pseudonyms'`
const JO: &str = "1b95487a586d2f6f4dff11e8e0d6552b0d2528b23cd5006ff253165af5cab28a@example.org";

async fn pseudonymous() -> Rig {
    let mut setup = Setup::new();
    setup.config.pseudonymise = PseudonymKey::new(b"a key of pseudonyms");
    setup.start().await
}

/// Says that nothing in the log holds the recipient: no key, no value, no header.
fn assert_unknown(rig: &Rig) {
    for record in [Topic::Events, Topic::Rejects].into_iter().flat_map(|topic| rig.records(topic)) {
        let whole = format!("{record:?}").to_lowercase();
        for spelling in ["jo@", "jo%40", "jo=", "jo\\u0040"] {
            assert!(!whole.contains(spelling), "{whole}");
        }
    }
}

#[tokio::test]
async fn an_address_is_replaced_by_the_documented_pseudonym() {
    let rig = pseudonymous().await;
    let event =
        |email: &str| format!(r#"{{"email":"{email}","timestamp":1795000000,"event":"open","customer_id":"acme"}}"#);
    assert_taken(&rig.post(format!("[{},{}]", event("jo@example.org"), event(" Jo@Example.ORG"))).await, 2, 0);
    assert_eq!(rig.events(), [event(JO), event(JO)]);
}

#[tokio::test]
async fn the_address_is_replaced_in_reasons_answers_and_links_too() {
    let rig = pseudonymous().await;
    let event = |email: &str, encoded: &str| {
        format!(
            r#"{{"email":"{email}","timestamp":1795000000,"event":"bounce","reason":"550 <{email}> unknown","response":"{email}","url":"https://a.de/?u={encoded}","customer_id":"acme"}}"#
        )
    };
    assert_taken(&rig.post(format!("[{}]", event("jo@example.org", "jo%40example.org"))).await, 1, 0);
    assert_eq!(rig.events(), [event(JO, &JO.replace('@', "%40"))]);
}

#[tokio::test]
async fn every_copy_of_the_email_key_is_replaced() {
    let rig = pseudonymous().await;
    let body = r#"[{"email":"jo@example.org","event":"open","timestamp":1795000000,"email":"jo\u0040example.org"}]"#;
    assert_taken(&rig.post(body).await, 1, 0);
    assert_eq!(rig.events()[0].matches(JO).count(), 2);
    assert_unknown(&rig);
}

#[tokio::test]
async fn the_customer_is_told_from_the_event_as_it_came() {
    let rig = pseudonymous().await;
    let body = r#"[{"email":"jo@example.org","event":"open","timestamp":1795000000,"customer_id":"acme"}]"#;
    assert_taken(&rig.post(body).await, 1, 0);
    assert_eq!(text(&rig.records(Topic::Events)[0].key), "acme");
    assert_unknown(&rig);
}

#[tokio::test]
async fn an_event_without_recipient_keeps_its_bytes() {
    let rig = pseudonymous().await;
    let event = r#"{ "event":"account_status_change", "timestamp":1795000000,"a":1.50, "a":2 }"#;
    assert_taken(&rig.post(format!("[{event}]")).await, 1, 0);
    assert_eq!(rig.events(), [event]);
}

#[tokio::test]
async fn rejects_hold_no_address_either() {
    let rig = pseudonymous().await;
    let body = r#"["jo@example.org",{"email":"jo@example.org","event":"open"},{"to":"jo@example.org"},{"email":"jo@example.org"]"#;
    // The last element makes the array's end unclear, so it is left out of this batch and sent as one of its own.
    let batch = body.replace(r#",{"email":"jo@example.org"]"#, r#",{"email":"jo@example.org",}]"#);
    assert_taken(&rig.post(batch).await, 0, 4);
    assert_refused(&rig.post(body).await, 400, "no_events");
    assert_unknown(&rig);
    let rejects = rig.rejects();
    assert_eq!(rejects[1], format!(r#"{{"email":"{JO}","event":"open"}}"#));
    for digest in [0, 2, 3, 4] {
        assert!(rejects[digest].starts_with(r#"{"hmac_sha256":""#), "{rejects:?}");
    }
}

#[tokio::test]
async fn an_event_of_too_many_recipients_is_set_aside() {
    let rig = pseudonymous().await;
    let emails: Vec<String> = (0..20).map(|n| format!(r#""email":"{n}jo@example.org""#)).collect();
    assert_taken(&rig.post(format!(r#"[{{"event":"open","timestamp":1,{}}}]"#, emails.join(","))).await, 0, 1);
    assert!(rig.reasons()[0].contains("could not be replaced"));
    assert_unknown(&rig);
}
