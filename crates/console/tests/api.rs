//! What the operators' API answers, over a real log and a real listener.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use console::{
    Access, Admin, ExplainError, Explainer, Explanations, Gate, GateConfig, Index, Policies, PolicyViewed, Probes,
    Ready, Server, Unavailable, Viewed, Views,
};
use log::embedded::{Config, EmbeddedLog};
use log::{Append, Log, PartitionCount, Record, RecordKind, Route, Start, Topic};
use model::{
    CaseView, Command, CompletenessReport, Counter, Counts, CustomerId, CustomerView, Day, Decision, DecisionId,
    EnforcementKey, EnforcerMode, EnforcerModes, Figure, Fleet, FleetCounts, Held, HeldWhy, InForce, MailAccount,
    Millis, Mode, Offset, Order, PartitionId, Phase, PolicyChange, PolicyInForce, PolicyOrigin, PolicyView, PoolName,
    Position, Provider, Stage, Standing, Timestamp, Window,
};
use policy::Policy;
use scoring::{Fold, Input, MemoryStore, Partition, Said};
use serde_json::{Value, json};
use telemetry::Registry;
use tokio_util::sync::CancellationToken;

const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);
const PATIENCE: Duration = Duration::from_secs(10);

struct House {
    _folder: tempfile::TempDir,
    log: Arc<dyn Log>,
    embedded: Arc<EmbeddedLog>,
    address: SocketAddr,
    ready: Ready,
    shutdown: CancellationToken,
    readers: Vec<JoinHandle<()>>,
}

impl Drop for House {
    fn drop(&mut self) {
        self.shutdown.cancel();
        // A log must not be read any more when the process ends. One that panicked has said so.
        self.readers.drain(..).for_each(|reader| drop(reader.join()));
    }
}

fn standing(name: &str, stage: Stage, daily_cap: Option<u32>) -> Standing {
    Standing {
        customer: CustomerId::new(name).unwrap(),
        phase: Phase::Active,
        stage,
        since: NOW,
        pool: Some(PoolName::new(if stage >= Stage::Quarantined { "quarantine" } else { "good-1" })),
        daily_cap,
        sent_24h: 0,
        held: false,
        exempt_until: None,
        awaits_person: false,
        reasons: Vec::new(),
    }
}

/// `acme` has sent 30 mails in the last day; nobody else is known to the scorer.
fn views() -> Views {
    Arc::new(|customer| {
        let mut counts = Counts::ZERO;
        counts[Counter::Processed] = 30;
        let view = (customer.as_str() == "acme").then(|| CustomerView {
            standing: standing("acme", Stage::Throttled, Some(100)),
            windows: BTreeMap::from([(Window::Day, counts)]),
            providers: BTreeMap::new(),
        });
        Box::pin(std::future::ready(Ok(view))) as Viewed
    })
}

/// The default policy, and a number that makes it another.
fn policy_text(number: u32) -> String {
    format!("{}\n# {number}\n", policy::DEFAULT)
}

/// What the scorer tells of the policy in force.
fn in_force() -> PolicyView {
    let change = PolicyChange {
        origin: PolicyOrigin::File,
        by: "weir".to_owned(),
        reason: "another file".to_owned(),
        file: Some("sha256:before".to_owned()),
    };
    let record = PolicyInForce { text: policy_text(1), since: NOW, change };
    PolicyView { digest: "sha256:before".to_owned(), record: Some(record) }
}

impl House {
    async fn new() -> Self {
        Self::in_mode(EnforcerMode::Enforce).await
    }

    async fn in_mode(mode: EnforcerMode) -> Self {
        Self::asking(mode, || Ok(in_force())).await
    }

