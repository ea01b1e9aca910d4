//! SendGrid is made to be as the standings say, over a real log and a simulated SendGrid with state.

use std::collections::BTreeMap;
use std::future::Future;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use enforcer::{Action, Before, Config, Enforcer, Outcome, PlacementRule, Placements};
use log::embedded::EmbeddedLog;
use log::{Append, Log, PartitionCount, Record, RecordKind, Route, Start, Topic};
use model::{
    CustomerId, DecisionId, EnforcerMode, EnforcerModes, Millis, PoolName, Reason, Stage, Standing, Timestamp,
};
use sendgrid::api::{ApiKey, Client, Config as ApiConfig};
use simulator::platform::{Account, Placement, Truth};
use simulator::sendgrid::{Budget, HOME, Options, QUARANTINE, SendGrid, World};
use telemetry::Registry;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(20);
const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);
const DEDICATED_IP: &str = "198.51.100.9";

fn id(name: &str) -> CustomerId {
    CustomerId::new(name).unwrap()
}

/// A subuser `sub`, a customer `own` with an IP of its own, and `routed`.
fn accounts() -> Vec<Account> {
    let account = |name: &str, placement| Account {
        id: id(name),
        truth: Truth::Good,
        placement,
        planned_mails: 0,
        bad_from: NOW,
    };
    vec![
        account("sub", Placement::Subuser("sub".to_owned())),
        account("own", Placement::DedicatedIps(vec![DEDICATED_IP.to_owned()])),
        account("routed", Placement::Route),
    ]
}

fn placements() -> Placements {
    let by_customer = BTreeMap::from([
        (id("sub"), PlacementRule::Subuser(None)),
        (id("own"), PlacementRule::DedicatedIps(vec![DEDICATED_IP.to_owned()])),
        (id("routed"), PlacementRule::Route),
        (id("nobody"), PlacementRule::Subuser(Some("no-such-subuser".to_owned()))),
    ]);
    Placements { default: PlacementRule::Route, by_customer }
}

struct House {
    _folder: tempfile::TempDir,
    log: Arc<dyn Log>,
    sendgrid: SendGrid,
    mode: EnforcerMode,
    running: Option<(CancellationToken, JoinHandle<Result<(), enforcer::Error>>)>,
}

impl House {
    async fn new(mode: EnforcerMode) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let count = PartitionCount::new(NonZeroU32::new(2).unwrap());
        let log = EmbeddedLog::open(log::embedded::Config::new(folder.path().join("log"), count)).unwrap();
        // A 429 asks to wait until the budget is fresh, which the client does.
        let budget = Budget { calls: 600, per: Duration::from_secs(1) };
        let options = Options { budget, ..Options::default() };
        let sendgrid = SendGrid::start_with(World::of(&accounts()), options).await.unwrap();
        let mut house = Self { _folder: folder, log: Arc::new(log), sendgrid, mode, running: None };
        house.start();
        house
    }

    fn start(&mut self) {
        let mut api = ApiConfig::new(self.sendgrid.base_url(), ApiKey::new(self.sendgrid.api_key()));
        api.backoff = Duration::from_millis(5);
        api.calls_per_second = NonZeroU32::new(1_000).unwrap();
        let pools = [HOME, QUARANTINE].map(PoolName::new);
        let [home, poor] = pools;
        let mut config = Config::new(EnforcerModes::all(self.mode), placements(), home, poor);
        config.sweep_interval = Duration::from_millis(200);
        config.breaker_wait = Duration::from_millis(100);
        config.settling = Duration::from_millis(300);
        config.route_grace = Duration::ZERO;
        let client = Some(Client::new(api).unwrap());
        let enforcer =
            Enforcer::new(config, client, Arc::clone(&self.log), Arc::new(|| NOW), &Registry::new()).unwrap();
        let shutdown = CancellationToken::new();
        self.running = Some((shutdown.clone(), tokio::spawn(enforcer.run(shutdown))));
    }

    async fn stop(&mut self) {
        let (shutdown, running) = self.running.take().unwrap();
        shutdown.cancel();
        running.await.unwrap().unwrap();
    }

    /// Says where a customer stands from now on.
    async fn stands(&self, name: &str, stage: Stage, daily_cap: Option<u32>) {
        let number = u128::try_from(stage as usize).unwrap();
        let reason = Reason { decision: DecisionId::from_bits(number), rule: "test".to_owned(), text: String::new() };
        let standing = Standing {
            pool: (stage >= Stage::Quarantined).then(|| PoolName::new(QUARANTINE)),
            reasons: vec![reason],
            ..Standing::at(id(name), stage, daily_cap, NOW + Millis::seconds(i64::try_from(number).unwrap()))
        };
        let record = Record {
            kind: RecordKind::Output,
            at: NOW,
            key: Bytes::copy_from_slice(name.as_bytes()),
            headers: Arc::new([]),
            value: serde_json::to_vec(&standing).unwrap().into(),
        };
        let append = Append { topic: Topic::Standings, route: Route::ByKey, record };
        self.log.producer().append(vec![append]).await.unwrap();
    }

    /// SendGrid tells that it took a mail of the customer's.
    async fn sends(&self, name: &str, more: &str) {
        let at = NOW.seconds() + 60;
        let separator = if more.is_empty() { "" } else { "," };
        let record = Record {
            kind: RecordKind::Event,
            at: NOW,
            key: Bytes::copy_from_slice(name.as_bytes()),
            headers: Arc::new([]),
            value: format!(r#"{{"event":"processed","timestamp":{at}{separator}{more}}}"#).into(),
        };
        self.log.producer().append(vec![Append { topic: Topic::Events, route: Route::ByKey, record }]).await.unwrap();
    }

    fn actions(&self, name: &str) -> Vec<Action> {
        let mut tail = self.log.tail(Topic::Actions, Start::Earliest).unwrap();
        let mut actions: Vec<Action> = Vec::new();
        while !tail.caught_up() {
            let records = tail.next(Duration::ZERO).unwrap();
            actions.extend(records.iter().map(|stored| serde_json::from_slice(&stored.record.value).unwrap()));
        }
        actions.retain(|action| action.customer == id(name));
        actions
    }

    fn changing_calls(&self) -> usize {
        self.sendgrid.world().calls().iter().filter(|call| call.method != "GET").count()
    }

    fn pools(&self) -> Vec<String> {
        self.sendgrid.world().pools_of("sub").into_iter().collect()
    }
}

