//! What is there is looked at, and customers are steered.

use serde_json::{Value, json};
use simulator::sendgrid::QUARANTINE;

use crate::house::{BAD, House, ODD, with_author};

/// Three customers were found, and wait for a person.
async fn found() -> House {
    let house = House::new().await;
    house.mail_goes_out().await;
    house.until("/v1/approvals", |answer| answer["approvals"].as_array().is_some_and(|all| all.len() == 3)).await;
    house
}

fn names(customers: &[Value]) -> Vec<&str> {
    customers.iter().map(|customer| customer["customer"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_can_be_looked_at() {
    let house = found().await;
    let all = house.lines(&["customers", "--limit", "0"]);
    assert_eq!(all.len(), 14);
    let mut worst = names(&all)[..3].to_vec();
    worst.sort_unstable();
    assert_eq!(worst, BAD, "the worst come first");
    let stage = all[0]["stage"].as_str().unwrap();
    assert_eq!(house.lines(&["customers", "--stage", stage]).len(), 3);
    assert_eq!(house.lines(&["customers", "--limit", "5"]).len(), 5);
    let listed = house.says(&["customers", "--limit", "2"]);
    assert!(listed.contains(stage) && listed.contains("There are more"), "{listed}");
    assert!(!listed.contains('\u{1b}'), "no colours where it is no terminal: {listed}");

    let page = house.says(&["customer", "bad-1"]);
    for part in ["Rates against the limits", "above: ", "hard bounce", "History, latest first", "held back (approval)"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    let output = house.says(&["customer", "bad-1", "--json"]);
    let customer: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(customer["windows"]["24h"]["hard_bounce"], 100);
    assert!(house.says(&["customer", ODD]).starts_with("odd/../näme?#% \u{fffd}<b>: healthy"));

    let decisions = house.lines(&["decisions", "--customer", "bad-1"]);
    let rule = decisions[0]["rule"].as_str().unwrap();
    assert!(decisions.iter().all(|decision| decision["customer"] == "bad-1"));
    assert!(house.says(&["decisions", "--rule", rule]).contains("(at least "));
    assert!(house.lines(&["decisions", "--rule", "no-such-rule"]).is_empty());
    assert_eq!(house.lines(&["decisions", "--limit", "2"]).len(), 2);

    let fleet = house.says(&["fleet"]);
    assert!(
        fleet.contains("By provider") && fleet.contains("account-bounces, account: hard bounce 21.43 %"),
        "{fleet}"
    );
    let fleet: Value = serde_json::from_str(&house.says(&["fleet", "--json"])).unwrap();
    assert_eq!(fleet["stages"]["healthy"], 11);
    assert!(house.says(&["pools"]).contains("No mail that names a pool"));
    let status: Value = serde_json::from_str(&house.says(&["enforce", "status", "--json"])).unwrap();
    assert_eq!((&status["held_back"]["approval"], &status["held"][0]["customer"]), (&json!(3), &json!("bad-1")));
    assert_eq!(house.lines(&["approvals"]).len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_are_steered_by_hand() {
    let house = found().await;
    let until =
        |stage: &'static str, held: bool| move |answer: &Value| answer["stage"] == stage && answer["held"] == held;
    // The name is one path, whatever is in it.
    let (page, odd) = ("/v1/customers/good-1", format!("/v1/customers/{}", site::segment(ODD)));
    assert!(house.says(&with_author(&["hold", ODD])).contains("is left where it is until it is released: a test"));
    house.until(&odd, until("healthy", true)).await;
    assert!(house.says(&with_author(&["set-stage", "good-1", "throttled"])).contains("goes to throttled"));
    house.until(page, until("throttled", true)).await;
    let accepted = house.says(&with_author(&["release", "good-1", "--json"]));
    assert_eq!(serde_json::from_str::<Value>(&accepted).unwrap(), json!({"accepted": true}));
    house.until(page, until("watch", false)).await;
    assert!(house.says(&with_author(&["release", "good-1", "--fully"])).contains("goes back to healthy"));
    house.until(page, until("healthy", false)).await;
    let refused = house.refuses(&with_author(&["phase", "good-1", "applied"]));
    assert!(refused.contains("from active it can go to pilot or offboarded"), "{refused}");
    assert!(house.says(&with_author(&["phase", "good-1", "pilot"])).contains("goes into the phase pilot"));
    house.until(page, |answer| answer["sending"]["capped"] == 200).await;
    house.says(&with_author(&["phase", "good-1", "active"]));
    house.until(page, |answer| answer["sending"] == "free").await;
    assert!(
        house.says(&with_author(&["exempt", "good-1", "--until", "3d"])).contains("is moved up by no rule until 20")
    );
    house.until(page, |answer| answer["exempt_until"].is_string()).await;
    house.says(&with_author(&["note", "good-1"]));
    let noted = house.until(page, |answer| answer["history"].as_array().is_some_and(|all| all.len() >= 4)).await;
    let last = noted["history"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["rule"], &last["by"], &last["reason"]),
        (&json!("command:note"), &json!("ann"), &json!("a test"))
    );
    assert!(house.says(&["customer", "good-1"]).contains("ann: a test"));

    // Who is paused is told that nothing happens yet.
    house.says(&with_author(&["enforce", "pause", "--json"]));
    house.until("/v1/enforcer", |answer| answer["paused"] == true).await;
    let told = house.says(&with_author(&["set-stage", "bad-1", "quarantined"]));
    assert!(told.contains("Note: ann has paused enforcement"), "{told}");
    house.says(&with_author(&["enforce", "resume"]));
    house.until_in("bad-1", QUARANTINE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_is_told_by_the_exit_code_and_a_person_in_sentences() {
    let house = found().await;
    assert_eq!(house.ends(&["customers", "--stage", "no-such-stage"]), 2);
    assert_eq!(house.ends(&["hold", "good-1", "--by", "ann"]), 2, "no reason");
    assert_eq!(house.ends(&["hold", "good-1", "--reason", "nobody's"]), 2, "no author, and no token that names one");
    let told = house.refuses(&["hold", "good-1", "--reason", "nobody's"]);
    assert!(told.contains("`by` is empty: say who gives the command"), "{told}");
    assert_eq!(house.ends(&["customer", "nobody"]), 3);
    assert!(house.refuses(&["customer", "nobody"]).contains("no event of customer nobody was ever counted"));
    assert_eq!(house.ends(&with_author(&["approve", "good-1"])), 3);
    let other = ["approve", "bad-1", "--decision", "00000000000000000000000000000000"];
    assert_eq!(house.ends(&with_author(&other)), 4);
    let none = ["customers", "--admin", "http://127.0.0.1:1"];
    assert_eq!(house.ends(&none), 5);
    assert!(house.refuses(&none).contains("Weir at http://127.0.0.1:1 does not answer; does it run"));
    let secret = house.asks(&["customers", "--token-file", "/nowhere/token"]);
    assert_eq!(secret.status.code(), Some(1));
    assert!(String::from_utf8(secret.stderr).unwrap().contains("the token file /nowhere/token can't be read"));
}
