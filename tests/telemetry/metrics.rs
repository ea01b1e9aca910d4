//! What a running Weir tells Prometheus is what `docs/metrics.md` says, and it moves with what happens.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use simulator::sendgrid::{Options, SendGrid, World};
use site::{Process, Site, now, subuser};
use tokio::sync::MutexGuard;

const PATIENCE: Duration = Duration::from_secs(60);

/// A Weir that enforces, beside a SendGrid with one bad subuser.
struct House {
    _weir: Process,
    site: Site,
    _sendgrid: SendGrid,
    _turn: MutexGuard<'static, ()>,
}

impl House {
    async fn new() -> Self {
        let turn = crate::turn().await;
        let sendgrid = SendGrid::start_with(World::of(&[subuser("bad-1")]), Options::default()).await.unwrap();
        let site = Site::new();
        let checkpoints = site.folder().join("checkpoints");
        std::fs::create_dir(&checkpoints).unwrap();
        site.configure(&format!(
            r#"
            [state]
            checkpoints = "file://{checkpoints}"
            checkpoint_interval = "1s"
            [enforcer]
            mode = "enforce"
            settling = "1s"
            [sendgrid]
            api = "{api}"
            "#,
            checkpoints = checkpoints.display(),
            api = sendgrid.base_url(),
        ));
        let mut weir = site.run(env!("CARGO_BIN_EXE_weir"));
        weir.env("SENDGRID_API_KEY", sendgrid.api_key());
        Self { _weir: Process::start(weir), site, _sendgrid: sendgrid, _turn: turn }
    }

    /// Mail of a customer whose list is bought, and of many whose lists are not.
    async fn mail_goes_out(&self) {
        let at = now().seconds();
        let event = |customer: &str, number: u32, kind: &str, more: &str| {
            let id = format!("{customer}-{number}");
            format!(
                r#"{{"event":"{kind}","timestamp":{at},"email":"{id}@yahoo.com","customer_id":"{customer}","sg_message_id":"{id}.x","sg_event_id":"{kind}-{id}","pool":{{"name":"main","id":1}}{more}}}"#
            )
        };
        let mut events = Vec::new();
        for number in 0..100 {
            events.push(event("bad-1", number, "processed", ""));
            let bounce = r#","type":"bounce","status":"5.1.1","reason":"550 5.1.1 no such user""#;
            events.push(event("bad-1", number, "bounce", bounce));
            for good in 0..10 {
                events.push(event(&format!("good-{good}"), number, "processed", ""));
                events.push(event(&format!("good-{good}"), number, "delivered", ""));
            }
        }
        self.site.post(&events).await;
    }

    /// What is told now: each series with its value.
    async fn told(&self) -> Told {
        Told(self.site.get("/metrics").await.unwrap_or_default())
    }

    /// Waits until what is told is as wanted.
    async fn until(&self, what: &str, wanted: impl Fn(&Told) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let told = self.told().await;
            if wanted(&told) {
                return;
            }
            assert!(Instant::now() < deadline, "{what}: {}", told.0);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A scrape.
struct Told(String);

impl Told {
    /// The sum of the series of `name` that have all of `labels`; `None` where there is none.
    fn sum(&self, name: &str, labels: &[&str]) -> Option<f64> {
        let values = self.0.lines().filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            let own = series.strip_prefix(name)?;
            let is_it = own.is_empty() || own.starts_with('{');
            (is_it && labels.iter().all(|label| own.contains(label))).then(|| value.parse::<f64>().unwrap())
        });
        values.fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
    }

    fn is_over(&self, least: f64, name: &str, labels: &[&str]) -> bool {
        self.sum(name, labels).is_some_and(|sum| sum > least)
    }
}

/// The reference: each metric's type, and the words that its labels may say, where they are words.
struct Reference {
    kinds: BTreeMap<String, String>,
    words: Vec<(String, String, Vec<String>)>,
}

impl Reference {
    fn read() -> Self {
        let (mut kinds, mut words) = (BTreeMap::new(), Vec::new());
        let mut section: Vec<String> = Vec::new();
        for line in include_str!("../../docs/metrics.md").lines() {
            let quoted: Vec<_> = line.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            if line.starts_with("## ") {
                section.clear();
            } else if line.starts_with("| `") {
                section.push(quoted[0].clone());
                kinds.insert(quoted[0].clone(), line.split(" | ").nth(1).unwrap().to_owned());
            } else if let Some((bound, values)) = line.strip_prefix("- `").and_then(|line| line.split_once(": ")) {
                let is_words = values.starts_with('`');
                let named: Vec<_> = bound.split('`').skip(2).step_by(2).map(str::to_owned).collect();
                let of = if named.is_empty() { section.clone() } else { named };
                let values: Vec<_> = values.split('`').skip(1).step_by(2).map(str::to_owned).collect();
                let add = |metric: String| words.push((metric, quoted[0].clone(), values.clone()));
                if is_words {
                    of.into_iter().for_each(add);
                }
            }
        }
        Self { kinds, words }
    }

