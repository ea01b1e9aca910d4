//! Subusers: who there are, whether they send, from where, and how much.

use serde_json::json;
use simulator::sendgrid::{HOME, QUARANTINE};

use super::each;
use crate::official::stage::{SUBUSER, SUBUSERS, Stage};

pub(super) fn play(stage: &Stage) {
    lists(stage);
    kill_switch(stage);
    ips(stage);
    credits(stage);
}

fn lists(stage: &Stage) {
    let page = |offset: usize| stage.call("Subusers", json!({ "limit": 10, "offset": offset })).done(200);
    let (first, second, third) = (each(&page(0), "username"), each(&page(10), "username"), each(&page(20), "username"));
    assert_eq!((first.len(), second.len(), third.len()), (10, SUBUSERS - 10, 0));
    assert!(second.iter().all(|name| !first.contains(name)), "{first:?} {second:?}");
    let found = stage.call("Subusers", json!({ "username": SUBUSER })).done(200);
    assert_eq!(each(&found, "username"), [SUBUSER]);
    let found = stage.call("Subusers", json!({ "username": SUBUSER, "include_region": "true" })).done(200);
    assert_eq!(each(&found, "region"), ["global"]);
    let reputations = stage.call("Reputations", json!({ "name": SUBUSER })).done(200);
    assert_eq!(each(&reputations, "username"), [SUBUSER]);
}

fn kill_switch(stage: &Stage) {
    for disabled in [true, false] {
        stage.call("SetDisabled", json!({ "name": SUBUSER, "disabled": disabled })).done(204);
        assert_eq!(stage.sendgrid.world().is_disabled(SUBUSER), disabled);
        let found = stage.call("Subusers", json!({ "username": SUBUSER })).done(200);
        assert_eq!(found[0]["disabled"], disabled);
    }
}

fn ips(stage: &Stage) {
    let home = stage.sendgrid.world().ips_of_pool(HOME);
    for pool in [QUARANTINE, HOME] {
        let ips = stage.sendgrid.world().ips_of_pool(pool);
        let answer = stage.call("SetSubuserIps", json!({ "name": SUBUSER, "ips": ips })).done(200);
        assert_eq!(answer, json!({ "ips": ips }));
        assert_eq!(stage.sendgrid.world().pools_of(SUBUSER).into_iter().collect::<Vec<_>>(), [pool]);
        let listed = stage.call("Ips", json!({ "subuser": SUBUSER, "limit": 500 })).done(200);
        assert_eq!(each(&listed, "ip"), ips);
    }
    let seen = stage.call("Ip", json!({ "ip": home[0] })).done(200);
    assert!(each_text(&seen["subusers"]).contains(&SUBUSER.to_owned()), "{seen}");
}

fn each_text(list: &serde_json::Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(super::text).collect()
}

fn credits(stage: &Stage) {
    let of = json!({ "name": SUBUSER });
    assert_eq!(stage.call("Credits", of.clone()).done(200)["type"], "unlimited");
    let daily = json!({ "name": SUBUSER, "type": "recurring", "reset_frequency": "daily", "total": 100 });
    let granted = stage.call("SetCredits", daily).done(200);
    let full = json!({ "type": "recurring", "reset_frequency": "daily", "total": 100, "remain": 100, "used": 0 });
    assert_eq!(granted, full);
    let left = stage.call("ChangeRemainingCredits", json!({ "name": SUBUSER, "change": -40 })).done(200);
    assert_eq!(left["remain"], 60);
    assert_eq!(stage.sendgrid.world().credits(SUBUSER).unwrap().remain, Some(60));
    assert_eq!(stage.call("Credits", of).done(200), left);
    let once = stage.call("SetCredits", json!({ "name": SUBUSER, "type": "nonrecurring", "total": 7 })).done(200);
    assert_eq!((&once["remain"], &once["total"]), (&json!(7), &json!(null)));
    stage.call("SetCredits", json!({ "name": SUBUSER, "type": "unlimited" })).done(200);
    assert_eq!(stage.sendgrid.world().credits(SUBUSER).unwrap().remain, None);
}
