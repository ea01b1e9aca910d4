//! What awaits approval is answered, enforcement is paused, and a rule is taken back.

use serde_json::{Value, json};
use simulator::sendgrid::{HOME, QUARANTINE};

use crate::house::{BAD, House, with_author};

#[tokio::test(flavor = "multi_thread")]
async fn what_awaits_approval_is_approved_rejected_paused_and_taken_back() {
    let mut house = House::new().await;
    house.mail_goes_out().await;
    let waiting =
        house.until("/v1/approvals", |answer| answer["approvals"].as_array().is_some_and(|all| all.len() == 3)).await;
    assert_eq!(house.changing_calls(), 0, "nothing is done before a person has approved");
    house.until_told(r#"weir_enforcer_held_back_customers{why="approval"} 3"#).await;
    let listed = house.says(&["approvals"]);
    for approval in waiting["approvals"].as_array().unwrap() {
        let (customer, decision) = (approval["customer"].as_str().unwrap(), approval["decision"].as_str().unwrap());
        assert!(listed.contains(customer) && listed.contains(decision), "{listed}");
        assert!(approval["finding"].as_str().unwrap().contains("hard bounce"), "{approval}");
    }

    // One is approved, one rejected; a word about what does not wait is refused.
    let other = ["approve", "bad-1", "--decision", "00000000000000000000000000000000"];
    assert!(house.refuses(&with_author(&other)).contains("look at it and answer that"));
    assert!(house.refuses(&with_author(&["approve", "good-1"])).contains("nothing to approve"));
    let approved = house.says(&with_author(&["approve", "bad-1"]));
    let one = waiting["approvals"].as_array().unwrap().iter().find(|one| one["customer"] == "bad-1").unwrap();
    let told = format!("to {}, decision {}", one["stage"].as_str().unwrap(), one["decision"].as_str().unwrap());
    assert!(approved.contains("carried out now") && approved.contains(&told), "{approved}");
    house.until_in("bad-1", QUARANTINE).await;
    house.says(&with_author(&["reject", "bad-2"]));
    house.until("/v1/enforcer", |answer| answer["held_back"]["rejected"] == 1).await;
    assert!(house.refuses(&with_author(&["approve", "bad-1"])).contains("nothing to approve"));
    assert_eq!(house.pools("bad-2"), [HOME]);

    // Paused, also across a crash, an approved one stays where it is until enforcement goes on.
    house.says(&with_author(&["enforce", "pause"]));
    house.until("/v1/enforcer", |answer| answer["paused"] == true).await;
    let approved = house.says(&with_author(&["approve", "bad-3"]));
    assert!(approved.contains("ann has paused") && !approved.contains("carried out"), "{approved}");
    let is_held = |answer: &Value| {
        let held = answer["held_back"].as_array().into_iter().flatten().find(|case| case["customer"] == "bad-3");
        held.is_some_and(|case| case["held"]["reason"].as_str().unwrap().contains("ann has paused"))
    };
    house.until("/v1/enforcer/held?why=paused", is_held).await;
    house.weir.kill_and_restart();
    house.until("/v1/enforcer/held?why=paused", is_held).await;
    let status = house.says(&["enforce", "status"]);
    assert!(
        status.contains("PAUSED by ann") && status.contains("bad-3") && status.contains("mode: approve"),
        "{status}"
    );
    assert_eq!(house.pools("bad-3"), [HOME]);
    house.says(&with_author(&["enforce", "resume"]));
    house.until_in("bad-3", QUARANTINE).await;

    // The rule is taken back: everybody whom it moved goes home, whatever was approved.
    let bad = house.get("/v1/customers/bad-1").await.unwrap();
    let rule = bad["reasons"][0]["rule"].as_str().unwrap().to_owned();
    let undo = |rule: &'static str| ["undo", "--since", "1h", "--rule", rule];
    assert!(house.refuses(&with_author(&undo("no-such-rule"))).contains(&rule));
    let undo = ["undo", "--since", "1h", "--rule", &rule];
    let dry: Vec<_> = with_author(&undo).into_iter().chain(["--dry-run"]).collect();
    assert!(house.says(&dry).contains("3 customers would go back"));
    assert_eq!(house.pools("bad-1"), [QUARANTINE]);
    let done = house.says(&with_author(&undo));
    assert!(done.contains("3 customers went back"), "{done}");
    for customer in BAD {
        house.until_in(customer, HOME).await;
        let customer = house.get(&format!("/v1/customers/{customer}")).await.unwrap();
        let last = customer["history"].as_array().unwrap().last().unwrap();
        assert_eq!((&customer["stage"], &last["rule"]), (&json!("healthy"), &json!("command:undo")));
    }
    assert!(house.says(&with_author(&undo)).contains("0 customers went back"), "nothing is left");
}
