//! 2xx says that every event is durable, and nothing else says it.

use std::time::Duration;

use log::{RecordKind, Topic};
use model::Timestamp;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::client::{self, Reply};
use crate::support::gate::{Gate, asked, gated};
use crate::support::{GOOD, NOW, Rig, SOON, Setup, assert_refused, assert_taken, open, records, text};

/// Posts `body` in the background.
fn posting(rig: &Rig, body: &[u8]) -> tokio::task::JoinHandle<Reply> {
    let (address, bytes) = (rig.address, rig.signed(body).bytes());
    tokio::spawn(async move { client::exchange(address, &bytes).await })
}

fn batch(of: usize) -> String {
    let event =
        |n| format!(r#"{{"event":"open","timestamp":1795000000,"sg_event_id":"e{n}","customer_id":"c{}"}}"#, n % 7);
    format!("[{}]", (0..of).map(event).collect::<Vec<_>>().join(",\r\n"))
}

#[tokio::test]
async fn an_event_is_its_own_bytes_under_its_customer() {
    let rig = Rig::new().await;
    assert_taken(&rig.post(GOOD).await, 1, 0);
    let [record] = &rig.records(Topic::Events)[..] else { panic!("one record was expected") };
    assert_eq!(record.value, GOOD[1..GOOD.len() - 1]);
    assert_eq!(text(&record.key), "acme");
    assert_eq!((record.kind, record.at), (RecordKind::Event, Timestamp::from_seconds(NOW)));
    assert_eq!(record.headers.len(), 1);
    assert_eq!(record.header("source").map(text).as_deref(), Some("main"));
}

#[tokio::test]
async fn no_answer_comes_before_the_events_are_durable() {
    let (rig, gated, gate) = gated(Setup::new(), Gate::Closed).await;
    let mut posting = posting(&rig, GOOD);
    asked(&gated, 1).await;
    // The answer had every chance to come: the log was asked and would only have had to be ignored.
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut posting).await.is_err());
    assert_eq!(rig.events().len(), 0);
    gate.send(Gate::Open).unwrap();
    assert_taken(&posting.await.unwrap(), 1, 0);
    assert_eq!(rig.events().len(), 1);
}

#[tokio::test]
async fn everything_of_a_post_goes_to_the_log_at_once() {
    let (rig, gated, _gate) = gated(Setup::new(), Gate::Open).await;
    let body = batch(500).replacen("[", "[7,", 1);
    assert_taken(&rig.post(&body).await, 500, 1);
    assert_eq!(gated.appends(), 1);
}

#[tokio::test]
async fn a_large_batch_is_stored_whole_and_in_order_within_each_customer() {
    let rig = Rig::new().await;
    let body = batch(5_000);
    assert!(body.len() > 300_000, "beyond what is checked inline");
    assert_taken(&rig.post(&body).await, 5_000, 0);
    let events = body.strip_prefix('[').unwrap().strip_suffix(']').unwrap().split(",\r\n");
    let records = rig.records(Topic::Events);
    for customer in (0..7).map(|n| format!("c{n}")) {
        let stored = records.iter().filter(|record| text(&record.key) == customer).map(|record| text(&record.value));
        let sent = events.clone().filter(|event| event.contains(&format!("\"{customer}\"")));
        assert!(stored.eq(sent), "{customer}");
    }
    rig.is_well().await;
}

#[tokio::test]
async fn what_was_answered_2xx_is_there_when_the_log_is_opened_again() {
    let rig = Rig::new().await;
    for round in 0..20 {
        let body = batch(50).replace("\"sg_event_id\":\"", &format!("\"sg_event_id\":\"{round}-"));
        assert_taken(&rig.post(body).await, 50, 0);
    }
    let dir = rig.stop().await;
    assert_eq!(records(&open(&dir), Topic::Events).len(), 1_000);
}

#[tokio::test]
async fn a_full_log_is_answered_503_and_the_same_post_is_taken_later() {
    let (rig, _gated, gate) = gated(Setup::new(), Gate::Busy).await;
    let reply = rig.post(GOOD).await;
    assert_refused(&reply, 503, "log_unavailable");
    assert!(reply.header("retry-after").unwrap().parse::<u32>().unwrap() > 0);
    assert_eq!(rig.events().len(), 0);
    gate.send(Gate::Open).unwrap();
    rig.is_well().await;
}

