//! A server that knows the documents: Prism, which `make setup-sendgrid` installs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A running Prism; ended when it is dropped.
#[derive(Debug)]
pub(crate) struct Prism {
    pub(crate) base_url: String,
    shell: Child,
    _folder: TempDir,
}

const PATIENCE: Duration = Duration::from_secs(120);
const LISTENING: &str = "Prism is listening on ";

/// Ends with the test, however that ends: the shell waits for the end of its input, which comes when nobody holds it.
const SCRIPT: &str = r#"log="$1"; shift; "$0" "$@" >"$log" 2>&1 & cat >/dev/null; kill $!"#;

impl Prism {
    /// Prism over a document; `mode` is its command and the options of that, `upstream` whom a proxy asks.
    pub(crate) fn start(mode: &[&str], document: &str, upstream: Option<&str>) -> Self {
        let prism = installed().join("node_modules/.bin/prism");
        assert!(prism.exists(), "Prism is not installed: run 'make setup-sendgrid'");
        let folder = tempfile::tempdir().unwrap();
        let (file, log) = (folder.path().join("sendgrid.json"), folder.path().join("log"));
        fs::write(&file, document).unwrap();
        let shell = Command::new("sh")
            .args(["-c", SCRIPT])
            .args([&prism, &log])
            .args(mode)
            .args(["--host", "127.0.0.1", "--port", "0"])
            .arg(&file)
            .args(upstream)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        // Whatever comes of the start, the shell is waited for.
        let mut started = Self { base_url: String::new(), shell, _folder: folder };
        started.base_url = listening(&log);
        started
    }
}

/// The address that Prism listens at, once it does.
fn listening(log: &Path) -> String {
    let patience = Instant::now() + PATIENCE;
    loop {
        let said = fs::read_to_string(log).unwrap_or_default();
        if let Some((_, address)) = said.lines().find_map(|line| line.split_once(LISTENING)) {
            return address.trim().to_owned();
        }
        assert!(Instant::now() < patience, "Prism does not listen: {said}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let ended = self.shell.wait();
        assert!(ended.is_ok(), "Prism is still there");
    }
}

/// Where `make setup-sendgrid` installs.
pub(crate) fn installed() -> PathBuf {
    PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/weir/sendgrid")
}
