//! Whatever a stranger can make the receiver hold is bounded, and who keeps to the bounds does not notice.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::client::{self, Reply};
use crate::support::gate::{Gate, asked, gated};
use crate::support::{GOOD, Rig, SOON, Setup, another, assert_refused, assert_taken};

/// Over in time for a test, and long enough for a machine that is busy with others.
const SHORT: Duration = Duration::from_millis(500);

async fn with(change: impl FnOnce(&mut receiver::Config)) -> Rig {
    let mut setup = Setup::new();
    change(&mut setup.config);
    setup.start().await
}

/// A connection on which `bytes` were sent.
async fn sent(rig: &Rig, bytes: &[u8]) -> TcpStream {
    let mut client = TcpStream::connect(rig.address).await.unwrap();
    client.write_all(bytes).await.unwrap();
    client
}

/// Sends `bytes` and no more, and waits for the answer.
async fn answer_to(rig: &Rig, bytes: &[u8]) -> Option<Reply> {
    client::reply(&mut sent(rig, bytes).await).await
}

/// Waits until the server closes.
async fn is_closed(client: &mut TcpStream) {
    let mut rest = Vec::new();
    // A reset is a way to close, too.
    let _end = tokio::time::timeout(SOON, client.read_to_end(&mut rest)).await.expect("the connection to end");
    assert_eq!(rest, b"");
}

/// Chunks of `size` bytes, without an end.
fn chunked(rig: &Rig, size: usize, count: usize) -> Vec<u8> {
    let head = rig.signed(GOOD).without("Content-Length").and("Transfer-Encoding", "chunked").head();
    let chunk = [format!("{size:x}\r\n").into_bytes(), vec![b' '; size], b"\r\n".to_vec()].concat();
    [head, chunk.repeat(count)].concat()
}

mod size {
    use super::*;

    #[tokio::test]
    async fn a_body_of_the_largest_size_is_taken_and_one_byte_more_is_not() {
        let rig = with(|config| config.max_body_bytes = 1_000).await;
        let padded = |size: usize| [GOOD, &vec![b' '; size - GOOD.len()]].concat();
        assert_taken(&rig.post(padded(1_000)).await, 1, 0);
        assert_refused(&rig.post(padded(1_001)).await, 413, "too_large");
        assert_eq!(rig.events().len(), 1);
        rig.is_well().await;
    }

    #[tokio::test]
    async fn a_body_that_announces_too_much_is_refused_before_it_is_sent() {
        let rig = Rig::new().await;
        let head = rig.signed(GOOD).with("Content-Length", (100 << 20).to_string()).head();
        let reply = answer_to(&rig, &head).await.unwrap();
        assert_refused(&reply, 413, "too_large");
        assert!(reply.body.contains("4194304"), "{reply:?}");
        rig.is_well().await;
    }

    #[tokio::test]
    async fn a_body_of_100_megabytes_is_refused_while_it_is_sent() {
        let rig = Rig::new().await;
        let head = rig.signed(GOOD).with("Content-Length", (100 << 20).to_string()).head();
        let (mut read, mut write) = TcpStream::connect(rig.address).await.unwrap().into_split();
        write.write_all(&head).await.unwrap();
        let writing = tokio::spawn(async move { write.write_all(&vec![b' '; 100 << 20]).await });
        assert_refused(&client::reply(&mut read).await.unwrap(), 413, "too_large");
        assert!(writing.await.unwrap().is_err(), "all of it was read");
        rig.is_well().await;
    }

    #[tokio::test]
    async fn chunks_without_end_are_refused_at_the_limit() {
        let rig = with(|config| config.max_body_bytes = 100_000).await;
        assert_refused(&answer_to(&rig, &chunked(&rig, 10_000, 11)).await.unwrap(), 413, "too_large");
        rig.is_well().await;
    }

    #[tokio::test]
    async fn a_chunked_body_is_taken() {
        let rig = Rig::new().await;
        let head = rig.signed(GOOD).without("Content-Length").and("Transfer-Encoding", "chunked").head();
        let (first, second) = GOOD.split_at(30);
        let chunk = |part: &[u8]| [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat();
        let request = [head, chunk(first), chunk(second), b"0\r\n\r\n".to_vec()].concat();
        assert_taken(&answer_to(&rig, &request).await.unwrap(), 1, 0);
        rig.is_well().await;
    }

    #[tokio::test]
    async fn too_many_headers_are_refused() {
        let rig = Rig::new().await;
        let post = (0..100).fold(rig.signed(GOOD), |post, n| post.and(&format!("x-{n}"), "1"));
        assert_eq!(rig.send(&post).await.status, 431);
        rig.is_well().await;
    }

    #[tokio::test]
    async fn too_large_a_head_is_refused() {
        let rig = Rig::new().await;
        assert_eq!(rig.send(&rig.signed(GOOD).and("x", "1".repeat(100_000))).await.status, 431);
        assert!(rig.send(&rig.signed(GOOD).at(&format!("/{}", "a".repeat(100_000)))).await.status >= 400);
        rig.is_well().await;
    }
}

mod framing {
    use super::*;

