//! A customer's page, and what its forms do.

use std::time::Duration;

use log::{Start, Topic};
use model::{CaseView, CustomerId, DecisionId, EnforcementKey, Held, HeldWhy, Millis, Stage};
use serde_json::{Value, json};

use super::browser::{Browser, HOSTILE, commands, escaped, location};
use crate::house::{House, NOW, standing};

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_shown_with_its_standing_its_rates_and_its_history() {
    let house = House::guarded().await;
    house.decided("acme", 1).await;
    let action = json!({
        "customer": "acme", "at": NOW, "stage": "throttled", "decision": null, "outcome": "done",
        "request": {"call": "set_credits", "subuser": "acme", "credits": {"type": "nonrecurring", "total": 100}},
    });
    house.put(Topic::Actions, "acme", action).await;
    let browser = Browser::signed_in(&house, "viewer").await;
    browser.until("/customers/acme", "Credits of subuser acme: 100 mails, once").await;
    let page = browser.until("/customers/acme", "class=\"decision\"").await;
    page.holds(&["<h1><bdi>acme", "sends with a daily cap", "100 mails", "Yahoo", "10.00 %", "3 of 30"]);
    let policy = policy::Policy::parse(policy::DEFAULT).unwrap();
    let rules: Vec<_> = policy.rules().iter().map(|rule| rule.name.as_str()).collect();
    page.holds(&rules);
    assert_eq!(page.text.matches("role=\"img\"").count(), 6, "three signals by the hour and by the day");
    assert_eq!(page.text.matches("class=\"line\" d=\"\"").count(), 4, "of the hours two have mail");
    page.holds(&[&format!("/decisions/{}", DecisionId::from_bits(1))]);
    page.lacks(&["<form class=\"act\""]);
    let unknown = browser.read("/customers/never-seen").await;
    assert_eq!(unknown.status, 404);
    unknown.holds(&["never-seen", "</html>"]);
}

/// Names and values.
type Fields = &'static [(&'static str, &'static str)];

