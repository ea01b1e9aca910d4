//! The pools' page.

use log::Topic;
use model::{
    Bucket, Cell, CellCounts, Contributor, Counter, Counts, CustomerId, Customers, Fleet, FleetCounts, Grain, PoolName,
    Provider, Stage, Window,
};

use crate::house::*;

const HOSTILE: &str = "\"><script>hurt()</script>";

fn counts(delivered: u32, hard_bounce: u32) -> Counts {
    let mut counts = Counts::ZERO;
    counts[Counter::Processed] = delivered + hard_bounce;
    counts[Counter::Delivered] = delivered;
    counts[Counter::HardBounce] = hard_bounce;
    counts
}

/// A fleet that sends 10,000 mails through `pool`, 900 of which bounce: nearly all of them lists-r-us's, and all at Gmail.
fn fleet(pool: &PoolName) -> Fleet {
    let of =
        |counts| FleetCounts { providers: [(Provider::Gmail, counts)].into(), pools: [(pool.clone(), counts)].into() };
    let cell =
        Cell { grain: Grain::FiveMinutes, bucket: Bucket::of(Grain::FiveMinutes, NOW), provider: Provider::Gmail };
    let customers = Customers { any: 8, block: 7, ..Customers::default() };
    let blocked = CellCounts { attempted: 400, block: 300, customers, ..CellCounts::default() };
    let culprit = Contributor {
        customer: CustomerId::new("lists-r-us").unwrap(),
        stage: Stage::Watch,
        pool: Some(pool.clone()),
        day: [(Provider::Gmail, counts(1_200, 800))].into(),
        hour: [(Provider::Gmail, counts(12, 8))].into(),
    };
    Fleet {
        as_of: Some(NOW),
        windows: [(Window::Hour, of(counts(380, 20))), (Window::Day, of(counts(9_100, 900)))].into(),
        cells: [(cell, CellCounts { attempted: 800, ..blocked })].into_iter().collect(),
        pool_cells: [(pool.clone(), [(cell, blocked)].into_iter().collect())].into(),
        contributors: vec![culprit],
        ..Fleet::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_is_shown_with_its_rates_its_senders_and_who_hurts_it() {
    let house = House::told_by_its_log().await;
    house.stands("acme", Stage::Healthy, None).await;
    house.stands("lists-r-us", Stage::Watch, None).await;
    house.stands("poor", Stage::Quarantined, None).await;
    let share = serde_json::to_value(fleet(&PoolName::new("good-1"))).unwrap();
    house.put(Topic::Fleet, "0", share).await;
    let page = house.look_until("/pools", |page| page.has("lists-r-us") && page.has("2 customers")).await;
    assert_eq!((page.status, page.kind.as_str()), (200, "text/html; charset=utf-8"));
    let words = page.words();
    for expected in [
        "good-1 10,000 mails in 24 h, 400 in the last hour",
        "Where customers send from who are healthy, watch and throttled.",
        "Hard bounces 5.00 % 9.00 % , above the limit 9.00 % 5.00 % of the account, account-bounces",
        "Incident at Gmail for pool good-1 . Of the last hour's 400 mails there, 300 were blocked (75.00 %).",
        "Gmail 400 0.00 % 75.00 % 0.00 %",
        "lists-r-us watch",
        "quarantine no mail in 24 h",
        "Where customers send from who are quarantined, suspended and banned.",
    ] {
        assert!(words.contains(expected), "{expected}: {words}");
    }
    for link in ["/customers?pool=good-1\"", "/customers?pool=quarantine&amp;stage=quarantined\""] {
        assert!(page.has(link), "{link}: {}", page.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pools_name_is_text_wherever_it_stands() {
    let house = House::told_by_its_log().await;
    let share = serde_json::to_value(fleet(&PoolName::new(HOSTILE))).unwrap();
    house.put(Topic::Fleet, "0", share).await;
    let sender = model::Standing { pool: Some(PoolName::new(HOSTILE)), ..standing("acme", Stage::Healthy, None) };
    house.put(Topic::Standings, "acme", serde_json::to_value(&sender).unwrap()).await;
    let page = house.look_until("/pools", |page| page.has("lists-r-us") && page.has("1 customer")).await;
    assert!(!page.has("<script>hurt") && page.has("&lt;script&gt;hurt()"), "{}", page.text);
    assert!(page.has("/customers?pool=%22%3E%3Cscript%3E"), "{}", page.text);
    assert!(page.has("href=\"#pool-%22%3E%3Cscript") && page.has("id=\"pool-&quot;&gt;&lt;script"), "{}", page.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_scorer_the_page_says_what_it_can_not_tell() {
    let house = House::asking(model::EnforcerMode::Enforce, || Err(console::Unavailable::NoScorer)).await;
    let page = house.look("/pools").await;
    assert_eq!(page.status, 200);
    assert!(page.words().contains("limits and incidents can't be told here"), "{}", page.words());
}