    #[tokio::test]
    async fn a_body_shorter_than_announced_is_broken() {
        let rig = Rig::new().await;
        let mut client = sent(&rig, &rig.signed(GOOD).with("Content-Length", "1000").bytes()).await;
        client.shutdown().await.unwrap();
        assert_refused(&client::reply(&mut client).await.unwrap(), 400, "broken_body");
        assert_eq!(rig.events().len(), 0);
        rig.is_well().await;
    }

    #[tokio::test]
    async fn a_body_longer_than_announced_is_not_believed() {
        let rig = Rig::new().await;
        let post = rig.signed(GOOD).with("Content-Length", (GOOD.len() - 1).to_string());
        rig.refuses(&post, 401, "bad_signature").await;
    }

    #[tokio::test]
    async fn malformed_chunks_are_broken() {
        let rig = Rig::new().await;
        let head = rig.signed(GOOD).without("Content-Length").and("Transfer-Encoding", "chunked").head();
        let reply = answer_to(&rig, &[head, b"no size\r\n".to_vec()].concat()).await.unwrap();
        assert_refused(&reply, 400, "broken_body");
        assert_eq!(rig.events().len(), 0);
        rig.is_well().await;
    }

    #[tokio::test]
    async fn a_length_that_is_told_twice_or_is_no_number_is_refused() {
        let rig = Rig::new().await;
        for length in ["-1", "ten", "99999999999999999999"] {
            assert_eq!(rig.send(&rig.signed(GOOD).with("Content-Length", length)).await.status, 400, "{length}");
        }
        assert_eq!(rig.send(&rig.signed(GOOD).and("Content-Length", "3")).await.status, 400);
        assert_eq!(rig.events().len(), 0);
        rig.is_well().await;
    }

    #[tokio::test]
    async fn a_length_beside_chunks_smuggles_nothing() {
        let rig = Rig::new().await;
        let post = rig.signed(GOOD).and("Transfer-Encoding", "chunked");
        let request = [post.head(), b"0\r\n\r\n".to_vec(), rig.signed(GOOD).bytes()].concat();
        // The empty chunked body is what counts, and its signature is another's; or all of it is refused.
        let reply = answer_to(&rig, &request).await.unwrap();
        assert!([400, 401].contains(&reply.status), "{reply:?}");
        assert!(rig.rejects().is_empty());
        rig.is_well().await;
    }

    #[tokio::test]
    async fn a_client_that_waits_to_be_told_to_go_on_is_told() {
        let rig = Rig::new().await;
        let post = rig.signed(GOOD).and("Expect", "100-continue");
        let mut client = sent(&rig, &post.head()).await;
        assert_eq!(client::reply(&mut client).await.unwrap().status, 100);
        client.write_all(GOOD).await.unwrap();
        assert_taken(&client::reply(&mut client).await.unwrap(), 1, 0);
    }

    #[tokio::test]
    async fn a_client_that_waits_to_be_told_to_go_on_is_refused_without_its_body() {
        let rig = Rig::new().await;
        let post = rig.signed(GOOD).and("Expect", "100-continue").at("/webhooks/sendgrid/other");
        assert_refused(&answer_to(&rig, &post.head()).await.unwrap(), 404, "not_found");
        rig.is_well().await;
    }
}

mod budget {
    use super::*;

    #[tokio::test]
    async fn a_body_for_which_there_is_no_room_is_answered_503_until_there_is() {
        let mut setup = Setup::new();
        setup.config.in_flight_bytes = 1_000;
        let (rig, _gated, gate) = gated(setup, Gate::Closed).await;
        // What is in is worked on, and keeps its room.
        let mut holder = sent(&rig, &rig.signed(vec![b' '; 900]).bytes()).await;
        rig.comes_to("weir_receiver_in_flight_bytes", &[], 900.0).await;
        let reply = rig.post(GOOD).await;
        assert_refused(&reply, 503, "full");
        assert_eq!(reply.header("retry-after"), Some("5"));
        assert_eq!(rig.events().len(), 0);
        gate.send(Gate::Open).unwrap();
        assert_refused(&client::reply(&mut holder).await.unwrap(), 400, "no_events");
        rig.is_well().await;
    }

    #[tokio::test]
    async fn a_chunked_body_that_outgrows_the_room_is_answered_503() {
        let rig = with(|config| config.in_flight_bytes = 10_000).await;
        let reply = answer_to(&rig, &chunked(&rig, 1_000, 11)).await.unwrap();
        assert_refused(&reply, 503, "full");
        rig.is_well().await;
    }

