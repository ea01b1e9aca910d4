//! The list of customers.

use model::{Phase, PoolName, Stage};
use serde_json::json;

use log::Topic;

use super::browser::{Browser, HOSTILE, escaped};
use crate::house::{House, standing};

/// Where the customers of a page lead, in its order.
fn shown(page: &super::browser::Read) -> Vec<String> {
    page.links("/customers/").into_iter().map(|link| link.replace("/customers/", "")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_are_shown_by_risk_and_narrowed_by_the_form() {
    let house = House::guarded().await;
    let told = [("calm", Stage::Healthy), ("stopped", Stage::Suspended), ("odd", Stage::Watch)];
    for (name, stage) in told {
        house.stands(name, stage, None).await;
    }
    let mut pilot = standing("novice", Stage::Watch, Some(200));
    (pilot.phase, pilot.pool, pilot.held) = (Phase::Pilot, Some(PoolName::new("good 2&3")), true);
    house.put(Topic::Standings, "novice", serde_json::to_value(&pilot).unwrap()).await;
    let browser = Browser::signed_in(&house, "viewer").await;
    browser.until("/customers", "novice").await;
    let page = browser.until("/customers", "stopped").await;
    assert_eq!(shown(&page), ["stopped", "novice", "odd", "calm"]);
    page.holds(&["held by a person", "<option value=\"good 2&amp;3\">", "aria-current=\"page\""]);
    for (query, expected) in [
        ("search=&stage=watch&phase=&pool=", &["novice", "odd"][..]),
        ("search=O&stage=watch&phase=active", &["odd"]),
        ("phase=pilot", &["novice"]),
        ("pool=good+2%263", &["novice"]),
        ("search=nobody", &[]),
    ] {
        assert_eq!(shown(&browser.read(&format!("/customers?{query}")).await), expected, "{query}");
    }
    let narrowed = browser.read("/customers?pool=good%202%263&search=no").await;
    let stages = narrowed.links("/customers?search=no");
    assert!(stages.contains(&"/customers?search=no&stage=watch&pool=good%202%263".to_owned()), "{stages:?}");
    for (query, words) in [("stage=poor", "no such stage"), ("after=nonsense", "cursor")] {
        let refused = browser.read(&format!("/customers?{query}")).await;
        assert_eq!(refused.status, 400);
        refused.holds(&[words, "<h1>"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_customer_is_on_one_page_of_the_list_and_the_last_page_says_so() {
    let house = House::guarded().await;
    for number in 0..120 {
        let name = format!("shop-{number:03}");
        let standing = serde_json::to_value(standing(&name, Stage::Watch, None)).unwrap();
        house.put(Topic::Standings, &name, standing).await;
    }
    let browser = Browser::signed_in(&house, "viewer").await;
    browser.until("/customers?search=shop-119", ">1 customer on this page").await;
    let (mut path, mut seen, mut pages) = ("/customers?stage=watch".to_owned(), Vec::new(), 0);
    loop {
        let page = browser.read(&path).await;
        seen.extend(shown(&page));
        pages += 1;
        let next = page.text.contains("rel=\"next\"");
        match page.links("/customers?stage=watch&after=").pop().filter(|_| next) {
            Some(next) => path = next,
            None => break,
        }
    }
    let expected: Vec<_> = (0..120).map(|number| format!("shop-{number:03}")).collect();
    assert_eq!((pages, seen), (3, expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_customer_is_called_it_is_text_and_its_link_leads_to_it() {
    let house = House::guarded().await;
    for name in HOSTILE {
        let mut standing = serde_json::to_value(standing(name, Stage::Watch, None)).unwrap();
        let decision = "0".repeat(32);
        standing["reasons"] = json!([{"decision": decision, "rule": name, "text": name}]);
        house.put(Topic::Standings, name, standing).await;
    }
    let browser = Browser::signed_in(&house, "viewer").await;
    browser.until("/customers", &escaped(HOSTILE[2])).await;
    let page = browser.until("/customers?search=script", &escaped(HOSTILE[0])).await;
    page.lacks(&HOSTILE[..2]);
    let page = browser.until("/customers", &escaped(HOSTILE[1])).await;
    page.lacks(&HOSTILE[..2]);
    for link in page.links("/customers/") {
        let customer = browser.read(&link).await;
        assert_eq!(customer.status, 200, "{link}");
        customer.lacks(&HOSTILE[..2]);
        let name = HOSTILE.into_iter().find(|name| customer.text.contains(&format!("<h1><bdi>{}", escaped(name))));
        assert!(name.is_some(), "{link}: {}", customer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_called_as_a_path_has_no_segment_has_a_page_all_the_same() {
    let house = House::guarded().await;
    let names = [".", "..", "~", "~..", "..."];
    for name in names {
        house.stands(name, Stage::Watch, None).await;
    }
    let browser = Browser::signed_in(&house, "operator").await;
    browser.until("/customers", "5 customers").await;
    let links = browser.read("/customers").await.links("/customers/");
    assert_eq!(links.len(), names.len());
    let mut found = Vec::new();
    for link in links {
        let page = browser.read(&link).await;
        assert_eq!(page.status, 200, "{link}");
        found.extend(names.into_iter().filter(|name| page.text.contains(&format!("<h1><bdi>{name}</bdi>"))));
        assert!(page.text.contains(&format!("action=\"{link}/hold\"")), "{link}: {}", page.text);
    }
    found.sort_unstable();
    assert_eq!(found, [".", "..", "...", "~", "~.."]);
}
