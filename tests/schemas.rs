//! What Weir publishes is what `docs/schemas` says: every record validates, and holds nothing that is not described.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use enforcer::plan::Call;
use enforcer::{Enforcer, Outcome, PlacementRule, Placements};
use jsonschema::{Draft, Validator};
use log::embedded::{Config, EmbeddedLog};
use log::{Log, PartitionCount, Record, RecordKind, Start, Stored, Tail, Topic};
use model::{
    Blame, Command, EnforcerMode, EnforcerModes, Fleet, HeldWhy, Millis, Mode, Offset, Order, PartitionId, Phase,
    PoolName, Position, Stage, Tick,
};
use model::{Test, Timestamp, Window};
use policy::{Policy, Signal};
use scorer::store::Budget;
use scorer::{Metrics, PartitionTask};
use sendgrid::api::{ApiKey, Client, Config as ApiConfig, CreditsKind};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use simulator::platform::{Account, Gate, Placement, Platform, Scenario, Truth};
use simulator::sendgrid::{HOME, QUARANTINE, SendGrid, World};
use suites::customer_of;
use telemetry::Registry;
use tokio_util::sync::CancellationToken;

const START: Timestamp = Timestamp::from_seconds(1_790_000_000);
const PATIENCE: Duration = Duration::from_secs(60);
/// Whose mail is blocked, in an incident and without one.
const BLOCKED: &str = "blocked";
const ONLY: PartitionId = PartitionId::new(0);

/// A public topic, the type in its headers, and the schema of its records.
type Public = (Topic, &'static str, &'static str);

const PUBLIC: [Public; 4] = [
    (Topic::Decisions, "weir.decision", include_str!("../docs/schemas/decision.schema.json")),
    (Topic::Standings, "weir.standing", include_str!("../docs/schemas/standing.schema.json")),
    (Topic::Actions, "weir.action", include_str!("../docs/schemas/action.schema.json")),
    (Topic::Drafts, "weir.draft", include_str!("../docs/schemas/draft.schema.json")),
];

/// How often a clock was read.
static READINGS: AtomicI64 = AtomicI64::new(0);

/// Members that are there only sometimes.
const OPTIONAL: [&str; 10] = [
    "reason",
    "by",
    "blame",
    "set_aside",
    "exempt_until",
    "before",
    "reset_frequency",
    "total",
    "held_until",
    "ordered",
];
/// And of a decision: what it changed.
const CHANGES: [&str; 3] = ["phase", "pilot_step", "sending"];

/// What stands on the public topics after an hour's mail, a person's commands, the enforcer's work and a calm week.
static PUBLISHED: LazyLock<BTreeMap<Topic, Vec<Stored>>> = LazyLock::new(|| {
    let mut weir = Weir::new();
    let (log, runtime): (Arc<dyn Log>, _) = (Arc::clone(&weir.log) as _, tokio::runtime::Runtime::new().unwrap());
    // It tells of what comes behind its first start.
    let has_begun = |record: &Record| record.key.starts_with(b"outreach:progress");
    runtime.block_on(draft(&log, || {
        read(log.as_ref(), Topic::Enforcement).iter().any(|stored| has_begun(&stored.record))
    }));
    let accounts = weir.busy_hour();
    weir.commands(&accounts);
    runtime.block_on(enforce(&log, &accounts));
    runtime.block_on(draft(&log, || {
        let drafts: Vec<_> = read(log.as_ref(), Topic::Drafts).iter().map(value).collect();
        let is_for = |audience| drafts.iter().filter(|draft| draft["audience"] == audience).count();
        is_for("success") >= 5 && is_for("customer") >= 5
    }));
    for hour in 2..=168 {
        weir.tick(START + Millis::hours(hour));
    }
    PUBLIC.iter().map(|(topic, ..)| (*topic, read(log.as_ref(), *topic))).collect()
});

/// One partition's fold over an embedded log.
struct Weir {
    log: Arc<EmbeddedLog>,
    task: PartitionTask,
    shares: Box<dyn Tail>,
    next: Offset,
    _folder: tempfile::TempDir,
}

