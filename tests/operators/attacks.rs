//! Attacks on a running process, and exhausted file descriptors: genuine posts are taken, or the process ends with the reason.

use std::fs;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use site::{Process, Site};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use crate::house::{BINARY, PATIENCE};
use crate::process::{event, fails_with_the_reason_last, poster, until_ready};

/// Twice the default of `in_flight_bytes`, for the log's own share, and what the allocator and the log's cache keep.
const MOST_MEMORY: u64 = 512 << 20;

/// A common default limit of file descriptors.
const FEW: u32 = 1_024;
/// How long a genuine post may take. It waits for a second until a held connection can be evicted.
const SOON: Duration = Duration::from_secs(10);

/// Connects from 127.0.0.2 and sends `bytes`.
async fn attacks(port: u16, bytes: &[u8]) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut stream = socket.connect(SocketAddr::from(([127, 0, 0, 1], port))).await.ok()?;
    stream.write_all(bytes).await.ok()?;
    Some(stream)
}

/// Sends `bytes` one per second. Returns how long after `began` the server closes the connection.
async fn closed_after(began: Instant, stream: TcpStream, bytes: &'static [u8]) -> Duration {
    let (mut read, mut write) = stream.into_split();
    let dripping = tokio::spawn(async move {
        for byte in bytes.iter().cycle() {
            if write.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    // The server may answer first, and may reset the connection.
    let _end = tokio::time::timeout(PATIENCE, read.read_to_end(&mut Vec::new())).await.unwrap();
    dripping.abort();
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn held_connections_block_neither_genuine_posts_nor_operators() {
    let site = Site::new();
    let gate = site::free_port();
    site.configure(&format!("[gate]\nlisten = \"127.0.0.1:{gate}\"\n"));
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n {FEW}; exec \"$0\" run --config \"$1\""), BINARY]);
    command.arg(site.config()).env("WEIR_LOG", "error").stdout(Stdio::null());
    let mut weir = Process::start(command);
    until_ready(&site).await;
    let admin = site.admin;
    let began = Instant::now();
    let mut held = Vec::new();
    let post = "POST /webhooks/sendgrid/test HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\
                x-twilio-email-event-webhook-signature: MA==\r\nx-twilio-email-event-webhook-timestamp: 1700000000\r\n\r\n[";
    for _ in 0..250 {
        held.push(attacks(gate, b"GET /v1/").await);
        held.push(attacks(site.admin, b"GET /v1/").await);
        held.push(attacks(site.receiver, post.as_bytes()).await);
    }
    tokio::time::timeout(SOON, site.post(&[event("acme", 1)])).await.unwrap();
    let metrics = site.get("/metrics").await.unwrap();
    for listener in ["operators", "mailers"] {
        let refused = format!("weir_console_refused_connections_total{{listener=\"{listener}\"}}");
        let refused = metrics.lines().find_map(|line| line.strip_prefix(&refused)).unwrap();
        assert!(refused.trim().parse::<u32>().unwrap() > 0, "{listener}");
    }
    drop(held);
    let slow = |bytes: &'static [u8]| async move {
        // The server notices the dropped connections one by one, and refuses new ones until then.
        loop {
            let mut stream = attacks(admin, bytes).await.unwrap();
            let mut byte = [0];
            if tokio::time::timeout(Duration::from_secs(1), stream.read(&mut byte)).await.is_err() {
                break closed_after(Instant::now(), stream, b"x").await;
            }
        }
    };
    let login = "POST /login HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\n\
                 content-length: 1000\r\n\r\ntoken=";
    let (head, body) =
        tokio::time::timeout(PATIENCE, async { tokio::join!(slow(b"GET /?"), slow(login.as_bytes())) }).await.unwrap();
    // One second was spent above.
    assert!((5..25).contains(&head.as_secs()) && (5..45).contains(&body.as_secs()), "{head:?} {body:?}");
    assert!(weir.end().success(), "after {:?}", began.elapsed());
}

/// The peak memory of process `pid`, in bytes.
fn most_memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1_024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_of_millions_of_elements_stay_within_the_memory_budget() {
    let site = Site::new();
    site.configure("");
    let mut weir = Process::start(site.run(BINARY));
    until_ready(&site).await;
    let before = most_memory(weir.id());
    let mut posts = JoinSet::new();
    for (element, elements) in [("0", 1_000_000), ("{}", 200_000)] {
        let poster = Arc::new(poster(&site));
        let body = Arc::new(vec![element.to_owned(); elements]);
        for _ in 0..8 {
            let (poster, body) = (Arc::clone(&poster), Arc::clone(&body));
            posts.spawn(async move { poster.post(&body).await.is_ok() });
        }
    }
    assert!(posts.join_all().await.contains(&true), "none was taken");
    site.post(&[event("acme", 1)]).await;
    let more = most_memory(weir.id()) - before;
    assert!(more < MOST_MEMORY, "{more} bytes more");
    assert!(weir.end().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_without_free_descriptors_ends_with_the_reason() {
    let site = Site::new();
    site.configure("");
    let told = site.folder().join("told");
    let mut command = Command::new(BINARY);
    command.args(["run", "--config"]).arg(site.config()).stdout(Stdio::null());
    let mut weir = command.stderr(fs::File::create(&told).unwrap()).spawn().unwrap();
    until_ready(&site).await;
    let pid = weir.id().to_string();
    let limit = |descriptors: u32| {
        let set = format!("--nofile={descriptors}:");
        assert!(Command::new("prlimit").args(["--pid", &pid, &set]).status().unwrap().success());
    };
    let open = u32::try_from(fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()).unwrap();
    // Enough for the poster's connection, and for no further file.
    limit(open + 1);
    let told = fails_with_the_reason_last(&site, &mut weir, &told).await;
    assert!(told.lines().last().unwrap().contains("Too many open files"), "{told}");
}