    #[tokio::test]
    async fn a_promise_alone_keeps_nobody_out() {
        let rig = with(|config| config.in_flight_bytes = 100_000).await;
        let head = rig.signed(GOOD).with("Content-Length", "100000").head();
        let mut promising = Vec::new();
        for _ in 0..20 {
            promising.push(sent(&rig, &head).await);
        }
        rig.comes_to("weir_receiver_connections", &[], 20.0).await;
        rig.is_well().await;
        drop(promising);
        rig.comes_to("weir_receiver_connections", &[], 0.0).await;
    }
}

mod time {
    use super::*;

    #[tokio::test]
    async fn a_slow_body_is_answered_408() {
        let rig = with(|config| config.body_timeout = SHORT).await;
        let reply = answer_to(&rig, &rig.signed(GOOD).head()).await.unwrap();
        assert_refused(&reply, 408, "slow_body");
        assert_eq!(rig.events().len(), 0);
        rig.is_well().await;
    }

    #[tokio::test]
    async fn a_body_that_comes_byte_by_byte_is_answered_408() {
        let rig = with(|config| config.body_timeout = SHORT).await;
        let (mut read, mut write) = TcpStream::connect(rig.address).await.unwrap().into_split();
        let post = rig.signed(GOOD);
        let dripping = tokio::spawn(async move {
            write.write_all(&post.head()).await.unwrap();
            for byte in post.body.chunks(1) {
                write.write_all(byte).await?;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Ok::<_, std::io::Error>(())
        });
        assert_refused(&client::reply(&mut read).await.unwrap(), 408, "slow_body");
        dripping.abort();
        assert_eq!(rig.events().len(), 0);
        rig.is_well().await;
    }

    #[tokio::test]
    async fn a_connection_that_says_nothing_is_closed() {
        let rig = with(|config| config.header_timeout = SHORT).await;
        is_closed(&mut sent(&rig, b"").await).await;
        rig.is_well().await;
    }

    #[tokio::test]
    async fn a_head_that_does_not_end_is_cut_off() {
        let rig = with(|config| config.header_timeout = SHORT).await;
        let head = rig.signed(GOOD).head();
        for part in [&b"P"[..], b"PRI * HTTP/2.0\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &head[..head.len() - 2]] {
            let mut client = sent(&rig, part).await;
            let mut rest = Vec::new();
            let ended = tokio::time::timeout(SOON, client.read_to_end(&mut rest)).await;
            assert!(ended.is_ok(), "{part:?}");
        }
        rig.is_well().await;
    }

    #[tokio::test]
    async fn a_connection_is_kept_for_the_next_request_and_closed_when_none_comes() {
        let rig = with(|config| {
            config.header_timeout = SHORT;
            config.idle_timeout = 4 * SHORT;
        })
        .await;
        let mut client = sent(&rig, &rig.signed(GOOD).bytes()).await;
        assert_taken(&client::reply(&mut client).await.unwrap(), 1, 0);
        // Longer than a head may take, which does not count while none was begun.
        tokio::time::sleep(2 * SHORT).await;
        client.write_all(&rig.signed(GOOD).bytes()).await.unwrap();
        assert_taken(&client::reply(&mut client).await.unwrap(), 1, 0);
        is_closed(&mut client).await;
        rig.is_well().await;
    }

    #[tokio::test]
    async fn a_request_in_flight_is_not_idle() {
        let rig = with(|config| {
            config.header_timeout = SHORT;
            config.idle_timeout = SHORT;
        })
        .await;
        let post = rig.signed(GOOD);
        let mut client = sent(&rig, &post.head()).await;
        tokio::time::sleep(3 * SHORT).await;
        client.write_all(&post.body).await.unwrap();
        assert_taken(&client::reply(&mut client).await.unwrap(), 1, 0);
    }
}

mod connections {
    use super::*;

    #[tokio::test]
    async fn connections_beyond_the_limit_wait_for_a_place() {
        let mut setup = Setup::new();
        setup.config.max_connections = 1;
        let (rig, gated, gate) = gated(setup, Gate::Closed).await;
        let mut first = sent(&rig, &rig.signed(GOOD).bytes()).await;
        asked(&gated, 1).await;
        let mut second = sent(&rig, &rig.signed(another()).bytes()).await;
        let reply = client::reply(&mut second);
        tokio::pin!(reply);
        assert!(tokio::time::timeout(3 * SHORT, &mut reply).await.is_err(), "a second connection was served");
        gate.send(Gate::Open).unwrap();
        assert_taken(&client::reply(&mut first).await.unwrap(), 1, 0);
        assert_taken(&reply.await.unwrap(), 1, 0);
    }

    #[tokio::test]
    async fn three_hundred_silent_connections_do_not_slow_a_good_post() {
        let rig = Rig::new().await;
        let mut silent = Vec::new();
        for _ in 0..300 {
            silent.push(sent(&rig, b"POST /webhooks").await);
        }
        rig.comes_to("weir_receiver_connections", &[], 300.0).await;
        rig.is_well().await;
    }
}
