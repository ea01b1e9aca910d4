//! The demo shows its hour, goes on, does what a visitor tries, and leaves nothing behind.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::house::BINARY;

/// How long the demo may print nothing, and how long it may take to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// One at a time: the first of two would take the console's usual port from the other.
static TURN: Mutex<()> = Mutex::new(());

struct Demo {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    _turn: MutexGuard<'static, ()>,
}

impl Demo {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut command = Command::new(BINARY);
        command.args(["demo", "--customers", "40", "--speed", "240"]).args(arguments);
        command.env("TMPDIR", folder).env_remove("WEIR_TOKEN");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let (sender, lines) = channel();
        std::thread::spawn(move || output.all(|line| sender.send(line).is_ok()));
        Self { child, input, lines, _turn: turn }
    }

    fn type_line(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    /// The lines up to the first one with this text.
    fn until(&mut self, text: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            lines.push(line.unwrap_or_else(|error| panic!("{text:?} is not among {lines:#?}: {error}")));
            if lines.last().is_some_and(|line| line.contains(text)) {
                return lines;
            }
        }
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Waits for its end.
    fn assert_ends_cleanly(&mut self, folder: &Path) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        };
        assert!(status.success(), "{status}");
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0, "its data is still there");
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It may have ended.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

#[test]
fn the_demo_goes_on_and_takes_trials_until_ctrl_c() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Demo::start(folder.path(), &[]);
    demo.until("Console:  http://127.0.0.1:");
    let hour = demo.until("changes at SendGrid");
    let widest = hour.iter().filter(|line| line.starts_with(['┌', '│', '└'])).map(|line| line.chars().count()).max();
    assert!(widest.is_some_and(|columns| columns <= 100), "{hour:#?}");
    for text in
        ["microsoft begins to refuse", "microsoft accepts mail again", "-> quarantined", "Good customers moved: 0 of"]
    {
        assert!(hour.iter().any(|line| line.contains(text)), "{text:?} is not among {hour:#?}");
    }

    demo.until("weir top");
    demo.type_line("w");
    demo.until("In the console: http://127.0.0.1:");
    demo.type_line("m");
    demo.until("Outage: microsoft refuses most mail");
    demo.type_line("m");
    demo.until("Outage over: microsoft accepts mail again");
    demo.type_line("u");
    demo.until("goes back to healthy");
    demo.type_line("no such trial");
    demo.until("Try next");

    demo.signal("-INT");
    demo.assert_ends_cleanly(folder.path());
}

#[test]
fn a_demo_that_is_shown_once_ends_after_its_hour() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Demo::start(folder.path(), &["--once"]);
    demo.until("changes at SendGrid");
    demo.assert_ends_cleanly(folder.path());
}

#[test]
fn a_demo_that_is_told_to_end_within_its_hour_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Demo::start(folder.path(), &[]);
    demo.until("->");
    demo.signal("-TERM");
    demo.assert_ends_cleanly(folder.path());
}

#[test]
fn a_demo_that_nobody_reads_ends() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Demo::start(folder.path(), &[]);
    demo.until("->");
    // The thread that reads its output ends with the next line, and closes the pipe.
    demo.lines = channel().1;
    demo.assert_ends_cleanly(folder.path());
}
