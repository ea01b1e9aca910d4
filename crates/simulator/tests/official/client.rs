//! SendGrid's own client, in a process that makes calls as it is told: `tests/sendgrid/client.cjs` and `client.py`.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

use super::prism::installed;

/// Whose client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Node,
    Python,
}

impl Language {
    pub(crate) const BOTH: [Self; 2] = [Self::Node, Self::Python];

    fn command(self) -> Command {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/sendgrid");
        let (program, script) = match self {
            Self::Node => ("node".into(), "client.cjs"),
            Self::Python => (installed().join("python/bin/python"), "client.py"),
        };
        let mut command = Command::new(program);
        command.arg(scripts.join(script)).env("NODE_PATH", installed().join("node_modules"));
        command
    }

    /// What its client throws for a status.
    pub(crate) const fn error(self, status: u16) -> &'static str {
        match (self, status) {
            (Self::Node, _) => "ResponseError",
            (Self::Python, 400) => "BadRequestsError",
            (Self::Python, 401) => "UnauthorizedError",
            (Self::Python, 403) => "ForbiddenError",
            (Self::Python, 404) => "NotFoundError",
            (Self::Python, 429) => "TooManyRequestsError",
            (Self::Python, 500) => "InternalServerError",
            (Self::Python, _) => "HTTPError",
        }
    }
}

/// A running client; ended when it is dropped.
#[derive(Debug)]
pub(crate) struct Official {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

const PATIENCE: Duration = Duration::from_secs(60);

impl Official {
    /// A client of the API at `base_url`.
    pub(crate) fn start(language: Language, base_url: &str, key: &str) -> Self {
        let mut command = language.command();
        command.args([base_url, key]).env("NO_PROXY", "*").env("no_proxy", "*");
        let program = Path::new(command.get_program());
        assert!(language == Language::Node || program.exists(), "no {program:?}: run 'make setup-sendgrid'");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            // Nobody hears the last line where the test has failed already.
            BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, stdin, lines }
    }

    /// Tells it what to do, and waits for what came of it.
    pub(crate) fn ask(&mut self, asked: &Value) -> Value {
        writeln!(self.stdin.as_mut().unwrap(), "{asked}").unwrap();
        let line = self.lines.recv_timeout(PATIENCE);
        assert!(line.is_ok(), "{line:?} came of {asked}");
        serde_json::from_str(&line.unwrap()).unwrap()
    }
}

impl Drop for Official {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.stdin.take());
        let ended = self.child.wait();
        assert!(ended.is_ok(), "the client is still there");
    }
}
