//! What people do on the pages is done: the simulated SendGrid shows it.

use serde_json::{Value, json};
use simulator::sendgrid::{HOME, QUARANTINE};

use super::rig::{BAD, HOSTILE, MARKUP, Rig, api_of, page_of};

/// What was found wants nobody's attention.
fn sound(found: &Value) {
    assert_eq!(found["noted"], json!([]), "{found}");
}

fn done(found: &Value, words: &str) {
    assert!(found["done"].as_str().unwrap().starts_with(words), "{found}");
    sound(found);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_answered_on_the_page() {
    let rig = Rig::found("").await;
    let answer = json!({"act": "answer", "answer": "approve", "customer": BAD[0], "reason": MARKUP});
    done(&rig.browse("act.mjs", answer).await, "Approved.");
    rig.until_in(BAD[0], QUARANTINE).await;
    // Without a script the forms do the same; so they do on a telephone.
    let answer =
        json!({"act": "answer", "answer": "reject", "customer": BAD[1], "reason": "no", "plain": true, "narrow": true});
    done(&rig.browse("act.mjs", answer).await, "Rejected.");
    rig.until("/v1/enforcer", |answer| answer["held_back"]["rejected"] == 1).await;
    let pools: Vec<_> = rig.sendgrid.world().pools_of(BAD[1]).into_iter().collect();
    assert_eq!(pools, [HOME]);
    // Whatever the customer is called, it is the one that was meant.
    for name in HOSTILE {
        let answer = json!({"act": "answer", "answer": "reject", "customer": name, "reason": "no"});
        done(&rig.browse("act.mjs", answer).await, "Rejected.");
    }
    rig.until("/v1/enforcer", |answer| answer["held_back"]["rejected"] == 1 + HOSTILE.len()).await;
}

/// A person puts somebody away and brings it back, without a rule: SendGrid shows both, and the page tells who did it and why.
#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_put_elsewhere_held_and_released_on_its_page() {
    let rig = Rig::found("").await;
    let path = page_of(BAD[2]);
    let give = |order: &str, stage: Option<&str>| json!({"act": "give", "path": path, "order": order, "stage": stage, "reason": MARKUP});
    done(&rig.browse("act.mjs", give("hold", None)).await, "Written to the log.");
    let read = json!({"act": "read", "path": path, "until": "Held by a person"});
    let page = rig.browse("act.mjs", read).await;
    assert!(page["text"].as_str().unwrap().contains(MARKUP), "the reason stands there as it was written: {page}");
    sound(&page);
    done(&rig.browse("act.mjs", give("stage", Some("suspended"))).await, "Written to the log.");
    rig.until_suspended(BAD[2], true).await;
    done(&rig.browse("act.mjs", give("release", None)).await, "Written to the log.");
    rig.until_suspended(BAD[2], false).await;
    let fully = json!({"act": "give", "path": path, "order": "release", "fully": true, "reason": MARKUP});
    done(&rig.browse("act.mjs", fully).await, "Written to the log.");
    rig.until_in(BAD[2], HOME).await;
}

/// Whoever is merely watched sends on, until somebody makes them stricter: that is tried first, and then put in force.
#[tokio::test(flavor = "multi_thread")]
async fn a_stricter_policy_is_tried_and_put_in_force_and_moves_whom_the_trial_named() {
    let rig = Rig::enforcing().await;
    // So that it is not too much of the account's mail to be moved at once.
    rig.shops_send().await;
    rig.old_list_goes_out(BAD[0], 0..400).await;
    let path = api_of(BAD[0]);
    rig.until(&path, |answer| answer["stage"] == "watch").await;
    let changes = json!([
        ["enter = \"5 %\"", "enter = \"0.5 %\""],
        ["exit = \"3 %\"", "exit = \"0.2 %\""],
        ["stage = \"throttled\"", "stage = \"quarantined\""],
    ]);
    let tried = rig.browse("act.mjs", json!({"act": "policy", "changes": changes})).await;
    sound(&tried);
    let told = tried["tried"].as_str().unwrap();
    assert!(told.contains("1 customer differs") && told.contains(BAD[0]) && told.contains("quarantined"), "{tried}");
    assert!(tried["changes"].as_str().unwrap().contains("0.5 %"), "{tried}");
    assert_eq!(rig.get(&path).await.unwrap()["stage"], "watch", "it was only tried");
    let found = rig.browse("act.mjs", json!({"act": "policy", "changes": changes, "reason": MARKUP})).await;
    done(&found, "The policy is in force from here on.");
    rig.old_list_goes_out(BAD[0], 400..500).await;
    rig.until_in(BAD[0], QUARANTINE).await;
    let read = json!({"act": "read", "path": "/activity", "until": "put a policy in force"});
    let page = rig.browse("act.mjs", read).await;
    assert!(page["text"].as_str().unwrap().contains(MARKUP), "the reason stands there as it was written: {page}");
    sound(&page);
}

#[tokio::test(flavor = "multi_thread")]
async fn enforcement_is_paused_by_keyboard_alone_and_goes_on() {
    let rig = Rig::found("").await;
    let found = rig.browse("act.mjs", json!({"act": "keyboard", "reason": "a false alarm?"})).await;
    assert_eq!(
        (&found["first"], &found["unseen"]),
        (&json!("Skip to the content"), &json!([])),
        "where one is, is seen"
    );
    done(&found, "Enforcement is paused");
    rig.until("/v1/enforcer", |answer| answer["paused"] == true).await;
    let answer = json!({"act": "answer", "answer": "approve", "customer": BAD[0], "reason": "bought"});
    done(&rig.browse("act.mjs", answer).await, "Approved.");
    rig.until("/v1/enforcer", |answer| answer["held_back"]["paused"] == 1).await;
    assert!(!rig.sendgrid.world().pools_of(BAD[0]).contains(QUARANTINE));
    let resume = json!({"act": "resume", "reason": "none", "plain": true});
    done(&rig.browse("act.mjs", resume).await, "Enforcement goes on.");
    rig.until_in(BAD[0], QUARANTINE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_come_in_while_the_page_is_looked_at() {
    let rig = Rig::found("").await;
    let found = rig.browse("act.mjs", json!({"act": "watch", "customer": HOSTILE[0], "reason": MARKUP})).await;
    let feed = found["feed"].as_str().unwrap();
    assert!(feed.contains(HOSTILE[0]) && feed.contains(MARKUP), "as it was written: {feed}");
    sound(&found);
}
