//! IPs and pools in the API that knows them by id.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use simulator::sendgrid::{HOME, QUARANTINE};

use super::{each, text};
use crate::official::stage::{SUBUSERS, Stage};
use crate::support::DEDICATED_IP;

pub(super) fn play(stage: &Stage) {
    let pools = pools(stage);
    assert_eq!(pools.keys().map(String::as_str).collect::<Vec<_>>(), [HOME, QUARANTINE]);
    assert_eq!(all(stage, "SendIps", &json!({}), 2).len(), 6);
    let filtered = json!({ "is_parent_assigned": "true", "include_region": "true", "limit": 4 });
    let page = stage.call("SendIps", filtered).done(200);
    assert_eq!(each(&page["result"], "region"), ["us"; 4]);
    let next = &page["_metadata"]["next_params"];
    assert_eq!((&next["is_parent_assigned"], &next["include_region"]), (&json!(true), &json!("true")));
    subusers(stage);
    new_pool(stage);
    moves(stage, &pools);
    refusals(stage, &pools);
}

/// A list's items, page by page.
fn all(stage: &Stage, call: &str, of: &Value, limit: usize) -> Vec<Value> {
    let (mut found, mut query) = (Vec::new(), of.clone());
    query["limit"] = json!(limit);
    loop {
        let mut page = stage.call(call, query.clone()).done(200);
        found.append(page["result"].as_array_mut().unwrap());
        let next = &page["_metadata"]["next_params"]["after_key"];
        if next.is_null() {
            return found;
        }
        query["after_key"] = json!(text(next));
    }
}

fn pools(stage: &Stage) -> BTreeMap<String, String> {
    all(stage, "SendPools", &json!({}), 1).iter().map(|pool| (text(&pool["name"]), text(&pool["id"]))).collect()
}

fn subusers(stage: &Stage) {
    let ip = stage.sendgrid.world().ips_of_pool(HOME)[0].clone();
    assert_eq!(all(stage, "SendIpSubusers", &json!({ "ip": ip }), 5).len(), SUBUSERS);
    let known = stage.call("SendIp", json!({ "ip": ip, "include_region": "true" })).done(200);
    assert_eq!((&known["ip"], &known["region"]), (&json!(ip), &json!("us")));
    let change = json!({ "ip": stage.sendgrid.world().ips_of_pool(QUARANTINE)[0], "subusers": ["2"] });
    assert_eq!(stage.call("AddSendIpSubusers", change.clone()).done(200), change);
    assert!(stage.sendgrid.world().pools_of("subuser-02").contains(QUARANTINE));
    stage.call("RemoveSendIpSubusers", change).done(204);
    assert!(!stage.sendgrid.world().pools_of("subuser-02").contains(QUARANTINE));
}

fn new_pool(stage: &Stage) {
    let made = stage.call("CreateSendPool", json!({ "name": "by id", "ips": [DEDICATED_IP] })).done(201);
    assert_eq!((&made["name"], &made["ips"]), (&json!("by id"), &json!([DEDICATED_IP])));
    assert!(stage.sendgrid.world().pools_of_ip(DEDICATED_IP).contains("by id"));
    let id = text(&made["id"]);
    let shown = stage.call("SendPool", json!({ "pool": id })).done(200);
    assert_eq!((&shown["name"], &shown["total_ip_count"]), (&json!("by id"), &json!(1)));
    let renamed = stage.call("RenameSendPool", json!({ "pool": id, "name": "by id again" })).done(200);
    assert_eq!(renamed, json!({ "name": "by id again", "id": id }));
    stage.call("DeleteSendPool", json!({ "pool": id })).done(204);
    assert_eq!(pools(stage).len(), 2);
}

fn moves(stage: &Stage, pools: &BTreeMap<String, String>) {
    let pools_of_ip = || stage.sendgrid.world().pools_of_ip(DEDICATED_IP).into_iter().collect::<Vec<_>>();
    for (from, to) in [(HOME, QUARANTINE), (QUARANTINE, HOME)] {
        let added = stage.call("AddToSendPool", json!({ "pool": pools[to], "ips": [DEDICATED_IP] })).done(200);
        assert_eq!(added, json!({ "name": to, "id": pools[to], "ips": [DEDICATED_IP] }));
        assert_eq!(pools_of_ip(), [HOME, QUARANTINE]);
        stage.call("RemoveFromSendPool", json!({ "pool": pools[from], "ips": [DEDICATED_IP] })).done(204);
        assert_eq!(pools_of_ip(), [to]);
        let inside = all(stage, "SendPoolIps", &json!({ "pool": pools[to], "include_region": "true" }), 2);
        assert!(each(&json!(inside), "ip").contains(&DEDICATED_IP.to_owned()), "{inside:?}");
        let known = stage.call("SendIps", json!({ "ip": DEDICATED_IP })).done(200);
        assert_eq!(known["result"][0]["pools"], json!([{ "name": to, "id": pools[to] }]));
    }
}

fn refusals(stage: &Stage, pools: &BTreeMap<String, String>) {
    let nowhere = json!({ "pool": "1", "ips": [DEDICATED_IP] });
    for call in ["SendPool", "SendPoolIps", "AddToSendPool", "RemoveFromSendPool", "DeleteSendPool"] {
        let refused = stage.call(call, nowhere.clone()).refused(400);
        assert_eq!(refused["errors"][0]["field"], "poolid");
    }
    let not_inside = json!({ "pool": pools[QUARANTINE], "ips": [DEDICATED_IP] });
    assert_eq!(stage.call("RemoveFromSendPool", not_inside).refused(400)["errors"][0]["field"], "ips");
    stage.call("SendIp", json!({ "ip": "203.0.113.9" })).refused(400);
}