    /// One whose scorer tells this of the policy in force.
    async fn asking(mode: EnforcerMode, policy_in_force: fn() -> Result<PolicyView, Unavailable>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let count = PartitionCount::new(NonZeroU32::new(2).unwrap());
        let embedded = Arc::new(EmbeddedLog::open(Config::new(folder.path(), count)).unwrap());
        let log: Arc<dyn Log> = Arc::clone(&embedded) as _;
        let policy = Arc::new(Policy::parse(policy::DEFAULT).unwrap());
        let shutdown = CancellationToken::new();
        let (index, mut readers) = Index::start(&log, &shutdown).unwrap();
        let ready = Ready::default();
        let told = GateConfig {
            instance: "here".to_owned(),
            modes: EnforcerModes::all(mode),
            home_pool: policy.pool(Stage::Healthy),
            views: views(),
            clock: Arc::new(|| NOW),
        };
        let (gate, gates_readers) = Gate::start(told, &log, &shutdown).unwrap();
        readers.extend(gates_readers);
        let registry = Registry::new();
        let admin = Admin {
            access: Access::new(Vec::new(), None, &registry).unwrap(),
            index,
            views: views(),
            gate,
            explanations: Explanations::new(Arc::clone(&log), policy, shutdown.clone()),
            log: Arc::clone(&log),
            policies: Policies::new(Arc::new(move || Box::pin(std::future::ready(policy_in_force())) as PolicyViewed)),
            policy: Arc::new(Policy::parse(&policy_text(1)).unwrap()),
            probes: Probes { registry, ready: ready.clone() },
            clock: Arc::new(|| NOW),
        };
        let server = Server::bind("127.0.0.1:0".parse().unwrap(), admin).await.unwrap();
        let address = server.local_addr();
        tokio::spawn(server.run(shutdown.clone()));
        Self { _folder: folder, log, embedded, address, ready, shutdown, readers }
    }

    async fn put(&self, topic: Topic, customer: &str, value: Value) {
        let record = Record {
            kind: RecordKind::Output,
            at: NOW,
            key: Bytes::copy_from_slice(customer.as_bytes()),
            headers: Arc::new([]),
            value: Bytes::from(value.to_string()),
        };
        self.log.producer().append(vec![Append { topic, route: Route::ByKey, record }]).await.unwrap();
    }

    async fn stands(&self, name: &str, stage: Stage, daily_cap: Option<u32>) {
        let standing = standing(name, stage, daily_cap);
        self.put(Topic::Standings, name, serde_json::to_value(&standing).unwrap()).await;
        let in_force = Some(InForce::of(&standing));
        let case = CaseView { customer: standing.customer, stage, held: None, in_force };
        let key = EnforcementKey::Case(case.customer.clone()).to_string();
        self.put(Topic::Enforcement, &key, serde_json::to_value(case).unwrap()).await;
    }