#[tokio::test]
async fn a_failing_log_is_answered_503() {
    let (rig, _gated, gate) = gated(Setup::new(), Gate::Broken).await;
    let reply = rig.post(GOOD).await;
    assert_refused(&reply, 503, "log_unavailable");
    assert!(!reply.body.contains("no space left"), "the log's affairs are not the caller's");
    rig.comes_to("weir_receiver_events_total", &[], 0.0).await;
    gate.send(Gate::Open).unwrap();
    rig.is_well().await;
}

#[tokio::test]
async fn a_batch_that_is_no_array_is_answered_503_while_it_can_not_be_set_aside() {
    let (rig, _gated, gate) = gated(Setup::new(), Gate::Busy).await;
    assert_refused(&rig.post("{}").await, 503, "log_unavailable");
    gate.send(Gate::Open).unwrap();
    assert_refused(&rig.post("{}").await, 400, "no_events");
    assert_eq!(rig.rejects(), ["{}"]);
}

#[tokio::test]
async fn a_log_that_takes_too_long_is_answered_503() {
    let mut setup = Setup::new();
    setup.config.append_timeout = Duration::from_millis(50);
    let (rig, _gated, gate) = gated(setup, Gate::Closed).await;
    let reply = rig.post(GOOD).await;
    assert_refused(&reply, 503, "log_unavailable");
    assert_eq!(reply.header("retry-after"), Some("5"));
    gate.send(Gate::Open).unwrap();
    rig.is_well().await;
}

#[tokio::test]
async fn a_client_that_leaves_frees_what_it_held() {
    let (rig, gated, gate) = gated(Setup::new(), Gate::Closed).await;
    let mut client = TcpStream::connect(rig.address).await.unwrap();
    client.write_all(&rig.signed(batch(3_000)).bytes()).await.unwrap();
    asked(&gated, 1).await;
    assert!(rig.metric("weir_receiver_in_flight_bytes", &[]) > 100_000.0);
    drop(client);
    rig.comes_to("weir_receiver_connections", &[], 0.0).await;
    rig.comes_to("weir_receiver_in_flight_bytes", &[], 0.0).await;
    gate.send(Gate::Open).unwrap();
    rig.is_well().await;
}

#[tokio::test]
async fn shutdown_lets_what_is_in_flight_end() {
    let (rig, gated, gate) = gated(Setup::new(), Gate::Closed).await;
    let posting = posting(&rig, GOOD);
    asked(&gated, 1).await;
    rig.shutdown.cancel();
    // The listener is gone while the request is still there.
    let refused = async { while TcpStream::connect(rig.address).await.is_ok() {} };
    tokio::time::timeout(SOON, refused).await.expect("no new connection");
    assert!(!rig.running.is_finished() && !posting.is_finished());
    gate.send(Gate::Open).unwrap();
    assert_taken(&posting.await.unwrap(), 1, 0);
    tokio::time::timeout(SOON, rig.running).await.unwrap().unwrap().unwrap();
    assert_eq!(records(&rig.log, Topic::Events).len(), 1);
}

#[tokio::test]
async fn shutdown_does_not_wait_for_idle_connections() {
    let rig = Rig::new().await;
    let _silent = TcpStream::connect(rig.address).await.unwrap();
    let mut kept = TcpStream::connect(rig.address).await.unwrap();
    kept.write_all(&rig.signed(GOOD).bytes()).await.unwrap();
    assert_taken(&client::reply(&mut kept).await.unwrap(), 1, 0);
    rig.comes_to("weir_receiver_connections", &[], 2.0).await;
    rig.stop().await;
}

#[tokio::test]
async fn shutdown_cuts_off_what_does_not_end_in_time() {
    let mut setup = Setup::new();
    setup.config.drain_timeout = Duration::from_millis(100);
    let (rig, gated, _gate) = gated(setup, Gate::Closed).await;
    let mut client = TcpStream::connect(rig.address).await.unwrap();
    client.write_all(&rig.signed(GOOD).bytes()).await.unwrap();
    asked(&gated, 1).await;
    rig.shutdown.cancel();
    tokio::time::timeout(SOON, rig.running).await.unwrap().unwrap().unwrap();
    assert!(client::reply(&mut client).await.is_none(), "an answer to what was cut off");
}
