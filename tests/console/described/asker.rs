//! Schemathesis, which `make setup-api` installs, and what it is told of this Weir: names that are there, so that more than refusals
//! comes back.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

/// What is there to be asked for.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) customers: Vec<String>,
    /// Those about whom a decision waits.
    pub(crate) waiting: Vec<String>,
    pub(crate) decisions: Vec<String>,
    pub(crate) rules: Vec<String>,
    /// Signed input that made no sense, and the source that it came to.
    pub(crate) rejects: Vec<String>,
    pub(crate) source: String,
    /// Whose subuser SendGrid has suspended.
    pub(crate) account: String,
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

/// Whom to ask, and by which description.
pub(crate) struct Asker<'a> {
    pub(crate) base: &'a str,
    pub(crate) document: &'a Value,
    pub(crate) token: &'a str,
    pub(crate) known: &'a Asked,
}

impl Asker<'_> {
    /// Makes requests of the operations that these options leave, and holds every answer against the description.
    pub(crate) fn ask(&self, which: &[&str]) -> Answered {
        let program = installed().join("python/bin/schemathesis");
        assert!(program.exists(), "Schemathesis is not installed: run 'make setup-api'");
        let folder = tempfile::tempdir().unwrap();
        let of_name = |name: &str| folder.path().join(name);
        let (config, events, description) =
            (of_name("schemathesis.toml"), of_name("events.ndjson"), of_name("openapi.json"));
        std::fs::write(&config, settings(self.known)).unwrap();
        std::fs::write(&description, self.document.to_string()).unwrap();
        let output = Command::new(program)
            .arg("--config-file")
            .arg(&config)
            .args(["run", "--no-color", "--report", "ndjson", "--report-ndjson-path"])
            .arg(&events)
            .args(["--url", self.base])
            .args(which)
            .arg(description)
            .env("WEIR_TOKEN", self.token)
            .env_remove("HTTP_PROXY")
            .env_remove("http_proxy")
            .current_dir(folder.path())
            .output()
            .unwrap();
        let report = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{report}");
        Answered { well: well(&std::fs::read_to_string(events).unwrap()), report }
    }
}

/// Where `make setup-api` installs it.
fn installed() -> PathBuf {
    let home = std::env::var_os("HOME").unwrap_or_default();
    PathBuf::from(home).join(".cache/weir/schemathesis")
}

/// How it asks. Half of the values of a parameter that it can't guess are ones that mean something here.
fn settings(known: &Asked) -> String {
    let dictionaries = [
        ("customers", json!(known.customers)),
        ("decisions", json!(known.decisions)),
        ("rules", json!(known.rules)),
        ("rejects", json!(known.rejects)),
        ("sources", json!([known.source])),
        ("accounts", json!([known.account])),
        ("times", json!([known.since])),
        ("places", json!(known.places)),
        ("cursors", json!(known.cursors)),
        ("waits", json!([0, 1])),
        ("waiting", json!(known.waiting)),
        ("reasons", json!(["a test"])),
    ];
    let dictionaries: serde_json::Map<_, _> =
        dictionaries.into_iter().map(|(name, values)| (name.to_owned(), json!({ "values": values }))).collect();
    let half = |dictionary: &str| json!({ "dictionary": dictionary, "probability": 0.5 });
    let settings = json!({
        "seed": 7,
        "max-stream-events": 2,
        "continue-on-failure": true,
        "request-timeout": 30.0,
        "generation": { "max-examples": 30, "database": "none" },
        "auth": { "openapi": { "token": { "bearer": "${WEIR_TOKEN}" } } },
        "checks": {
            // Who has no token is soon refused for asking too often; that nobody is let in without is tested by itself.
            "ignored_auth": { "enabled": false },
            "missing_required_header": { "enabled": false },
            // What a cursor, a policy or a moment means is more than a schema says; each operation is answered well all the same.
            "positive_data_acceptance": { "enabled": false },
        },
        "dictionaries": dictionaries,
        "parameters": {
            "path.id": half("customers"),
            "body.rule": half("rules"),
            "body.since": half("times"),
            "body.reason": half("reasons"),
            "query.reason": half("reasons"),
        },
        "operations": [
            {
                "include-path": "/v1/approvals/{id}",
                "parameters": { "path.id": half("waiting"), "body.reason": { "dictionary": "reasons" } },
            },
            { "include-path": "/v1/decisions/{id}/explanation", "parameters": { "path.id": half("decisions") } },
            { "include-path": "/v1/rejects", "parameters": { "query.source": half("sources"), "query.since": half("times") } },
            { "include-path": "/v1/rejects/{id}", "parameters": { "path.id": half("rejects") } },
            { "include-path": "/v1/rejects/{id}/replay", "parameters": { "path.id": half("rejects") } },
            { "include-path": "/v1/account-status/acknowledge", "parameters": { "body.customer": half("accounts") } },
            { "include-path": "/v1/rejects/replay", "parameters": { "body.source": half("sources") } },
            { "include-path": "/v1/customers", "parameters": { "query.after": half("places") } },
            {
                "include-path": "/v1/decisions",
                "parameters": { "query.after": half("cursors"), "query.wait": { "dictionary": "waits" } },
            },
            { "include-path": "/v1/decisions/stream", "parameters": { "query.after": half("cursors") } },
        ],
    });
    toml::to_string(&settings).unwrap()
}

/// The operations that a run's events tell were answered 2xx.
fn well(events: &str) -> BTreeSet<String> {
    let events = events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let scenarios = events.filter_map(|event| Some(event.get("ScenarioFinished")?["recorder"].clone()));
    let answered = |recorder: &Value| {
        let mut interactions = recorder["interactions"].as_object().into_iter().flat_map(serde_json::Map::values);
        interactions.any(|interaction| matches!(interaction["response"]["status_code"].as_u64(), Some(200..300)))
    };
    let answered = scenarios.filter(answered);
    let labels = answered.filter_map(|recorder| Some(recorder["label"].as_str()?.to_owned()));
    // Steps that follow each other have another label.
    labels.filter(|label| label.contains(" /")).collect()
}
