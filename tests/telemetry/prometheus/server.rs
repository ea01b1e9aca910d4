//! A real Prometheus, with the configuration and rules that are deployed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use site::free_port;

use super::hour::compress;

/// How often it scrapes, and looks at its rules.
const INTERVAL: &str = "1s";
const STARTING: Duration = Duration::from_secs(60);

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn tool(name: &str) -> PathBuf {
    let cache = Path::new(&std::env::var("HOME").unwrap()).join(".cache/weir/prometheus");
    assert!(cache.join("complete").exists(), "no Prometheus in {}: run `make setup-prometheus`", cache.display());
    cache.join("usr/bin").join(name)
}

/// What Prometheus' own tool says of a scrape; nothing where it finds no fault.
pub(crate) fn faults_of_metrics(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("metrics");
    std::fs::write(&file, text).unwrap();
    let input = std::fs::File::open(file).unwrap();
    let output = Command::new(tool("promtool")).args(["check", "metrics"]).stdin(input).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if output.status.success() { String::new() } else { said }
}

/// An alert that fires.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Firing {
    pub(crate) name: String,
    pub(crate) severity: String,
}

impl Firing {
    /// By "WeirX page".
    pub(crate) fn all(names: &[&str]) -> BTreeSet<Self> {
        let firing = |name: &&str| {
            let (name, severity) = name.split_once(' ').unwrap();
            Self { name: name.to_owned(), severity: severity.to_owned() }
        };
        names.iter().map(firing).collect()
    }

    fn of(labels: &Value) -> Self {
        let label = |name: &str| labels[name].as_str().unwrap_or_default().to_owned();
        Self { name: label("alertname"), severity: label("severity") }
    }
}

pub(crate) fn unix_now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64()
}

/// It ends when this is dropped.
pub(crate) struct Prometheus {
    folder: tempfile::TempDir,
    port: u16,
    client: reqwest::Client,
    child: Child,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

impl Prometheus {
    /// Scrapes each of the jobs that are configured from the port that stands beside it.
    pub(crate) async fn start(jobs: &[(&str, u16)]) -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let deployed = root().join("deploy/prometheus");
        let rules = folder.path().join("rules");
        std::fs::create_dir(&rules).unwrap();
        for entry in std::fs::read_dir(deployed.join("rules")).unwrap() {
            let file = entry.unwrap();
            let text = std::fs::read_to_string(file.path()).unwrap();
            std::fs::write(rules.join(file.file_name()), compress(&text)).unwrap();
        }
        let text = std::fs::read_to_string(deployed.join("prometheus.yml")).unwrap();
        let config = folder.path().join("prometheus.yml");
        std::fs::write(&config, configuration(&text, jobs, port)).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new(tool("prometheus"))
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--log.level=warn")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap();
        let prometheus = Self { folder, port, client, child };
        let deadline = Instant::now() + STARTING;
        while prometheus.get("query", &[("query", "vector(1)")]).await.is_none() {
            assert!(Instant::now() < deadline, "{}", prometheus.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        prometheus
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Option<Value> {
        let url = format!("http://127.0.0.1:{}/api/v1/{path}", self.port);
        let answer = self.client.get(url).query(query).send().await.ok()?;
        let answer: Value = answer.json().await.ok()?;
        assert_ne!(answer["status"], "error", "{query:?}: {answer}");
        (answer["status"] == "success").then(|| answer["data"].clone())
    }

    /// The same, tried again where a busy machine kept it waiting.
    async fn ask(&self, path: &str, query: &[(&str, &str)]) -> Value {
        for _ in 0..10 {
            if let Some(data) = self.get(path, query).await {
                return data;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        panic!("Prometheus does not answer: {}", self.log());
    }

    /// Every rule, recording or alerting.
    pub(crate) async fn rules(&self) -> Vec<Value> {
        let data = self.ask("rules", &[]).await;
        let groups = data["groups"].as_array().unwrap().iter();
        groups.flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
    }

    /// What fires now, or is about to: name, state, and where its runbook is.
    pub(crate) async fn alerts(&self) -> Vec<(Firing, String, String)> {
        let data = self.ask("alerts", &[]).await;
        let alert = |alert: &Value| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            (Firing::of(&alert["labels"]), text(&alert["state"]), text(&alert["annotations"]["runbook_url"]))
        };
        data["alerts"].as_array().unwrap().iter().map(alert).collect()
    }

    /// What a query gives now.
    pub(crate) async fn now(&self, query: &str) -> Vec<Value> {
        let data = self.ask("query", &[("query", query)]).await;
        data["result"].as_array().unwrap().clone()
    }

    /// Each series that a query gave at any second since a moment, with a number that is one.
    pub(crate) async fn since(&self, query: &str, moment: f64) -> Vec<Value> {
        let (start, end) = (format!("{moment:.3}"), format!("{:.3}", unix_now()));
        let data = self.ask("query_range", &[("query", query), ("start", &start), ("end", &end), ("step", "1")]).await;
        let is_number = |sample: &Value| sample[1].as_str().is_some_and(|number| number != "NaN");
        let series = data["result"].as_array().unwrap().iter();
        series.filter(|series| series["values"].as_array().unwrap().iter().any(is_number)).cloned().collect()
    }

    /// All that fired at any time since a moment.
    pub(crate) async fn fired_since(&self, moment: f64) -> BTreeSet<Firing> {
        let series = self.since("ALERTS{alertstate=\"firing\"}", moment).await;
        series.iter().map(|series| Firing::of(&series["metric"])).collect()
    }
}

/// The deployed configuration, with these targets and without patience.
fn configuration(text: &str, jobs: &[(&str, u16)], own_port: u16) -> String {
    let mut job = String::new();
    let mut known = BTreeSet::new();
    let lines = text.lines().map(|line| {
        let (indent, said) = line.split_at(line.len() - line.trim_start().len());
        if let Some(name) = said.strip_prefix("- job_name: ") {
            name.clone_into(&mut job);
            known.insert(name.to_owned());
        }
        if said.starts_with("scrape_interval: ") || said.starts_with("evaluation_interval: ") {
            return format!("{indent}{}: {INTERVAL}", said.split(':').next().unwrap());
        }
        if !said.starts_with("- targets: ") {
            return line.to_owned();
        }
        let port = jobs.iter().find(|(name, _)| *name == job).map_or(own_port, |(_, port)| *port);
        format!("{indent}- targets: [\"127.0.0.1:{port}\"]")
    });
    let configuration = lines.collect::<Vec<_>>().join("\n");
    for (name, _) in jobs {
        assert!(known.contains(*name), "no job {name} is configured");
    }
    configuration
}
