//! The mock server: Prism, which `make setup-sendgrid` installs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::documents::Documents;

/// A mock server over the documents; ended when the last test drops it.
#[derive(Debug)]
pub(crate) struct Mock {
    pub(crate) base_url: String,
    shell: Child,
    _folder: TempDir,
}

const PATIENCE: Duration = Duration::from_secs(120);
const LISTENING: &str = "Prism is listening on ";

/// Ends with the test, however that ends: the shell waits for the end of its input, which comes when nobody holds it.
const SCRIPT: &str =
    r#""$0" mock --host 127.0.0.1 --port 0 --errors --seed weir "$1" >"$2" 2>&1 & cat >/dev/null; kill $!"#;

impl Mock {
    /// The mock server that the tests share.
    pub(crate) fn shared(documents: &Documents) -> Arc<Self> {
        static SHARED: Mutex<Weak<Mock>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let mock = Arc::new(Self::start(documents));
            *shared = Arc::downgrade(&mock);
            mock
        })
    }

    fn start(documents: &Documents) -> Self {
        let prism = prism();
        assert!(prism.exists(), "the mock server is not installed: run 'make setup-sendgrid'");
        let folder = tempfile::tempdir().unwrap();
        let (document, log) = (folder.path().join("sendgrid.json"), folder.path().join("log"));
        fs::write(&document, documents.text()).unwrap();
        let shell = Command::new("sh")
            .args(["-c", SCRIPT])
            .args([prism, document, log.clone()])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        // Whatever comes of the start, the shell is waited for.
        let mut mock = Self { base_url: String::new(), shell, _folder: folder };
        mock.base_url = listening(&log);
        mock
    }
}

/// The address that the mock server listens at, once it does.
fn listening(log: &Path) -> String {
    let patience = Instant::now() + PATIENCE;
    loop {
        let said = fs::read_to_string(log).unwrap_or_default();
        if let Some((_, address)) = said.lines().find_map(|line| line.split_once(LISTENING)) {
            return address.trim().to_owned();
        }
        assert!(Instant::now() < patience, "the mock server does not listen: {said}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let ended = self.shell.wait();
        assert!(ended.is_ok(), "the mock server is still there");
    }
}

fn prism() -> PathBuf {
    let home = PathBuf::from(std::env::var_os("HOME").unwrap());
    home.join(".cache/weir/sendgrid/node_modules/.bin/prism")
}
