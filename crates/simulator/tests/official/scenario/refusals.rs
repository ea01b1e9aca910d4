//! Calls that are refused whatever they ask: by the key, its scopes, the rate limit, a fault.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use simulator::sendgrid::{Faults, Scopes};

use crate::official::stage::{SUBUSER, Stage};

pub(super) fn play(stage: &Stage) {
    keys(stage);
    rate_limit(stage);
    faults(stage);
    nonsense(stage);
}

fn keys(stage: &Stage) {
    let refused = stage.call_with_key("SG.wrong", "Scopes", json!({})).refused(401);
    let words = refused["errors"][0]["message"].as_str().unwrap();
    assert!(words.contains("authorization grant is invalid, expired, or revoked"), "{words}");
    stage.call_with_key("SG.wrong", "Pools", json!({})).refused_undocumented(401);
    stage.sendgrid.world().scopes = Scopes::all().without("ips.pools.read");
    stage.call("Pools", json!({})).refused_undocumented(403);
    let refused = stage.call("SendPools", json!({})).refused(401);
    assert_eq!(refused["errors"][0]["message"], "missing required scope: ips.pools.read");
    stage.sendgrid.world().scopes = Scopes::all();
    stage.call_for("nobody", "ScheduledSends", json!({})).refused(401);
}

fn rate_limit(stage: &Stage) {
    let number = |name: &str| -> u64 { stage.call("Pools", json!({})).header(name).unwrap().parse().unwrap() };
    assert_eq!(number("x-ratelimit-limit"), 600);
    let left = number("x-ratelimit-remaining");
    assert_eq!(number("x-ratelimit-remaining"), left - 1);
    stage.sendgrid.world().faults.too_many = 1;
    let answer = stage.call("SetDisabled", json!({ "name": SUBUSER, "disabled": true }));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let reset: u64 = answer.header("x-ratelimit-reset").unwrap().parse().unwrap();
    assert!((now..now + 120).contains(&reset), "{reset} is no moment soon after {now}");
    assert_eq!(answer.header("x-ratelimit-remaining"), Some("0"));
    let told = answer.refused_undocumented(429);
    assert_eq!(told, json!({ "errors": [{ "field": null, "message": "too many requests" }] }));
    assert!(!stage.sendgrid.world().is_disabled(SUBUSER));
}

fn faults(stage: &Stage) {
    stage.sendgrid.world().faults = Faults { fail_before: 1.0, ..Faults::default() };
    stage.call("SetDisabled", json!({ "name": SUBUSER, "disabled": true })).refused(500);
    stage.sendgrid.world().faults = Faults::default();
    assert!(!stage.sendgrid.world().is_disabled(SUBUSER));
}

fn nonsense(stage: &Stage) {
    let nobody = json!({ "name": "nobody", "disabled": true, "ips": ["192.0.2.1"], "type": "unlimited", "change": 1 });
    stage.call("SetDisabled", nobody.clone()).refused(400);
    for call in ["Credits", "ChangeRemainingCredits"] {
        let refused = stage.call(call, nobody.clone()).refused(400);
        assert_eq!(refused, json!({ "errors": [{ "field": null, "message": "No user found" }] }));
    }
    stage.call("SetCredits", json!({ "name": "nobody", "type": "unlimited" })).refused(400);
    stage.call("SetSubuserIps", nobody).refused_undocumented(404);
    stage.call("SetSubuserIps", json!({ "name": SUBUSER, "ips": ["203.0.113.9"] })).refused_undocumented(400);
    let refused = stage.call("NoSuchCall", json!({})).refused_undocumented(404);
    assert_eq!(refused["errors"][0]["message"], "not found");
}
