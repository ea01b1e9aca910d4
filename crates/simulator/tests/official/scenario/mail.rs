//! What became of mail: suppressions, page by page, and statistics.

use serde_json::{Value, json};

use crate::official::stage::{SUBUSER, Stage};

/// 21 September 2026.
const FIRST: i64 = 1_790_000_000;
const DAY: &str = "2026-09-21";

/// A list, and what puts an address on it.
const LISTS: [(&str, &str); 5] = [
    ("Bounces", r#"{"event":"bounce","type":"bounce","reason":"550 5.1.1 unknown","status":"5.1.1"}"#),
    ("Blocks", r#"{"event":"bounce","type":"blocked","reason":"421 busy","status":"4.2.1"}"#),
    ("SpamReports", r#"{"event":"spamreport","ip":"192.0.2.1"}"#),
    ("InvalidEmails", r#"{"event":"dropped","reason":"Invalid"}"#),
    ("Unsubscribes", r#"{"event":"unsubscribe"}"#),
];

/// The account's addresses on each list; the subuser has one.
const ADDRESSES: i64 = 3;

pub(super) fn play(stage: &Stage) {
    for (_, event) in LISTS {
        for number in 0..ADDRESSES {
            tell(stage, None, event, number);
        }
        tell(stage, Some(SUBUSER), event, 0);
    }
    LISTS.iter().for_each(|(list, _)| suppressions(stage, list));
    stats(stage);
}

fn tell(stage: &Stage, subuser: Option<&str>, event: &str, number: i64) {
    let mut event: Value = serde_json::from_str(event).unwrap();
    event["email"] = json!(format!("{}-{number}@example.com", subuser.unwrap_or("account")));
    event["timestamp"] = json!(FIRST + number);
    stage.sendgrid.world().tell(subuser, &event.to_string());
}

fn suppressions(stage: &Stage, list: &str) {
    let created = |answer: Value| -> Vec<i64> {
        answer.as_array().unwrap().iter().map(|item| item["created"].as_i64().unwrap() - FIRST).collect()
    };
    let page = |offset: usize| created(stage.call(list, json!({ "limit": 2, "offset": offset })).done(200));
    assert_eq!((page(0), page(2), page(4)), (vec![2, 1], vec![0], vec![]), "{list}");
    let within = json!({ "start_time": FIRST + 1, "end_time": FIRST + 1, "limit": 500 });
    assert_eq!(created(stage.call(list, within.clone()).done(200)), [1], "{list}");
    let of_subuser = stage.call_for(SUBUSER, list, json!({})).done(200);
    assert_eq!(super::each(&of_subuser, "email"), [format!("{SUBUSER}-0@example.com")]);
    assert_eq!(stage.call_for(SUBUSER, list, within).done(200), json!([]));
}

fn stats(stage: &Stage) {
    let days = json!({ "start_date": DAY, "end_date": "2026-09-22", "aggregated_by": "day" });
    let own = stage.call("Stats", days.clone()).done(200);
    assert_eq!((&own[0]["date"], &own[1]["date"]), (&json!(DAY), &json!("2026-09-22")));
    let metrics = &own[0]["stats"][0]["metrics"];
    assert_eq!((&metrics["bounces"], &metrics["blocks"], &metrics["spam_reports"]), (&json!(3), &json!(3), &json!(3)));
    let of_subuser = stage.call_for(SUBUSER, "Stats", days.clone()).done(200);
    assert_eq!(of_subuser[0]["stats"][0]["metrics"]["bounces"], 1);
    let providers = stage.call("ProviderStats", days.clone()).done(200);
    let bounces = |provider: &Value| provider["metrics"]["bounces"].as_u64().unwrap();
    let of_all: u64 = providers[0]["stats"].as_array().unwrap().iter().map(bounces).sum();
    assert_eq!(of_all, 3);
    let mut asked = days;
    asked["subusers"] = json!([SUBUSER, "subuser-02"]);
    let of_each = stage.call("SubuserStats", asked).done(200);
    assert_eq!(super::each(&of_each[0]["stats"], "name"), [SUBUSER, "subuser-02"]);
    let bounces: Vec<_> = of_each[0]["stats"].as_array().unwrap().iter().map(bounces).collect();
    assert_eq!(bounces, [1, 0]);
}