impl Weir {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::new(folder.path().join("log"), PartitionCount::new(NonZeroU32::MIN));
        let log = Arc::new(EmbeddedLog::open(config).unwrap());
        let policy = (Arc::new(Policy::parse(policy::DEFAULT).unwrap()), Budget::default());
        let metrics = Metrics::register(&Registry::new()).unwrap();
        let outputs = log.outputs(ONLY).unwrap();
        let state = folder.path().join("state");
        let task = PartitionTask::open(&state, ONLY, policy, metrics, outputs).unwrap();
        let shares = log.tail(Topic::Fleet, Start::Earliest).unwrap();
        Self { log, task, shares, next: Offset::ZERO, _folder: folder }
    }

    fn take(&mut self, kind: RecordKind, at: Timestamp, key: &str, value: impl Into<Bytes>) {
        let key = Bytes::copy_from_slice(key.as_bytes());
        let record = Record { kind, at, key, headers: Arc::new([]), value: value.into() };
        self.task.fold(&[Stored { position: Position { partition: ONLY, offset: self.next }, record }]).unwrap();
        self.next = self.next.next();
    }

    /// Ticks with the fleet as the fold last told it, and publishes.
    fn tick(&mut self, at: Timestamp) {
        let shares = self.shares.next(Duration::ZERO).unwrap();
        let fleet = shares.last().map(|share| serde_json::from_slice(&share.record.value).unwrap());
        let tick = Tick { at, fleet: Fleet::sum(fleet.iter()) };
        self.take(RecordKind::Tick, at, "", serde_json::to_vec(&tick).unwrap());
        self.task.drain(Duration::from_secs(60)).unwrap();
    }

    fn busy_hour(&mut self) -> Vec<Account> {
        let scenario = Scenario { customers: 60, good_mails: 8_000, ..Scenario::hour(3, START) };
        let mut platform = Platform::new(&scenario);
        let mut now = START;
        self.tick(now);
        // What the rules would do with one of the bad is only said.
        let bad = platform.accounts().iter().find(|account| account.truth == Truth::BoughtList).unwrap().id.clone();
        self.command(bad.as_str(), Order::Exempt { until: START + Millis::hours(2) });
        let incident_ends = platform.outage().1;
        while !platform.is_finished() {
            now = now + Millis::minutes(1);
            for arrival in platform.advance(now, &mut |_| Gate::Send(Some(HOME.into()))) {
                let customer = customer_of(&arrival.event);
                self.take(RecordKind::Event, arrival.at, customer.as_str(), arrival.event);
            }
            if (now..now + Millis::minutes(1)).contains(&(incident_ends - Millis::minutes(2))) {
                self.blocked_everywhere(now);
            }
            self.tick(now);
        }
        platform.accounts().to_vec()
    }

    /// A customer whose mail the provider that has the incident refuses like everybody's, and others its alone.
    fn blocked_everywhere(&mut self, at: Timestamp) {
        for number in 0..400 {
            let domain = if number % 10 == 0 { "hotmail.com" } else { "gmail.com" };
            for (event, more) in [
                ("processed", json!({})),
                ("bounce", json!({ "type": "blocked", "status": "5.7.1", "bounce_classification": "Reputation" })),
            ] {
                let mut value = json!({
                    "event": event, "email": format!("person{number}@{domain}"), "timestamp": at.seconds(),
                    "sg_event_id": format!("{event}-{number}"), "customer_id": BLOCKED, "pool": { "name": HOME, "id": 1 },
                });
                value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
                self.take(RecordKind::Event, at, BLOCKED, value.to_string());
            }
        }
    }

    fn command(&mut self, customer: &str, order: Order) {
        let command = Command { order, reason: "to see what comes".to_owned(), by: "ana".to_owned(), role: None };
        self.take(RecordKind::Command, START, customer, serde_json::to_vec(&command).unwrap());
    }

    /// Commands that, with what the rules did, make the enforcer's every call and outcome come about.
    fn commands(&mut self, accounts: &[Account]) {
        let last = |placed: fn(&Placement) -> bool, count| {
            let found = accounts.iter().rev().filter(move |account| placed(&account.placement));
            found.take(count).map(|account| account.id.as_str()).collect::<Vec<_>>()
        };
        let subusers = last(|placement| matches!(placement, Placement::Subuser(_)), 3);
        let owner = last(|placement| matches!(placement, Placement::DedicatedIps(_)), 1)[0];
        let routed = last(|placement| *placement == Placement::Route, 1)[0];
        for (customer, order) in [
            (subusers[0], Order::SetStage { stage: Stage::Throttled }),
            (subusers[1], Order::SetStage { stage: Stage::Suspended }),
            (owner, Order::SetStage { stage: Stage::Suspended }),
            (routed, Order::SetStage { stage: Stage::Quarantined }),
            (subusers[2], Order::Hold { until: None }),
            (subusers[2], Order::Note),
            (subusers[2], Order::Release { fully: true }),
            (subusers[2], Order::Undo { stage: Stage::Watch, since: START }),
            (subusers[2], Order::SetPhase { phase: Phase::Pilot }),
        ] {
            self.command(customer, order);
        }
        self.task.drain(Duration::from_secs(60)).unwrap();
    }
}

