//! Schemathesis, which `make setup-api` installs, and what it is told of this Weir: names that are there, so that more than refusals
//! comes back.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// What is there to be asked for.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) customers: Vec<String>,
    pub(crate) decisions: Vec<String>,
    pub(crate) rules: Vec<String>,
    pub(crate) since: String,
    /// Places in the list of customers.
    pub(crate) places: Vec<String>,
    /// Places among the decisions.
    pub(crate) cursors: Vec<String>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Answered {
    /// The operations that were answered 2xx.
    pub(crate) well: BTreeSet<String>,
    pub(crate) report: String,
}

/// Makes requests from the description of the Weir at `base`, and holds every answer against it.
pub(crate) fn ask_everything(base: &str, token: &str, known: &Asked) -> Answered {
    let program = installed().join("python/bin/schemathesis");
    assert!(program.exists(), "Schemathesis is not installed: run 'make setup-api'");
    let folder = tempfile::tempdir().unwrap();
    let (config, events) = (folder.path().join("schemathesis.toml"), folder.path().join("events.ndjson"));
    std::fs::write(&config, settings(known)).unwrap();
    let output = Command::new(program)
        .arg("--config-file")
        .arg(&config)
        .args(["run", "--no-color", "--report", "ndjson", "--report-ndjson-path"])
        .arg(&events)
        .arg(format!("{base}/v1/openapi.json"))
        .env("WEIR_TOKEN", token)
        .env_remove("HTTP_PROXY")
        .env_remove("http_proxy")
        .current_dir(folder.path())
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{report}");
    Answered { well: well(&std::fs::read_to_string(events).unwrap()), report }
}