    /// Holds a scrape against it.
    fn check(&self, told: &Told) {
        for line in told.0.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
            let (name, kind) = line.split_once(' ').unwrap();
            assert_eq!(self.kinds.get(name).map(String::as_str), Some(kind), "{name} in docs/metrics.md");
        }
        for (metric, label, words) in &self.words {
            let series = told.0.lines().filter(|line| line.starts_with(&format!("{metric}{{")));
            for series in series {
                let said = series.split(&format!("{label}=\"")).nth(1).and_then(|rest| rest.split('"').next());
                assert!(said.is_none_or(|said| words.iter().any(|word| word == said)), "{series}: {words:?}");
            }
        }
    }
}

/// What Prometheus' own tool finds fault with; nothing where it is not installed.
fn faults_by_promtool(text: &str) -> String {
    let tool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut tool) = tool else { return String::new() };
    tool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = tool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if output.status.success() { String::new() } else { said }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_is_what_the_reference_says_and_moves_with_what_happens() {
    let house = House::new().await;
    house.until("it runs", |told| told.is_over(0.0, "weir_build_info", &["version="])).await;
    assert!(house.told().await.is_over(1e6, "process_resident_memory_bytes", &[]));
    house.mail_goes_out().await;

    let events = &["topic=\"events\""];
    house.until("appends", |told| told.is_over(2_199.0, "weir_log_appended_records_total", events)).await;
    let told = house.told().await;
    assert!(told.is_over(2_200.0 * 100.0, "weir_log_appended_bytes_total", events), "{}", told.0);
    assert!(told.is_over(10.0, "weir_log_append_seconds_count", &[]), "{}", told.0);
    assert_eq!(told.sum("weir_log_append_failures_total", &[]), Some(0.0));

    house
        .until("SendGrid is asked", |told| {
            told.is_over(
                0.0,
                "weir_sendgrid_requests_total",
                &["outcome=\"done\"", "endpoint=\"PUT /v3/subusers/{subuser_name}/ips\""],
            )
        })
        .await;
    let quarantined = &["to=\"quarantined\""];
    house.until("a decision", |told| told.is_over(0.0, "weir_scorer_decisions_total", quarantined)).await;
    house.until("a state's size", |told| told.is_over(1_000.0, "weir_scorer_state_bytes", &["partition="])).await;
    let since = now().seconds();
    house
        .until("a checkpoint", |told| {
            #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^53")]
            let since = since as f64;
            told.is_over(since - 1.0, "weir_scorer_checkpoint_timestamp_seconds", &["partition=\"0\""])
        })
        .await;
    // All that came is folded and published: nothing is behind.
    house
        .until("it has caught up", |told| {
            let lag = told.sum("weir_scorer_lag_records", &["partition="]);
            lag.is_some_and(|lag| lag < 50.0)
                && told.is_over(2_200.0, "weir_scorer_next_offset", &[])
                && told.sum("weir_scorer_freshness_seconds", &[]) == Some(0.0)
                && told.sum("weir_scorer_unpublished_outputs", &[]).is_some_and(|outputs| outputs < 100.0)
        })
        .await;
    house
        .until("the fleet", |told| {
            told.is_over(1_099.0, "weir_fleet_mails", &["provider=\"yahoo\"", "window=\"1h\""])
                && told.is_over(
                    0.09,
                    "weir_fleet_signal_ratio",
                    &["provider=\"yahoo\"", "signal=\"hard_bounce\"", "window=\"24h\""],
                )
                && told.is_over(0.0, "weir_fleet_pool_mails", &["pool=\"main\"", "window=\"24h\""])
                && told.sum("weir_fleet_incidents", &["blame=\"pool\""]) == Some(0.0)
        })
        .await;
    house.site.get("/v1/customers/bad-1").await.unwrap();
    let route = &["route=\"/v1/customers/{id}\""];
    house.until("requests", |told| told.is_over(0.0, "weir_console_requests_total", route)).await;

    let told = house.told().await;
    Reference::read().check(&told);
    assert_eq!(faults_by_promtool(&told.0), "");
    for stranger in ["bad-1", "good-0", "@yahoo.com"] {
        assert!(!told.0.contains(stranger), "{stranger} in {}", told.0);
    }
}
