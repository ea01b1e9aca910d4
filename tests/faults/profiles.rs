//! What persons ordered outlives the log's retention, a lost state and an upgrade.

use std::fs;
use std::num::NonZeroU32;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use log::PartitionCount;
use log::embedded::{Config, EmbeddedLog};
use model::{Millis, Phase, Stage, Standing};
use rand::RngExt;
use serde_json::Value;
use simulator::sendgrid::{Options, SendGrid, World};
use site::{Process, Site, now, subuser};

const BINARY: &str = env!("CARGO_BIN_EXE_weir");
/// How long anything may take that must come about.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the new process is killed while it reads what it lost.
const KILLS: usize = 4;

const BANNED: &str = "banned";
const SUSPENDED: &str = "suspended";
const LEFT: &str = "left";
const NAMES: [&str; 3] = [BANNED, SUSPENDED, LEFT];

/// A moment after everything on the log is older than retention keeps it.
fn after_retention(folder: &Path, partitions: u32) {
    let partitions = PartitionCount::new(NonZeroU32::new(partitions).unwrap());
    let log = EmbeddedLog::open(Config::new(folder.join("log"), partitions)).unwrap();
    log.maintain(now() + Millis::days(50)).unwrap();
}

async fn standing(site: &Site, customer: &str) -> Option<Standing> {
    serde_json::from_str(&site.get(&format!("/v1/customers/{customer}")).await?).ok()
}

/// Waits until the customer stands as wanted.
async fn until(site: &Site, customer: &str, wanted: impl Fn(&Standing) -> bool) -> Standing {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let standing = standing(site, customer).await;
        if let Some(standing) = standing.clone().filter(|standing| wanted(standing)) {
            return standing;
        }
        assert!(Instant::now() < deadline, "{customer}: {standing:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// One good mail of each of them.
async fn mail_goes_out(site: &Site, customers: &[&str]) {
    let at = now().millis();
    let event = |customer: &&str| {
        format!(
            r#"{{"event":"processed","timestamp":{},"email":"{at}@example.org","customer_id":"{customer}","sg_event_id":"{customer}-{at}"}}"#,
            at / 1_000
        )
    };
    site.post(&customers.iter().map(event).collect::<Vec<_>>()).await;
}

fn orders(site: &Site, arguments: &[&str]) {
    let author = ["--by", "ana", "--reason", "to be remembered"];
    let output = Command::new(BINARY).args(arguments).args(author).env("WEIR_ADMIN", site.base()).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_that_is_older_than_the_log_holds_after_the_state_is_lost() {
    let _turn = crate::turn().await;
    let sendgrid = SendGrid::start_with(World::of(&NAMES.map(subuser)), Options::default()).await.unwrap();
    let site = Site::new();
    site.configure(&format!(
        "[enforcer]\nmode = \"enforce\"\nsettling = \"1s\"\nsweep_interval = \"1s\"\n[sendgrid]\napi = \"{}\"\n",
        sendgrid.base_url()
    ));
    let mut weir = site.run(BINARY);
    weir.env("SENDGRID_API_KEY", sendgrid.api_key());
    let mut weir = Process::start(weir);
    let is_stopped = || NAMES.iter().all(|name| sendgrid.world().is_disabled(name));

    mail_goes_out(&site, &NAMES).await;
    for name in NAMES {
        until(&site, name, |standing| standing.stage == Stage::Healthy).await;
    }
    orders(&site, &["set-stage", BANNED, "banned"]);
    orders(&site, &["set-stage", SUSPENDED, "suspended"]);
    orders(&site, &["phase", LEFT, "offboarded"]);
    let deadline = Instant::now() + PATIENCE;
    while !is_stopped() {
        assert!(Instant::now() < deadline, "they are not stopped at SendGrid");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let before = [BANNED, SUSPENDED, LEFT].map(|name| async { standing(&site, name).await.unwrap() });
    let [banned, suspended, left] = before;
    let before = [banned.await, suspended.await, left.await];
    weir.kill();
    let calls = sendgrid.world().calls().len();

    after_retention(site.folder(), 4);
    fs::remove_dir_all(site.folder().join("state")).unwrap();
    weir.kill_and_restart();
    for _ in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(rand::rng().random_range(100..900))).await;
        weir.kill_and_restart();
    }
    mail_goes_out(&site, &NAMES).await;
    for (name, before) in NAMES.iter().zip(&before) {
        let after = until(&site, name, |standing| standing.sent_24h > 0).await;
        let told = |standing: &Standing| (standing.stage, standing.phase, standing.since, standing.held);
        assert_eq!((told(&after), &after.reasons), (told(before), &before.reasons), "{name}");
    }
    // Sweeps look at each of them again.
    let deadline = Instant::now() + PATIENCE;
    while sendgrid.world().calls().len() < calls + 20 {
        assert!(Instant::now() < deadline, "SendGrid is not looked at");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let changes: Vec<_> = sendgrid.world().calls()[calls..]
        .iter()
        .filter(|call| call.method != "GET")
        .map(|call| call.path.clone())
        .collect();
    assert!(is_stopped() && changes.is_empty(), "{changes:?}");
}

/// A log and a state that the version before profiles wrote: one customer is banned, one suspended, one has left, one is exempt,
/// one held.
fn written_before_profiles(site: &Site) {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/before-profiles");
    for folder in ["log", "state/partition-0"] {
        let to = site.folder().join(folder);
        fs::create_dir_all(&to).unwrap();
        for entry in fs::read_dir(fixture.join(folder)).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

async fn all_are_remembered(site: &Site) {
    for (name, stage, phase) in [
        (BANNED, Stage::Banned, Phase::Active),
        (SUSPENDED, Stage::Suspended, Phase::Active),
        (LEFT, Stage::Healthy, Phase::Offboarded),
    ] {
        let standing = until(site, name, |_| true).await;
        assert_eq!((standing.stage, standing.phase), (stage, phase), "{name}");
        assert!(standing.sending.is_stopped(), "{name}");
    }
    assert!(until(site, "exempted", |_| true).await.exempt_until.is_some());
    assert!(until(site, "held", |_| true).await.held);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_and_a_log_of_the_version_before_profiles_are_read_and_their_orders_outlive_them() {
    let _turn = crate::turn().await;
    // What the state knows becomes a profile; and where the state is lost as well, the standings on the log tell.
    for state_is_lost in [false, true] {
        let site = Site::new();
        site.configure("[log]\npartitions = 1\n");
        written_before_profiles(&site);
        if state_is_lost {
            fs::remove_dir_all(site.folder().join("state")).unwrap();
        }
        let mut weir = Process::start(site.run(BINARY));
        all_are_remembered(&site).await;
        // Behind the first new record everybody's profile is told.
        let ticks = || async {
            let metrics = site.get("/metrics").await.unwrap_or_default();
            let line = metrics.lines().find(|line| line.starts_with("weir_scorer_records_total{effect=\"tick\"}"));
            line.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).unwrap_or_default()
        };
        let deadline = Instant::now() + PATIENCE;
        while ticks().await < 2 {
            assert!(Instant::now() < deadline, "no tick is folded");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(weir.end().success());

        after_retention(site.folder(), 1);
        fs::remove_dir_all(site.folder().join("state")).unwrap();
        let _again = Process::start(site.run(BINARY));
        all_are_remembered(&site).await;
        let decisions = site.get("/v1/decisions").await.unwrap();
        let decisions: Value = serde_json::from_str(&decisions).unwrap();
        assert_eq!(decisions["decisions"].as_array().map(Vec::len), Some(0), "retention has dropped all decisions");
    }
}
