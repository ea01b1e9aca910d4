//! Attacks by slow clients and by expensive bodies: genuine posts are taken all the same.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::client::{self, Reply};
use crate::support::gate::{Gate, asked, gated};
use crate::support::{GOOD, Rig, SOON, Setup, assert_refused, assert_taken};

/// Memory charged for each element, besides its bytes.
const RECORD_BYTES: usize = 512;

async fn with(change: impl FnOnce(&mut receiver::Config)) -> Rig {
    let mut setup = Setup::new();
    change(&mut setup.config);
    setup.start().await
}

/// Opens a connection, announces a body of `length` bytes and sends `sent` of them.
async fn begun(rig: &Rig, length: usize, sent: usize) -> TcpStream {
    let head = rig.signed(GOOD).with("Content-Length", length.to_string()).head();
    let mut client = TcpStream::connect(rig.address).await.unwrap();
    client.write_all(&[head, vec![b' '; sent]].concat()).await.unwrap();
    client
}

/// Posts a batch, and retries as SendGrid does until it is taken.
async fn taken_in_time(rig: &Rig) {
    let began = Instant::now();
    while rig.post(GOOD).await.status != 200 {
        assert!(began.elapsed() < SOON, "it was never taken");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn connections_that_send_one_byte_of_a_body_do_not_block_genuine_posts() {
    let rig = with(|config| config.max_connections = 100).await;
    let mut slow = Vec::new();
    for _ in 0..100 {
        slow.push(begun(&rig, 1_000, 1).await);
    }
    rig.comes_to("weir_receiver_connections", &[], 100.0).await;
    for _ in 0..10 {
        slow.push(begun(&rig, 1_000, 1).await);
    }
    assert_taken(&tokio::time::timeout(SOON, rig.post(GOOD)).await.expect("an answer"), 1, 0);
    assert!(rig.metric("weir_receiver_evicted_total", &[("what", "connection")]) >= 11.0);
}

#[tokio::test]
async fn bodies_that_never_end_do_not_block_genuine_posts() {
    let rig = with(|config| config.in_flight_bytes = 16 << 20).await;
    let mut slow = Vec::new();
    for _ in 0..4 {
        slow.push(begun(&rig, 4 << 20, (4 << 20) - 1).await);
    }
    rig.comes_to("weir_receiver_in_flight_bytes", &[], f64::from((16 << 20) - 4)).await;
    slow.push(begun(&rig, 4 << 20, (4 << 20) - 1).await);
    taken_in_time(&rig).await;
    assert!(rig.metric("weir_receiver_evicted_total", &[("what", "body")]) >= 1.0);
    let reply = client::reply(&mut slow[0]).await.unwrap();
    assert_refused(&reply, 408, "slow_body");
}

#[tokio::test]
async fn a_body_below_the_minimum_rate_is_cut_off_before_the_body_timeout() {
    let rig = with(|config| config.body_timeout = 10 * SOON).await;
    let (mut read, mut write) = begun(&rig, 1_000, 1).await.into_split();
    let dripping = tokio::spawn(async move {
        while write.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    assert_refused(&client::reply(&mut read).await.unwrap(), 408, "slow_body");
    dripping.abort();
}

/// Posts a body of `count` elements.
async fn posted(rig: &Rig, element: &str, count: usize) -> Reply {
    rig.post(format!("[{}]", vec![element; count].join(","))).await
}

#[tokio::test]
async fn a_body_whose_records_cannot_fit_becomes_one_reject() {
    let rig = with(|config| config.in_flight_bytes = 1_000 * RECORD_BYTES).await;
    assert_taken(&posted(&rig, "0", 900).await, 0, 900);
    assert_refused(&posted(&rig, "0", 1_000).await, 400, "no_events");
    assert_eq!(rig.rejects().len(), 901);
    assert!(rig.reasons().iter().any(|reason| reason.contains("elements")), "{:?}", rig.reasons().last());
    rig.is_well().await;
}

#[tokio::test]
async fn records_are_charged_while_they_are_in_memory() {
    for element in ["0", "[]", "\"a\"", "{}", r#"{"event":"open","timestamp":1}"#] {
        let (rig, gated, gate) = gated(Setup::new(), Gate::Closed).await;
        let body = format!("[{}]", vec![element; 10_000].join(","));
        let bytes = f64::from(u32::try_from(body.len() + 10_000 * RECORD_BYTES).unwrap());
        let (address, post) = (rig.address, rig.signed(body).bytes());
        let posting = tokio::spawn(async move { client::exchange(address, &post).await });
        asked(&gated, 1).await;
        rig.comes_to("weir_receiver_in_flight_bytes", &[], bytes).await;
        gate.send(Gate::Open).unwrap();
        assert_eq!(posting.await.unwrap().status, 200, "{element}");
        rig.comes_to("weir_receiver_in_flight_bytes", &[], 0.0).await;
    }
}