    async fn decided(&self, name: &str, number: u64) {
        let decision = Decision {
            id: DecisionId::from_bits(number.into()),
            customer: CustomerId::new(name).unwrap(),
            at: NOW,
            from: Stage::Healthy,
            to: Stage::Watch,
            mode: Mode::Enforce,
            rule: "test".to_owned(),
            blame: None,
            evidence: None,
            reason: None,
            by: None,
            policy: String::new(),
            offset: Position { partition: PartitionId::new(0), offset: Offset::new(number) },
        };
        self.put(Topic::Decisions, name, serde_json::to_value(decision).unwrap()).await;
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.get(format!("http://{}{path}", self.address)).send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    async fn post(&self, path: &str, body: &str) -> (u16, Value) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.post(format!("http://{}{path}", self.address)).header("content-type", "application/json");
        let answer = request.body(body.to_owned()).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap())
    }

    /// Asks until the answer is as wanted.
    async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (_, answer) = self.get(path).await;
            if wanted(&answer) {
                return answer;
            }
            assert!(Instant::now() < deadline, "{path}: {answer}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_are_listed_worst_first_by_stage_and_by_page() {
    let house = House::new().await;
    for (name, stage) in
        [("a", Stage::Healthy), ("b", Stage::Suspended), ("c", Stage::Watch), ("d", Stage::Quarantined)]
    {
        house.stands(name, stage, None).await;
    }
    let names = |answer: &Value| -> Vec<String> {
        let customers = answer["customers"].as_array().unwrap();
        customers.iter().map(|customer| customer["customer"].as_str().unwrap().to_owned()).collect()
    };
    let all = house.until("/v1/customers", |answer| names(answer).len() == 4).await;
    assert_eq!(names(&all), ["b", "d", "c", "a"]);
    assert_eq!(names(&house.get("/v1/customers?stage=watch").await.1), ["c"]);
    let page = house.get("/v1/customers?limit=3").await.1;
    let next = page["next"].as_str().unwrap();
    assert_eq!(names(&page), ["b", "d", "c"]);
    assert_eq!(names(&house.get(&format!("/v1/customers?limit=3&after={next}")).await.1), ["a"]);
    house.stands("b", Stage::Healthy, None).await;
    house.until("/v1/customers?stage=suspended", |answer| names(answer).is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mailer_is_told_the_pool_and_what_is_left_of_the_cap() {
    let house = House::new().await;
    let unseen = house.until("/v1/customers/never-seen/route", |answer| answer["status"] != 503).await;
    let free = json!({ "ip_pool_name": "good-1", "stage": "healthy", "daily_cap": null, "remaining_today": null });
    assert_eq!(unseen, free);
    house.stands("acme", Stage::Throttled, Some(100)).await;
    let capped = house.until("/v1/customers/acme/route", |answer| answer["stage"] == "throttled").await;
    assert_eq!((&capped["daily_cap"], &capped["remaining_today"]), (&json!(100), &json!(70)));
    house.stands("acme", Stage::Suspended, None).await;
    let stopped = house.until("/v1/customers/acme/route", |answer| answer["stage"] == "suspended").await;
    assert_eq!((&stopped["ip_pool_name"], &stopped["remaining_today"]), (&json!("quarantine"), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_shadow_the_mailer_is_told_to_send_everybody_as_before() {
    let house = House::in_mode(EnforcerMode::Shadow).await;
    house.stands("acme", Stage::Quarantined, Some(5)).await;
    let told = house.until("/v1/customers/acme/route", |answer| answer["stage"] == "quarantined").await;
    let free = json!({ "ip_pool_name": "good-1", "stage": "quarantined", "daily_cap": null, "remaining_today": null });
    assert_eq!(told, free);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_shown_with_counts_and_history() {
    let house = House::new().await;
    house.decided("acme", 1).await;
    let acme = house.until("/v1/customers/acme", |answer| answer["history"] != json!([])).await;
    assert_eq!(acme["windows"]["24h"]["processed"], 30);
    assert_eq!((&acme["stage"], &acme["history"][0]["rule"]), (&json!("throttled"), &json!("test")));
    let (status, problem) = house.get("/v1/customers/nobody").await;
    assert_eq!((status, &problem["status"]), (404, &json!(404)));
    assert!(problem["detail"].as_str().unwrap().contains("nobody"));
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_are_followed_without_gap_or_repeat() {
    let house = House::new().await;
    for number in 0..5 {
        house.decided(&format!("c{number}"), number).await;
    }
    let count = |answer: &Value| answer["decisions"].as_array().map_or(0, Vec::len);
    house.until("/v1/decisions", |answer| count(answer) == 5).await;
    let (mut after, mut ids) = (String::new(), Vec::new());
    for _ in 0..3 {
        let (_, page) = house.get(&format!("/v1/decisions?limit=2&after={after}")).await;
        ids.extend(page["decisions"].as_array().unwrap().iter().map(|decision| decision["id"].to_string()));
        after = page["next"].as_str().unwrap().to_owned();
    }
    let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!((ids.len(), distinct.len()), (5, 5));

    let path = format!("/v1/decisions?wait=10&after={after}");
    let (waited, ()) = tokio::join!(house.get(&path), house.decided("new", 9));
    assert_eq!(waited.1["decisions"][0]["customer"], "new");
    assert_eq!(house.get("/v1/decisions?after=nonsense").await.0, 400);
}

/// A person's command at the beginning of the log, and the decision that a scorer makes of it.
async fn commanded(house: &House, name: &str) -> Decision {
    let customer = CustomerId::new(name).unwrap();
    let order = Order::SetStage { stage: Stage::Suspended };
    let command = Command { order, reason: "phishing".to_owned(), by: "ana".to_owned() };
    let record = Record {
        kind: RecordKind::Command,
        at: NOW,
        key: Bytes::copy_from_slice(name.as_bytes()),
        headers: Arc::new([]),
        value: serde_json::to_vec(&command).unwrap().into(),
    };
    house.log.producer().append(vec![Append { topic: Topic::Events, route: Route::ByKey, record }]).await.unwrap();
    let partition = log::partition_of(name.as_bytes(), house.log.partitions());
    let policy = Arc::new(Policy::parse(policy::DEFAULT).unwrap());
    let mut fold = Fold::new(policy, partition, Partition::default());
    fold.begin_at(NOW);
    let mut store = MemoryStore::default();
    let Ok(applied) = fold.apply(&mut store, Offset::ZERO, Input::Command(&customer, command));
    let decision = applied.said.into_iter().find_map(|said| match said {
        Said::Decision(decision) => Some(decision),
        _ => None,
    });
    let decision = decision.unwrap();
    let record = Record {
        kind: RecordKind::Output,
        at: NOW,
        key: Bytes::copy_from_slice(name.as_bytes()),
        headers: Arc::new([]),
        value: serde_json::to_vec(&decision).unwrap().into(),
    };
    house.log.producer().append(vec![Append { topic: Topic::Decisions, route: Route::ByKey, record }]).await.unwrap();
    decision
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_explained_from_the_log_and_one_that_is_not_there_is_not() {
    let house = House::new().await;
    let id = commanded(&house, "acme").await.id;
    let (status, explanation) = house.get(&format!("/v1/decisions/{id}/explanation")).await;
    assert_eq!((status, &explanation["derived"]), (200, &json!({ "outcome": "same" })), "{explanation}");
    assert_eq!((&explanation["decision"]["id"], &explanation["recount"]), (&json!(id.as_str()), &Value::Null));
    assert!(explanation["headline"].as_str().unwrap().contains("ana's command `set_stage`"), "{explanation}");

    let unknown = DecisionId::from_bits(7);
    let (status, problem) = house.get(&format!("/v1/decisions/{unknown}/explanation")).await;
    assert_eq!(status, 404, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains(unknown.as_str()));
    assert_eq!(house.get("/v1/decisions/nonsense/explanation").await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_ends_with_weir_and_one_that_takes_too_long_says_what_to_do() {
    let house = House::new().await;
    let id = commanded(&house, "acme").await.id;
    let policy = Arc::new(Policy::parse(policy::DEFAULT).unwrap());
    let hurried = Explainer::new(Arc::clone(&house.log), Arc::clone(&policy), Duration::ZERO);
    let error = hurried.explain(&id).unwrap_err().to_string();
    assert!(error.contains(&format!("`weir explain {id}`")), "{error}");
    let ending = CancellationToken::new();
    ending.cancel();
    let ending = Explainer::new(Arc::clone(&house.log), policy, PATIENCE).until(ending);
    assert!(matches!(ending.explain(&id), Err(ExplainError::Ending)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_whose_record_retention_has_dropped_is_said_to_be_gone() {
    let house = House::new().await;
    let decision = commanded(&house, "acme").await;
    house.embedded.maintain(NOW + Millis::days(46)).unwrap();
    // Retention takes the decisions too; a consumer may have put one back, or Kafka keep them longer.
    house.put(Topic::Decisions, "acme", serde_json::to_value(&decision).unwrap()).await;
    let (status, problem) = house.get(&format!("/v1/decisions/{}/explanation", decision.id)).await;
    assert_eq!(status, 410, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("the log begins at 1"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_goes_to_the_log_with_its_author_and_a_bad_one_does_not() {
    let house = House::new().await;
    let path = "/v1/customers/acme/commands";
    for (body, word) in [
        ("{", "JSON"),
        (r#"{"type":"obliterate","reason":"x","by":"ana"}"#, "obliterate"),
        (r#"{"type":"hold","reason":"","by":"ana"}"#, "reason"),
        (r#"{"type":"hold","reason":"x","by":" "}"#, "by"),
        (r#"{"type":"set_stage","reason":"x","by":"ana"}"#, "stage"),
    ] {
        let (status, problem) = house.post(path, body).await;
        assert_eq!(status, 400, "{body}");
        assert!(problem["detail"].as_str().unwrap().contains(word), "{body}: {problem}");
    }
    assert_eq!(house.post("/v1/customers/a%00b/commands", r#"{"type":"hold","reason":"x","by":"ana"}"#).await.0, 400);
    let good = r#"{"type":"set_stage","stage":"suspended","reason":"phishing","by":"ana"}"#;
    assert_eq!(house.post(path, good).await.0, 202);
    let mut tail = house.log.tail(Topic::Events, Start::Earliest).unwrap();
    let records = tail.next(Duration::ZERO).unwrap();
    assert_eq!(records.len(), 1, "the bad ones left nothing");
    assert_eq!((records[0].record.kind, records[0].record.key.as_ref()), (RecordKind::Command, b"acme".as_slice()));
    assert_eq!(records[0].record.value, good);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_goes_to_every_partition_with_its_author() {
    let house = House::new().await;
    let text = policy_text(2);
    let (status, answer) = house.post("/v1/policy?by=ana&reason=zu%20streng", &text).await;
    let policy = Policy::parse(&text).unwrap();
    let expected = json!({ "digest": policy.digest(), "rules": policy.rules().len(), "previous": "sha256:before" });
    assert_eq!((status, answer), (200, expected));
    let mut tail = house.log.tail(Topic::Events, Start::Earliest).unwrap();
    let mut records = Vec::new();
    while !tail.caught_up() {
        records.extend(tail.next(Duration::ZERO).unwrap());
    }
    let partitions: Vec<_> = records.iter().map(|stored| stored.position.partition.get()).collect();
    assert_eq!(partitions, [0, 1]);
    for record in records.into_iter().map(|stored| stored.record) {
        let headers = ["origin", "by", "reason"].map(|name| record.header(name).unwrap().clone());
        assert_eq!((record.kind, headers), (RecordKind::Policy, ["api", "ana", "zu streng"].map(Bytes::from)));
        assert_eq!((record.at, record.value), (NOW, Bytes::from(text.clone())));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsound_policy_is_refused_with_line_and_column_and_leaves_nothing() {
    let house = House::new().await;
    let (good, path) = (policy_text(2), "/v1/policy?by=ana&reason=test");
    let line = good.lines().position(|line| line.starts_with("version = ")).unwrap() + 1;
    let (status, problem) = house.post(path, &good.replacen("version = ", "version = 99", 1)).await;
    assert_eq!(
        (status, &problem["faults"][0]["line"], &problem["faults"][0]["column"]),
        (422, &json!(line), &json!(11))
    );
    assert!(problem["detail"].as_str().unwrap().contains(&format!("line {line}, column 11: ")), "{problem}");

    let other_pool = good.replacen("quarantine = \"quarantine\"", "quarantine = \"elsewhere\"", 1);
    let shadow = good.replacen("mode = \"enforce\"", "mode = \"shadow\"", 1);
    let long = format!("{good}#{}", "x".repeat(300_000));
    for (path, text, status, word) in [
        (path, "rule = [", 422, "line 1"),
        (path, other_pool.as_str(), 422, "restart"),
        (path, shadow.as_str(), 422, "restart"),
        (path, long.as_str(), 413, "length"),
        ("/v1/policy?reason=test", good.as_str(), 400, "by"),
        ("/v1/policy?by=ana&reason=%20", good.as_str(), 400, "reason"),
    ] {
        let (found, problem) = house.post(path, text).await;
        assert_eq!(found, status, "{path}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(word), "{path}: {problem}");
    }
    let mut tail = house.log.tail(Topic::Events, Start::Earliest).unwrap();
    assert_eq!(tail.next(Duration::ZERO).unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_in_force_is_shown_with_its_author() {
    let house = House::new().await;
    let (status, shown) = house.get("/v1/policy").await;
    let expected = json!({
        "digest": "sha256:before", "origin": "file", "by": "weir", "reason": "another file", "since": NOW,
        "text": policy_text(1),
    });
    assert_eq!((status, shown), (200, expected));
}

/// The default policy with a limit of 1 % where it has one of 5 %.
fn with_a_strict_limit() -> String {
    let (rules, limits) = policy::DEFAULT.split_once("[[limit]]").unwrap();
    format!("{rules}[[limit]]{}", limits.replacen("enter = \"5 %\"", "enter = \"1 %\"", 1))
}

/// What the scorer tells where no record has put a policy in force.
fn none_on_the_log() -> PolicyView {
    PolicyView { digest: Policy::parse(&policy_text(1)).unwrap().digest().to_owned(), record: None }
}

fn in_force_by_record(text: String) -> PolicyView {
    let digest = Policy::parse(&text).unwrap().digest().to_owned();
    let record = in_force().record.map(|record| PolicyInForce { text, ..record });
    PolicyView { digest, record }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_those_of_the_policy_in_force_and_nobodys_where_nobody_tells_it() {
    let mut counts = Counts::ZERO;
    counts[Counter::Processed] = 10_000;
    counts[Counter::HardBounce] = 200;
    let counts = FleetCounts { providers: [(Provider::Other, counts)].into(), ..FleetCounts::default() };
    let share = Fleet { windows: [(Window::Day, counts)].into(), ..Fleet::default() };
    for (tells, expected) in [
        ((|| Ok(in_force_by_record(with_a_strict_limit()))) as fn() -> _, json!([["account-bounces", 0.01]])),
        (|| Ok(none_on_the_log()), json!([])),
        (|| Err(Unavailable::Busy), Value::Null),
        (|| Err(Unavailable::NoScorer), Value::Null),
    ] {
        let house = House::asking(EnforcerMode::Enforce, tells).await;
        house.put(Topic::Fleet, "0", serde_json::to_value(&share).unwrap()).await;
        let fleet = house.until("/v1/fleet", |answer| answer["windows"] != json!({})).await;
        let limit = |limit: &Value| json!([limit["name"], limit["limit"]]);
        let limits = fleet["limits"].as_array().map(|limits| limits.iter().map(limit).collect());
        assert_eq!(limits.map_or(Value::Null, Value::Array), expected, "{fleet}");
        assert!(fleet["ranking"].is_array(), "{fleet}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_without_a_scorer_says_whom_to_ask() {
    let house = House::asking(EnforcerMode::Enforce, || Err(Unavailable::NoScorer)).await;
    let (status, problem) = house.get("/v1/policy").await;
    assert_eq!(status, 421, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("the roles scorer and console"), "{problem}");
    let house = House::asking(EnforcerMode::Enforce, || Err(Unavailable::Busy)).await;
    let (status, problem) = house.get("/v1/policy").await;
    assert_eq!(status, 503, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("try again"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_readiness_and_metrics_are_told_apart() {
    let house = House::new().await;
    assert_eq!(house.get("/healthz").await.0, 200);
    assert_eq!(house.get("/readyz").await.0, 503);
    house.ready.set(true);
    assert_eq!(house.get("/readyz").await.0, 200);
    assert_eq!(house.get("/metrics").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_comparisons_with_sendgrid_found_is_told_by_day() {
    let house = House::new().await;
    let put = async |days: u32, weir: u64| {
        let report = CompletenessReport {
            account: MailAccount::of(Some("acme")),
            sources: vec!["acme".to_owned()],
            day: Day::of(NOW).before(days),
            compared_at: NOW,
            figures: vec![Figure::new(Counter::Delivered, 100, weir)],
            missing_hours: Vec::new(),
        };
        let value = serde_json::to_value(&report).unwrap();
        house.put(Topic::Enforcement, &report.key().to_string(), value.clone()).await;
        value
    };
    put(1, 80).await;
    let (latest, older) = (put(1, 90).await, put(7, 100).await);
    put(8, 100).await;
    let reports = |answer: &Value| answer["reports"].as_array().unwrap().clone();
    let answer = house.until("/v1/completeness?days=8", |answer| reports(answer).len() == 3).await;
    assert_eq!(reports(&answer)[1..], [older.clone(), latest.clone()]);
    assert_eq!(reports(&answer)[2]["figures"][0]["gap"], 10);
    assert_eq!(house.get("/v1/completeness").await, (200, json!({ "reports": [older, latest] })));
    assert_eq!(house.get("/v1/completeness?days=0").await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_told_and_an_answer_that_comes_too_late_is_refused() {
    let house = House::new().await;
    let decision = DecisionId::from_bits(7);
    for (name, expires) in [("early", NOW), ("late", NOW - Millis::seconds(1))] {
        let held = Held {
            why: HeldWhy::Approval,
            reason: "a person has to approve it".to_owned(),
            decision: Some(decision.clone()),
            since: NOW - Millis::hours(1),
            expires: Some(expires),
        };
        let customer = CustomerId::new(name).unwrap();
        let case = CaseView { customer: customer.clone(), stage: Stage::Throttled, held: Some(held), in_force: None };
        let key = EnforcementKey::Case(customer).to_string();
        house.put(Topic::Enforcement, &key, serde_json::to_value(&case).unwrap()).await;
    }
    house.until("/v1/approvals", |answer| answer["approvals"].as_array().is_some_and(|all| all.len() == 2)).await;
    let word = r#"{"answer": "approve", "by": "ann", "reason": "a bought list"}"#;
    let (status, answer) = house.post("/v1/approvals/early", word).await;
    assert_eq!((status, answer), (202, json!({ "accepted": true, "stage": "throttled", "decision": decision })));
    let (status, problem) = house.post("/v1/approvals/late", word).await;
    assert_eq!(status, 409, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("could be answered until 2026-09-21T14:13:19Z"), "{problem}");
}
