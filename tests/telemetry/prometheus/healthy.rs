//! While all is well, every panel and rule has something to show, and no alert fires.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::house::House;
use super::queries::{self, Query};
use super::server::{faults_of_metrics, unix_now};

/// How long all is well at most, until everything has shown something.
const LONGEST: Duration = Duration::from_secs(240);
/// How long it is well at least: past all windows, so that no alert has patience left.
const SHORTEST: Duration = Duration::from_secs(75);
const LOOKING: Duration = Duration::from_secs(5);

/// `empty.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {
    query: Vec<Reason>,
}

/// A query that shows nothing while all is well, and why it must not.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    name: String,
    why: String,
}

fn empty_by_design() -> BTreeMap<String, String> {
    let Empty { query } = toml::from_str(include_str!("empty.toml")).unwrap();
    let count = query.len();
    let reasons: BTreeMap<_, _> = query.into_iter().map(|Reason { name, why }| (name, why)).collect();
    assert_eq!(reasons.len(), count, "a name stands there twice");
    for (name, why) in &reasons {
        assert!(why.len() > 10, "{name} has no reason");
    }
    reasons
}

/// Those that have shown nothing since a moment.
async fn silent(house: &House, queries: &[Query], since: f64) -> Vec<Query> {
    let mut silent = Vec::new();
    for query in queries {
        if house.prometheus.since(&query.text, since).await.is_empty() {
            silent.push(query.clone());
        }
    }
    silent
}

/// A person moves a customer and takes it back, a stranger posts, somebody looks at the console: what happens on a good day.
async fn a_good_day(house: &House) {
    house.steer(&["set-stage", "customer-006", "quarantined"]).await;
    for page in ["/", "/customers", "/v1/fleet"] {
        assert_eq!(house.page(page).await, 200, "{page}");
    }
    house.steer(&["release", "customer-006", "--fully"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_all_is_well_every_panel_and_rule_shows_something_and_no_alert_fires() {
    let _turn = crate::turn().await;
    let house = House::new().await;
    let (began, since) = (Instant::now(), unix_now());
    let rules = house.prometheus.rules().await;
    let (panels, of_rules) = (queries::of_dashboards(), queries::of_rules(&rules));
    let all = [panels.clone(), of_rules.clone()].concat();
    let names: BTreeSet<_> = all.iter().map(|query| query.name.clone()).collect();
    assert_eq!(names.len(), all.len(), "each query has a name of its own");
    let by_design = empty_by_design();
    let gone: Vec<_> = by_design.keys().filter(|name| !names.contains(*name)).collect();
    assert!(gone.is_empty(), "listed, and asked by nobody: {gone:?}");

    let is_listed = |query: &Query| by_design.contains_key(&query.name);
    let mut missing: Vec<_> = all.iter().filter(|query| !is_listed(query)).cloned().collect();
    while (!missing.is_empty() || began.elapsed() < SHORTEST) && began.elapsed() < LONGEST {
        a_good_day(&house).await;
        tokio::time::sleep(LOOKING).await;
        missing = silent(&house, &missing, since).await;
    }
    assert!(missing.is_empty(), "these show nothing: {missing:#?}\n{}", house.told());

    let listed: Vec<_> = all.iter().filter(|query| is_listed(query)).cloned().collect();
    let still_silent: BTreeSet<_> = silent(&house, &listed, since).await.into_iter().map(|query| query.name).collect();
    let loud: Vec<_> = listed.iter().filter(|query| !still_silent.contains(&query.name)).collect();
    assert!(loud.is_empty(), "these should show nothing while all is well, and do: {loud:#?}");

    let fired = house.prometheus.fired_since(since).await;
    assert!(fired.is_empty(), "{fired:?}\n{}", house.told());
    for told in house.metrics().await {
        assert_eq!(faults_of_metrics(&told), "");
    }
    println!(
        "{} rules, {} queries of panels and {} of rules; {} empty by design; {} events taken in {:?}",
        rules.len(),
        panels.len(),
        of_rules.len(),
        listed.len(),
        house.load.posted(),
        began.elapsed()
    );
}
