//! Decisions are followed as they come, across restarts of Weir and of the command, and the end is quiet.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::house::{House, PATIENCE, with_author};

struct Followed {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Followed {
    fn new(house: &House, arguments: &[&str]) -> Self {
        let mut command = house.command(&["decisions", "--follow", "--json"]);
        let mut child = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// The next decision: whom it concerns and what was ordered. Without one, the test waits until its runner ends it.
    fn next(&mut self) -> (String, String) {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        let decision: Value = serde_json::from_str(&line).unwrap();
        let text = |member: &str| decision[member].as_str().unwrap().to_owned();
        (text("customer"), text("rule"))
    }

    /// Waits until it has ended by itself, and says how, and with which complaints.
    fn end(mut self) -> (Option<i32>, String) {
        let deadline = Instant::now() + PATIENCE;
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        drop(self.lines);
        let output = self.child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }
}

fn interrupt(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

fn held(customer: &str) -> (String, String) {
    (customer.to_owned(), "command:hold".to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_missed_or_shown_twice() {
    let mut house = House::new().await;
    house.mail_goes_out().await;
    house.until("/v1/approvals", |answer| answer["approvals"].as_array().is_some_and(|all| all.len() == 3)).await;
    let folder = tempfile::tempdir().unwrap();
    let cursor = folder.path().join("cursor");
    let kept = ["--limit", "0", "--cursor-file", cursor.to_str().unwrap()];

    let mut followed = Followed::new(&house, &kept);
    // What lies before is not asked for: the first that is shown comes after.
    until_there(&cursor);
    house.says(&with_author(&["hold", "good-1"]));
    assert_eq!(followed.next(), held("good-1"));
    house.weir.kill_and_restart();
    house.until("/v1/customers/good-1", |answer| answer["held"] == true).await;
    house.says(&with_author(&["hold", "good-2"]));
    assert_eq!(followed.next(), held("good-2"), "it goes on where it was");
    interrupt(&followed.child);
    assert_eq!(followed.end(), (Some(0), String::new()), "Ctrl-C is a quiet end");

    house.says(&with_author(&["hold", "good-3"]));
    house.until("/v1/customers/good-3", |answer| answer["held"] == true).await;
    let mut followed = Followed::new(&house, &kept);
    assert_eq!(followed.next(), held("good-3"), "what came between two runs is shown by the second");
    interrupt(&followed.child);
    assert_eq!(followed.end(), (Some(0), String::new()));
}

fn until_there(file: &Path) {
    let deadline = Instant::now() + PATIENCE;
    while !file.exists() {
        assert!(Instant::now() < deadline, "{} does not come", file.display());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_when_nobody_reads_any_more() {
    let house = House::new().await;
    house.until("/v1/decisions", |answer| answer["decisions"].is_array()).await;
    let mut command = house.command(&["decisions", "--follow"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // No decision comes at all.
    drop(child.stdout.take());
    let deadline = Instant::now() + PATIENCE;
    while child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "it does not end");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}
