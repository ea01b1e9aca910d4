//! Copies of durable events are acknowledged and not stored again, so that replaying a captured POST does not fill the disk.

use crate::support::gate::{Gate, gated};
use crate::support::{GOOD, NOW, Rig, Setup, assert_refused, assert_taken, text};

fn event(rest: &str, at: i64) -> String {
    format!(r#"[{{"event":"open","timestamp":{at},"customer_id":"acme"{rest}}}]"#)
}

#[tokio::test]
async fn a_copy_is_acknowledged_like_the_first_and_not_stored_again() {
    let rig = Rig::new().await;
    for _ in 0..20 {
        assert_taken(&rig.post(GOOD).await, 1, 0);
    }
    assert_eq!(rig.events().len(), 1);
    rig.comes_to("weir_receiver_events_total", &[("outcome", "duplicate")], 19.0).await;
    rig.comes_to("weir_receiver_events_total", &[("outcome", "accepted")], 1.0).await;
    rig.is_well().await;
}

#[tokio::test]
async fn only_the_new_events_of_a_batch_are_stored() {
    let rig = Rig::new().await;
    assert_taken(&rig.post(GOOD).await, 1, 0);
    let new = event(r#","sg_event_id":"new""#, NOW);
    let both = format!("[{},{}]", text(GOOD).trim_matches(['[', ']']), new.trim_matches(['[', ']']));
    assert_taken(&rig.post(both).await, 2, 0);
    let events = rig.events();
    assert_eq!(events.len(), 2, "{events:?}");
    assert!(events.iter().any(|event| event.contains("\"new\"")), "{events:?}");
}

#[tokio::test]
async fn a_post_that_was_captured_at_one_source_adds_nothing_at_another() {
    let setup = Setup { further_sources: vec!["second"], ..Setup::new() };
    let rig = setup.start().await;
    assert_taken(&rig.post(GOOD).await, 1, 0);
    assert_taken(&rig.send(&rig.signed(GOOD).at("/webhooks/sendgrid/second")).await, 1, 0);
    assert_eq!(rig.events().len(), 1);
    rig.comes_to("weir_receiver_events_total", &[("source", "second"), ("outcome", "duplicate")], 1.0).await;
}

#[tokio::test]
async fn copies_of_events_that_the_fold_may_not_have_counted_are_stored() {
    let rig = Rig::new().await;
    let old = event(r#","sg_event_id":"old""#, NOW - 26 * 3_600 - 1);
    let ahead = event(r#","sg_event_id":"ahead""#, NOW + 1);
    for (body, stored) in [(event("", NOW), 2), (event(r#","sg_event_id":"""#, NOW), 4), (old, 6), (ahead, 8)] {
        assert_taken(&rig.post(&body).await, 1, 0);
        assert_taken(&rig.post(&body).await, 1, 0);
        assert_eq!(rig.events().len(), stored, "{body}");
    }
}

#[tokio::test]
async fn a_copy_that_names_the_customer_is_stored_after_one_that_does_not() {
    let rig = Rig::new().await;
    assert_taken(
        &rig.post(event(r#","sg_event_id":"first""#, NOW).replace(r#","customer_id":"acme""#, "")).await,
        1,
        0,
    );
    assert_taken(&rig.post(event(r#","sg_event_id":"first""#, NOW)).await, 1, 0);
    let mut keys: Vec<_> = rig.records(log::Topic::Events).iter().map(|record| text(&record.key)).collect();
    keys.sort();
    assert_eq!(keys, ["acme", "unattributed:main"]);
}

#[tokio::test]
async fn an_event_that_the_log_did_not_take_is_not_a_duplicate() {
    let (rig, _gated, gate) = gated(Setup::new(), Gate::Busy).await;
    assert_refused(&rig.post(GOOD).await, 503, "log_unavailable");
    gate.send(Gate::Open).unwrap();
    assert_taken(&rig.post(GOOD).await, 1, 0);
    assert_eq!(rig.events().len(), 1);
}

#[tokio::test]
async fn a_restarted_receiver_knows_the_newest_events_of_the_log() {
    let rig = Rig::new().await;
    let mail = r#","sg_event_id":"first","smtp-id":"<a@acme.example>""#;
    assert_taken(&rig.post(event(mail, NOW)).await, 1, 0);
    let dir = rig.stop().await;
    let rig = Setup { dir: Some(dir), ..Setup::new() }.start().await;
    assert_taken(&rig.post(event(mail, NOW)).await, 1, 0);
    assert_eq!(rig.events().len(), 1);
    let bounce = r#"[{"event":"bounce","timestamp":1795000000,"sg_event_id":"second","smtp-id":"<a@acme.example>"}]"#;
    assert_taken(&rig.post(bounce).await, 1, 0);
    let keys: Vec<_> = rig.records(log::Topic::Events).iter().map(|record| text(&record.key)).collect();
    assert_eq!(keys, ["acme", "acme"]);
}