/// Lets the enforcer work until everything that an action can say was said: in shadow, and then in earnest.
async fn enforce(log: &Arc<dyn Log>, accounts: &[Account]) {
    let sendgrid = SendGrid::start(World::of(accounts)).await.unwrap();
    work(log, &sendgrid, accounts, EnforcerMode::Shadow, &["shadowed".to_owned()].into()).await;
    sendgrid.world().faults.before = 1;
    let all = variants::<Outcome>("\"?\"").into_iter().chain(variants::<Call>("{\"call\":\"?\"}")).collect();
    work(log, &sendgrid, accounts, EnforcerMode::Enforce, &all).await;
}

async fn work(
    log: &Arc<dyn Log>,
    sendgrid: &SendGrid,
    accounts: &[Account],
    mode: EnforcerMode,
    wanted: &BTreeSet<String>,
) {
    let mut api = ApiConfig::new(sendgrid.base_url(), ApiKey::new(sendgrid.api_key()));
    api.tries = 1;
    api.calls_per_second = NonZeroU32::new(1_000).unwrap();
    let [home, poor] = [HOME, QUARANTINE].map(PoolName::new);
    let mut config = enforcer::Config::new(EnforcerModes::all(mode), placements(accounts), home, poor);
    config.sweep_interval = Duration::from_millis(200);
    config.settling = Duration::from_millis(200);
    let client = Client::new(api).unwrap();
    // It never stands still: what is said at one moment and is the same is one action.
    let clock = Arc::new(|| START + Millis::hours(2) + Millis::new(READINGS.fetch_add(1, Ordering::Relaxed)));
    let enforcer = Enforcer::new(config, Some(client.clone()), Arc::clone(log), clock, &Registry::new()).unwrap();
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(enforcer.run(shutdown.clone()));
    let deadline = Instant::now() + PATIENCE;
    let mut looks = 0;
    loop {
        let said = said(log.as_ref());
        if wanted.is_subset(&said) {
            break;
        }
        let missing = wanted - &said;
        assert!(Instant::now() < deadline, "no action says {missing:?}");
        looks += 1;
        // Often enough to be seen, and seldom enough that what was put right is seen, too.
        if looks % 20 == 0 && missing.iter().eq(["drifted"]) {
            let stopped = subusers(accounts).find(|name| sendgrid.world().is_disabled(name));
            client.set_disabled(stopped.unwrap_or_default(), false).await.unwrap_or_default();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    shutdown.cancel();
    running.await.unwrap().unwrap();
}

/// Lets outreach write until it is enough.
async fn draft(log: &Arc<dyn Log>, is_enough: impl Fn() -> bool) {
    let config = outreach::Config {
        mail: None,
        success: None,
        chat: None,
        contacts: outreach::Contacts::default(),
        tell_customers: false,
        drafts: true,
        digest: None,
        quiet: Millis::hours(6),
        waits: Vec::new(),
        templates: outreach::Templates::built_in().unwrap(),
        console: None,
        modes: EnforcerModes::all(EnforcerMode::Enforce),
        policies: outreach::Policies::new(Arc::new(Policy::parse(policy::DEFAULT).unwrap())),
    };
    // Each time that it looks a second has passed.
    let clock = Arc::new(|| START + Millis::hours(3) + Millis::seconds(READINGS.fetch_add(1, Ordering::Relaxed)));
    let outreach = outreach::Outreach::new(config, Arc::clone(log), clock, &Registry::new()).unwrap();
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(outreach.run(shutdown.clone()));
    let deadline = Instant::now() + PATIENCE;
    while !is_enough() {
        assert!(Instant::now() < deadline, "too little was written");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    shutdown.cancel();
    running.await.unwrap().unwrap();
}

fn subusers(accounts: &[Account]) -> impl Iterator<Item = &str> {
    accounts.iter().filter_map(|account| match &account.placement {
        Placement::Subuser(name) => Some(name.as_str()),
        Placement::DedicatedIps(_) | Placement::Route => None,
    })
}

fn placements(accounts: &[Account]) -> Placements {
    let rule = |account: &Account| match &account.placement {
        Placement::Subuser(name) => PlacementRule::Subuser(Some(name.clone())),
        Placement::DedicatedIps(ips) => PlacementRule::DedicatedIps(ips.clone()),
        Placement::Route => PlacementRule::Route,
    };
    let by_customer = accounts.iter().map(|account| (account.id.clone(), rule(account))).collect();
    Placements { default: PlacementRule::Route, by_customer }
}

/// The outcomes and calls on the topic of actions.
fn said(log: &dyn Log) -> BTreeSet<String> {
    let actions: Vec<_> = read(log, Topic::Actions).iter().map(value).collect();
    let names = actions.iter().flat_map(|action| [&action["outcome"], &action["request"]["call"]]);
    names.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn read(log: &dyn Log, topic: Topic) -> Vec<Stored> {
    let mut tail = log.tail(topic, Start::Earliest).unwrap();
    let mut records = Vec::new();
    while !tail.caught_up() {
        records.extend(tail.next(Duration::ZERO).unwrap());
    }
    records
}

fn value(stored: &Stored) -> Value {
    serde_json::from_slice(&stored.record.value).unwrap()
}

/// A schema as it is published.
fn open(schema: &str) -> Validator {
    validator(&serde_json::from_str(schema).unwrap())
}

/// The same schema, by which a member that it does not describe is a fault.
fn closed(schema: &str) -> Validator {
    let mut schema = serde_json::from_str(schema).unwrap();
    close(&mut schema);
    validator(&schema)
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.iter_mut().for_each(|(_, member)| close(member));
            members.entry("additionalProperties").and_modify(|allowed| *allowed = json!(false));
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

fn validator(schema: &Value) -> Validator {
    jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true).build(schema).unwrap()
}

fn faults(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Pointers to `value`'s objects, itself among them.
fn objects(value: &Value, at: &str) -> Vec<String> {
    let (mut found, children): (_, Vec<(String, &Value)>) = match value {
        Value::Object(members) => {
            (vec![at.to_owned()], members.iter().map(|(name, member)| (name.clone(), member)).collect())
        }
        Value::Array(items) => {
            (Vec::new(), items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect())
        }
        _ => (Vec::new(), Vec::new()),
    };
    found.extend(children.into_iter().flat_map(|(name, child)| objects(child, &format!("{at}/{name}"))));
    found
}

/// The names that an enum has in JSON, as serde tells them when it is given one that it does not know.
fn variants<T: DeserializeOwned>(unknown: &str) -> BTreeSet<String> {
    let error = serde_json::from_str::<T>(unknown).err().unwrap();
    // unknown variant `?`, expected one of `this`, `that`
    error.to_string().split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

/// The names at `pointer` in a schema; there they are strings or the `const` of each alternative's `call`.
fn names(schema: &str, pointer: &str) -> BTreeSet<String> {
    let schema: Value = serde_json::from_str(schema).unwrap();
    let names = schema.pointer(pointer).unwrap().as_array().unwrap().iter();
    names.map(|name| name.pointer("/properties/call/const").unwrap_or(name).as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_record_validates_and_holds_nothing_that_is_not_described() {
    for (topic, _, schema) in PUBLIC {
        let schema = closed(schema);
        for stored in &PUBLISHED[&topic] {
            let value = value(stored);
            assert_eq!(faults(&schema, &value), Vec::<String>::new(), "{topic:?}: {value:#}");
        }
    }
    let decisions: Vec<model::Decision> = PUBLISHED[&Topic::Decisions]
        .iter()
        .map(|stored| serde_json::from_slice(&stored.record.value).unwrap())
        .collect();
    let by_rule = |up: bool| decisions.iter().any(|made| made.evidence.is_some() && (made.from < made.to) == up);
    assert!(by_rule(true) && by_rule(false), "too few kinds of decisions to mean anything");
    for order in ["hold", "release", "set_stage", "undo", "exempt", "set_phase"] {
        let rule = format!("command:{order}");
        assert!(decisions.iter().any(|made| made.rule == rule && made.evidence.is_none()), "no decision {rule}");
    }
    assert!(decisions.iter().any(|made| made.mode == Mode::Shadow && made.from < made.to), "nothing said in shadow");
    let evidence = || decisions.iter().filter_map(|made| made.evidence.as_ref());
    assert!(evidence().any(|evidence| !evidence.set_aside.is_empty()), "no mail was set aside");
    assert!(evidence().any(|evidence| evidence.counted_after.is_some()), "no window began anew");
    let exempt = |stored: &Stored| !value(stored)["exempt_until"].is_null();
    assert!(PUBLISHED[&Topic::Standings].iter().any(exempt), "nobody is exempt");
}

#[test]
fn a_member_renamed_left_out_or_not_described_is_noticed() {
    for (topic, _, schema) in PUBLIC {
        let (open, closed) = (open(schema), closed(schema));
        for value in PUBLISHED[&topic].iter().map(value) {
            for pointer in objects(&value, "") {
                let mut more = value.clone();
                more.pointer_mut(&pointer).unwrap()["unheard_of"] = json!(true);
                assert!(!closed.is_valid(&more), "{topic:?}: taken for described: {more:#}");
                assert!(open.is_valid(&more), "{topic:?}: consumers are to ignore it: {more:#}");
                let members: Vec<_> = value.pointer(&pointer).unwrap().as_object().unwrap().keys().cloned().collect();
                let is_optional =
                    |name: &str| OPTIONAL.contains(&name) || (topic == Topic::Decisions && CHANGES.contains(&name));
                for name in members.iter().filter(|name| !is_optional(name)) {
                    let mut less = value.clone();
                    less.pointer_mut(&pointer).unwrap().as_object_mut().unwrap().remove(name);
                    assert!(!open.is_valid(&less), "{topic:?}: {pointer}/{name} is not required");
                }
            }
        }
    }
}

#[test]
fn the_headers_are_those_of_cloud_events_and_the_key_is_the_customer() {
    for (topic, kind, _) in PUBLIC {
        let mut ids = BTreeSet::new();
        for stored in &PUBLISHED[&topic] {
            let headers = &stored.record.headers;
            let header = |name: &str| String::from_utf8(stored.record.header(name).unwrap().to_vec()).unwrap();
            let names: Vec<_> = headers.iter().map(|(name, _)| name.as_ref()).collect();
            assert_eq!(names, ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type"]);
            assert_eq!([header("ce_specversion"), header("ce_type")], ["1.0", kind]);
            assert_eq!(header("content-type"), "application/json");
            assert!(ids.insert(header("ce_source") + "\0" + &header("ce_id")), "{topic:?}: twice: {}", header("ce_id"));
            serde_json::from_value::<Timestamp>(json!(header("ce_time"))).unwrap();
            assert_eq!(stored.record.key, value(stored)["customer"].as_str().unwrap().as_bytes());
        }
    }
}

#[test]
fn the_enums_are_those_of_the_code() {
    let [(.., decision), (.., standing), (.., action), (.., draft)] = PUBLIC;
    let (stages, plain) = (variants::<Stage>("\"?\""), "\"?\"");
    assert_eq!(stages.len(), Stage::ALL.len());
    assert_eq!(names(decision, "/$defs/stage/enum"), stages);
    assert_eq!(names(standing, "/properties/stage/enum"), stages);
    assert_eq!(names(action, "/properties/stage/enum"), stages);
    assert_eq!(names(draft, "/$defs/stage/enum"), stages);
    assert_eq!(names(draft, "/properties/audience/enum"), variants::<outreach::Audience>(plain));
    assert_eq!(names(decision, "/properties/mode/enum"), variants::<Mode>(plain));
    assert_eq!(names(decision, "/$defs/blame/enum"), variants::<Blame>(plain));
    assert_eq!(names(decision, "/properties/evidence/properties/test/enum"), variants::<Test>(plain));
    assert_eq!(names(decision, "/properties/evidence/properties/signal/enum"), variants::<Signal>(plain));
    assert_eq!(names(decision, "/properties/evidence/properties/window/enum"), variants::<Window>(plain));
    assert_eq!(names(standing, "/properties/phase/enum"), variants::<Phase>(plain));
    assert_eq!(names(action, "/properties/outcome/enum"), variants::<Outcome>(plain));
    assert_eq!(names(action, "/properties/why/enum"), variants::<HeldWhy>(plain));
    assert_eq!(names(action, "/$defs/call/oneOf"), variants::<Call>("{\"call\":\"?\"}"));
    assert_eq!(names(action, "/$defs/credits/properties/type/enum"), variants::<CreditsKind>(plain));
}

#[test]
fn the_examples_in_the_readme_validate() {
    let readme = include_str!("../docs/schemas/README.md");
    let examples: Vec<_> = readme.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(examples.len(), PUBLIC.len());
    for (example, (topic, _, schema)) in examples.into_iter().zip(PUBLIC) {
        let value = serde_json::from_str(example).unwrap();
        assert_eq!(faults(&closed(schema), &value), Vec::<String>::new(), "{topic:?}");
    }
}