#[tokio::test(flavor = "multi_thread")]
async fn every_form_writes_its_command_and_leads_back_to_the_page_which_says_so() {
    let house = House::guarded().await;
    let browser = Browser::signed_in(&house, "operator").await;
    let week = NOW + Millis::days(7);
    let acts: [(&str, Fields, Value, &str); 8] = [
        ("hold", &[], json!({"type": "hold"}), "Written to the log"),
        ("hold", &[("days", "7")], json!({"type": "hold", "until": week}), "Written to the log"),
        ("release", &[], json!({"type": "release", "fully": false}), "Written to the log"),
        ("release", &[("fully", "true")], json!({"type": "release", "fully": true}), "Written to the log"),
        ("stage", &[("stage", "suspended")], json!({"type": "set_stage", "stage": "suspended"}), "Written to the log"),
        ("exempt", &[("days", "7")], json!({"type": "exempt", "until": week}), "Written to the log"),
        ("phase", &[("phase", "pilot")], json!({"type": "set_phase", "phase": "pilot"}), "Written to the log"),
        ("note", &[], json!({"type": "note"}), "The note is written"),
    ];
    for (number, (act, fields, mut expected, words)) in acts.into_iter().enumerate() {
        let page = browser.read("/customers/acme").await;
        let fields: Vec<_> = fields.iter().copied().chain([("reason", "because & so")]).collect();
        let answer = browser.submit(&page, &format!("/customers/acme/{act}"), &fields).await;
        assert_eq!(answer.status(), 303, "{act}");
        browser.read(location(&answer)).await.holds(&["role=\"status\"", words]);
        expected["reason"] = json!("because & so");
        expected["by"] = json!("operator");
        expected["role"] = json!("operator");
        let found = commands(&house);
        assert_eq!(found.len(), number + 1);
        assert!(found.contains(&("acme".to_owned(), expected)), "{act}: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_another_session_or_of_nobodys_or_beyond_ones_role_changes_nothing() {
    let house = House::guarded().await;
    let operator = Browser::signed_in(&house, "operator").await;
    let form = operator.read("/customers/acme").await;
    form.lacks(&["<option value=\"banned\""]);
    let stages = form.form("/customers/acme/stage").unwrap();
    assert!(stages.contains("required><option value=\"\">choose</option>") && !stages.contains("selected"), "{stages}");
    assert_eq!(operator.submit(&form, "/customers/acme/stage", &[("reason", "x"), ("stage", "")]).await.status(), 422);
    form.holds(&["for some days or until it is released", "It ends by itself"]);
    for fields in [&[("reason", "x")][..], &[("reason", "x"), ("csrf", "guessed")]] {
        assert_eq!(operator.send("/customers/acme/hold", fields).await.status(), 403, "{fields:?}");
    }
    let viewer = Browser::signed_in(&house, "viewer").await;
    let (act, hold) = ("/customers/acme/hold", [("reason", "x")]);
    assert_eq!(viewer.submit(&form, act, &hold).await.status(), 403, "another's field");
    let banned = [("reason", "x"), ("stage", "banned")];
    assert_eq!(operator.submit(&form, "/customers/acme/stage", &banned).await.status(), 403, "an approver's to do");
    let refused = operator.submit(&form, act, &[("reason", "  ")]).await;
    assert_eq!(refused.status(), 400, "no reason");
    assert_eq!(
        operator.submit(&form, "/customers/acme/exempt", &[("reason", "x"), ("days", "91")]).await.status(),
        400
    );
    let stranger = Browser::stranger(&house);
    assert_eq!(stranger.send(act, &hold).await.status(), 401);
    assert_eq!(location(&stranger.ask("/customers/acme").await), "/login?next=/customers/acme");
    assert_eq!(commands(&house), []);
    let approver = Browser::signed_in(&house, "approver").await;
    let form = approver.read("/customers/acme").await;
    assert_eq!(approver.submit(&form, "/customers/acme/stage", &banned).await.status(), 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_customer_is_called_and_others_have_written_its_forms_mean_it() {
    let house = House::guarded().await;
    for name in HOSTILE {
        house.stands(name, Stage::Watch, None).await;
        let action = json!({
            "customer": name, "at": NOW, "stage": "watch", "decision": null, "outcome": "failed", "reason": name,
            "request": {"call": name},
        });
        house.put(Topic::Actions, name, action).await;
    }
    let browser = Browser::signed_in(&house, "operator").await;
    for name in HOSTILE {
        let mut path: reqwest::Url = "http://weir/customers/".parse().unwrap();
        path.path_segments_mut().unwrap().pop().push(name);
        let page = browser.until(path.path(), "failed, and is tried again").await;
        page.lacks(&HOSTILE[..2]);
        let mut acts = page.text.split("action=\"").skip(1).filter_map(|rest| rest.split('"').next());
        let note = acts.find(|act| act.ends_with("/note")).unwrap().to_owned();
        let answer = browser.submit(&page, &note, &[("reason", name)]).await;
        assert_eq!(answer.status(), 303, "{name}");
        browser.read(location(&answer)).await.holds(&[&format!("<h1><bdi>{}", escaped(name))]);
        let expected = json!({"type": "note", "reason": name, "by": "operator", "role": "operator"});
        assert!(commands(&house).contains(&(name.to_owned(), expected)), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_answered_by_an_approver_and_an_old_page_answers_nothing() {
    let house = House::guarded().await;
    let (acme, decision) = (CustomerId::new("acme").unwrap(), DecisionId::from_bits(5));
    let held = Held {
        why: HeldWhy::Approval,
        reason: "quarantined by hard-bounce-fire".to_owned(),
        decision: Some(decision.clone()),
        since: NOW,
        expires: Some(NOW + Millis::hours(4)),
    };
    let case = CaseView { customer: acme.clone(), stage: Stage::Quarantined, held: Some(held), in_force: None };
    let key = EnforcementKey::Case(acme.clone()).to_string();
    house.put(Topic::Enforcement, &key, serde_json::to_value(&case).unwrap()).await;
    let told = serde_json::to_value(standing("acme", Stage::Quarantined, None)).unwrap();
    house.put(Topic::Standings, "acme", told).await;
    let operator = Browser::signed_in(&house, "operator").await;
    let page = operator.until("/customers/acme", "Waits for approval").await;
    page.holds(&["quarantined by hard-bounce-fire", "expires", "To answer takes the role approver"]);
    assert!(page.form("/customers/acme/answer").is_none());
    let approver = Browser::signed_in(&house, "approver").await;
    let page = approver.read("/customers/acme").await;
    let answer = "/customers/acme/answer";
    let old = [("answer", "approve"), ("reason", "x"), ("decision", "00000000000000000000000000000004")];
    assert_eq!(approver.submit(&page, answer, &old).await.status(), 409);
    let sent = approver.submit(&page, answer, &[("answer", "approve"), ("reason", "a bought list")]).await;
    assert_eq!((sent.status().as_u16(), location(&sent)), (303, "/customers/acme?done=approved"));
    let mut tail = house.log.tail(Topic::Enforcement, Start::Earliest).unwrap();
    let mut answers = Vec::new();
    while !tail.caught_up() {
        answers.extend(tail.next(Duration::from_millis(50)).unwrap());
    }
    let key = EnforcementKey::Answer(acme).to_string();
    let answers: Vec<_> = answers.iter().filter(|stored| stored.record.key == key.as_str()).collect();
    assert_eq!(answers.len(), 1);
    let said: Value = serde_json::from_slice(&answers[0].record.value).unwrap();
    assert_eq!(
        (&said["decision"], &said["approved"], &said["by"]),
        (&json!(decision), &json!(true), &json!("approver"))
    );
}