/// Waits until `wanted` holds.
async fn eventually<F: Future<Output = bool>>(what: &str, wanted: impl Fn() -> F) {
    let deadline = Instant::now() + PATIENCE;
    while !wanted().await {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subuser_goes_down_the_ladder_and_comes_back_to_where_it_was() {
    let mut house = House::new(EnforcerMode::Enforce).await;
    house.stands("sub", Stage::Throttled, Some(50)).await;
    let credits = |house: &House| house.sendgrid.world().credits("sub").unwrap().total;
    eventually("a cap", || async { credits(&house) == Some(50) }).await;
    assert_eq!(house.pools(), [HOME]);

    house.stands("sub", Stage::Quarantined, None).await;
    eventually("the quarantine pool", || async { house.pools() == [QUARANTINE] && credits(&house).is_none() }).await;

    house.stands("sub", Stage::Suspended, Some(1)).await;
    eventually("disabled", || async { house.sendgrid.world().is_disabled("sub") }).await;

    house.stop().await;
    house.start();
    house.stands("sub", Stage::Healthy, None).await;
    eventually("back home", || async { house.pools() == [HOME] && !house.sendgrid.world().is_disabled("sub") }).await;
    assert_eq!(credits(&house), None);
    let before = house.actions("sub").into_iter().find_map(|action| action.before);
    let Some(Before::Subuser(before)) = before else { panic!("the way back was not recorded: {before:?}") };
    assert_eq!((before.ips.len(), before.disabled), (3, false), "the way back was recorded first");
}

#[tokio::test(flavor = "multi_thread")]
async fn standings_that_come_again_make_no_calls() {
    let mut house = House::new(EnforcerMode::Enforce).await;
    house.stands("sub", Stage::Quarantined, None).await;
    eventually("the quarantine pool", || async { house.pools() == [QUARANTINE] }).await;
    house.stop().await;
    let calls = house.changing_calls();
    house.start();
    for _ in 0..5 {
        house.stands("sub", Stage::Quarantined, None).await;
    }
    house.stands("own", Stage::Quarantined, None).await;
    let moved = |house: &House| house.sendgrid.world().pools_of_ip(DEDICATED_IP).into_iter().collect::<Vec<_>>();
    eventually("the other customer's turn", || async { moved(&house) == [QUARANTINE] }).await;
    house.stop().await;
    assert_eq!(house.changing_calls(), calls + 2, "only the other customer's add and remove: its IP is nobody else's");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_customer_that_was_never_moved_is_not_even_looked_at() {
    let house = House::new(EnforcerMode::Enforce).await;
    house.stands("sub", Stage::Healthy, None).await;
    house.stands("own", Stage::Watch, None).await;
    house.stands("routed", Stage::Quarantined, None).await;
    eventually("the routed customer's turn", || async { !house.actions("routed").is_empty() }).await;
    assert_eq!(house.actions("routed")[0].outcome, Outcome::Route);
    let asked: Vec<_> = house.sendgrid.world().calls().iter().map(|call| call.path.clone()).collect();
    assert_eq!(asked, ["/v3/scopes"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_shadow_everything_is_said_and_nothing_done() {
    let house = House::new(EnforcerMode::Shadow).await;
    house.stands("sub", Stage::Quarantined, Some(5)).await;
    eventually("what would be done", || async { house.actions("sub").len() >= 2 }).await;
    let outcomes: Vec<_> = house.actions("sub").into_iter().map(|action| action.outcome).collect();
    assert_eq!(outcomes, [Outcome::Shadowed, Outcome::Shadowed]);
    assert_eq!((house.changing_calls(), house.pools()), (0, vec![HOME.to_owned()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_before_and_after_the_fact_are_worked_through() {
    let house = House::new(EnforcerMode::Enforce).await;
    {
        let mut world = house.sendgrid.world();
        world.faults.before = 6;
        world.faults.after = 3;
        world.faults.too_many = 2;
    }
    house.stands("sub", Stage::Quarantined, Some(7)).await;
    let arrived = |house: &House| {
        house.pools() == [QUARANTINE] && house.sendgrid.world().credits("sub").unwrap().total == Some(7)
    };
    eventually("quarantined all the same", || async { arrived(&house) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_changed_by_hand_is_put_right() {
    let house = House::new(EnforcerMode::Enforce).await;
    house.stands("sub", Stage::Suspended, None).await;
    eventually("disabled", || async { house.sendgrid.world().is_disabled("sub") }).await;
    let api = ApiConfig::new(house.sendgrid.base_url(), ApiKey::new(house.sendgrid.api_key()));
    Client::new(api).unwrap().set_disabled("sub", false).await.unwrap();
    eventually("disabled again", || async { house.sendgrid.world().is_disabled("sub") }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_held_back_with_the_reason() {
    let house = House::new(EnforcerMode::Enforce).await;
    house.stands("nobody", Stage::Quarantined, None).await;
    house.stands("own", Stage::Suspended, None).await;
    let reasons = |name| {
        let held = house.actions(name).into_iter().filter(|action| action.outcome == Outcome::HeldBack);
        held.filter_map(|action| action.reason).collect::<Vec<_>>().join(" ")
    };
    eventually("no subuser", || async { reasons("nobody").contains("no-such-subuser") }).await;
    eventually("no way to stop", || async { reasons("own").contains("stop it in your mailer") }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_leaves_elsewhere_than_it_should_is_told_once() {
    let mut house = House::new(EnforcerMode::Enforce).await;
    house.stands("routed", Stage::Quarantined, None).await;
    house.stands("sub", Stage::Suspended, None).await;
    eventually("both are let through", || async {
        house.sendgrid.world().is_disabled("sub") && !house.actions("routed").is_empty()
    })
    .await;
    let strays = |house: &House, name| {
        let drifted = house.actions(name).into_iter().filter(|action| action.outcome == Outcome::Drifted);
        drifted.filter_map(|action| action.reason).collect::<Vec<_>>()
    };
    // Until it is seen that SendGrid obeys, mail says nothing.
    eventually("stray mail is told", || async {
        for name in ["routed", "sub"] {
            house.sends(name, r#""pool":{"name":"good","id":1}"#).await;
        }
        house.sends("nobody", "").await;
        !strays(&house, "routed").is_empty() && !strays(&house, "sub").is_empty()
    })
    .await;
    assert!(strays(&house, "routed")[0].contains("leaves through good"), "{:?}", strays(&house, "routed"));
    assert!(strays(&house, "sub")[0].contains("should send nothing"), "{:?}", strays(&house, "sub"));
    // Another process knows what it has to watch.
    house.stop().await;
    house.start();
    eventually("stray mail is told again", || async {
        house.sends("routed", "\"pool\":\"good\"").await;
        strays(&house, "routed").len() == 2
    })
    .await;
    house.sends("routed", "\"pool\":\"good\"").await;
    house.stop().await;
    assert_eq!((strays(&house, "routed").len(), strays(&house, "sub").len()), (2, 1), "each once");
}
