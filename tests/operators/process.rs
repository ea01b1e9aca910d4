//! How the process begins and ends, and what it leaves on the disk.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use simulator::sendgrid::{Poster, Retries};
use site::{Process, Site, now};

use crate::house::{BINARY, PATIENCE};

/// A stop takes this long at most: the grace of listeners, and what was taken in is worked off.
const STOPPING: Duration = Duration::from_secs(30);
/// The largest file, in blocks of 512 bytes as `ulimit` counts them.
const LARGEST: u32 = 8 << 11;

pub(crate) fn event(customer: &str, number: usize) -> String {
    let at = now().seconds();
    let filler = "x".repeat(900);
    format!(
        r#"{{"event":"processed","timestamp":{at},"email":"r{number}@example.org","customer_id":"{customer}","sg_event_id":"{customer}-{number}","filler":"{filler}"}}"#
    )
}

pub(crate) async fn until_ready(site: &Site) {
    let deadline = Instant::now() + PATIENCE;
    while site.get("/readyz").await.is_none() {
        assert!(Instant::now() < deadline, "it does not start");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Connects, and sends `bytes`.
fn hangs_on(port: u16, bytes: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(bytes.as_bytes()).unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_does_not_wait_for_clients_that_hang_on() {
    let site = Site::new();
    let gate = site::free_port();
    site.configure(&format!("[gate]\nlisten = \"127.0.0.1:{gate}\"\n"));
    let mut weir = Process::start(site.run(BINARY));
    until_ready(&site).await;
    let half_a_login = "POST /login HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\n\
                        content-length: 100\r\n\r\ntoken=";
    let half_a_question = "POST /v1/customers/acme/admit HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                           content-length: 100\r\n\r\n{";
    let half_a_post = "POST /webhooks/sendgrid/test HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n[";
    let mut idle = hangs_on(site.admin, "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n");
    assert!(idle.read(&mut [0; 64]).unwrap() > 0);
    let hanging = [
        hangs_on(site.admin, "GET / HTTP/1.1\r\nho"),
        hangs_on(site.admin, half_a_login),
        hangs_on(gate, "GET / HTTP/1.1\r\nho"),
        hangs_on(gate, half_a_question),
        hangs_on(site.receiver, "POST /webhooks/send"),
        hangs_on(site.receiver, half_a_post),
        idle,
    ];
    let began = Instant::now();
    let status = tokio::task::spawn_blocking(move || weir.end()).await.unwrap();
    assert!(status.success() && began.elapsed() < STOPPING, "{status} after {:?}", began.elapsed());
    drop(hanging);
}

/// A poster that does not retry.
pub(crate) fn poster(site: &Site) -> Poster {
    let retries = Retries { first: Duration::from_millis(1), longest: Duration::from_millis(1), most: 0 };
    Poster::new(&site.webhook(), site.signer.clone(), retries, Arc::new(now)).unwrap()
}

/// Posts new events until `weir` ends. Asserts that it fails and that its last line names the part, and returns what it wrote to the
/// file `told`.
pub(crate) async fn fails_with_the_reason_last(site: &Site, weir: &mut Child, told: &Path) -> String {
    let poster = poster(site);
    let deadline = Instant::now() + PATIENCE;
    let mut numbers = 0..;
    let status = loop {
        if let Some(status) = weir.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < deadline, "it goes on: {}", fs::read_to_string(told).unwrap());
        let batch: Vec<_> = numbers.by_ref().take(700).map(|number| event("acme", number)).collect();
        let _refused = poster.post(&batch).await;
    };
    let told = fs::read_to_string(told).unwrap();
    assert!(!status.success() && told.lines().last().unwrap().starts_with("weir: the "), "{status}: {told}");
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_fails_ends_the_process_and_the_reason_stands_last() {
    let site = Site::new();
    site.configure("");
    let told = site.folder().join("told");
    // A limit of file sizes plays the full disk.
    let mut weir = Command::new("sh");
    weir.args(["-c", &format!("trap '' XFSZ; ulimit -f {LARGEST}; exec \"$0\" run --config \"$1\""), BINARY]);
    weir.arg(site.config()).stdout(Stdio::null()).stderr(fs::File::create(&told).unwrap());
    let mut weir = weir.spawn().unwrap();
    until_ready(&site).await;
    let told = fails_with_the_reason_last(&site, &mut weir, &told).await;
    assert!(!told.contains('\u{1b}'), "colours are for terminals: {told}");
}

/// Rights of anybody but the owner to something below the folder.
fn open_to_others(folder: &Path) -> Vec<String> {
    let mut open = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let (path, metadata) = (entry.path(), entry.metadata().unwrap());
            if metadata.permissions().mode() & 0o077 != 0 {
                open.push(path.display().to_string());
            }
            if metadata.is_dir() {
                folders.push(path);
            }
        }
    }
    open
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_is_its_owners_alone_also_in_folders_that_were_there_before() {
    let site = Site::new();
    let checkpoints = format!("checkpoints = \"file://{}/checkpoints\"", site.folder().display());
    site.configure(&format!("[state]\n{checkpoints}\n"));
    let folders = ["log", "state", "checkpoints"].map(|name| site.folder().join(name));
    for folder in [&folders[0], &folders[2]] {
        fs::create_dir(folder).unwrap();
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut weir = Process::start(site.run(BINARY));
    site.post(&[event("acme", 1)]).await;
    until_ready(&site).await;
    assert!(weir.end().success());
    for folder in &folders {
        assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700, "{}", folder.display());
        assert_eq!(open_to_others(folder), Vec::<String>::new());
    }
}
