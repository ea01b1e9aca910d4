//! Weir as a process.

use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// How long it may take to end.
const ENDING: Duration = Duration::from_secs(120);

/// Runs until it is told to end or killed, which it is with this value at the latest.
#[derive(Debug)]
pub struct Process {
    command: Command,
    child: Child,
}

impl Process {
    /// Starts it.
    pub fn start(mut command: Command) -> Self {
        let child = command.spawn().unwrap();
        Self { command, child }
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGKILL, and a new process of the same command.
    pub fn kill_and_restart(&mut self) {
        self.kill();
        self.child = self.command.spawn().unwrap();
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGTERM, and the wait for its end.
    pub fn end(&mut self) -> ExitStatus {
        let pid = self.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let deadline = Instant::now() + ENDING;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// A new token of this role, named after it, as `binary` makes it, and what the configuration is to say.
pub fn new_token(binary: &str, role: &str) -> (String, String) {
    let output = Command::new(binary).args(["token", "new", "--name", role, "--role", role]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let (token, config) = text.split_once('\n').unwrap();
    (token.to_owned(), config.to_owned())
}
