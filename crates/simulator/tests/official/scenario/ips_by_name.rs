//! IPs and pools in the API that knows them by name.

use serde_json::json;
use simulator::sendgrid::{HOME, QUARANTINE};

use super::each;
use crate::official::stage::Stage;
use crate::support::DEDICATED_IP;

/// Names that have to be encoded.
const NEW: &str = "third pool & more";
const NEWER: &str = "fourth pool? ü";

pub(super) fn play(stage: &Stage) {
    let page = |offset: usize| stage.call("Ips", json!({ "limit": 4, "offset": offset })).done(200);
    let (mut first, second) = (each(&page(0), "ip"), each(&page(4), "ip"));
    assert_eq!((first.len(), second.len()), (4, 2));
    first.extend(second);
    let mut known = stage.sendgrid.world().ips_of_pool(HOME);
    known.extend(stage.sendgrid.world().ips_of_pool(QUARANTINE));
    first.sort();
    known.sort();
    assert_eq!(first, known);
    pools(stage);
    moves(stage);
    refusals(stage);
}

fn pools(stage: &Stage) {
    assert_eq!(stage.call("CreatePool", json!({ "pool": NEW })).done(200), json!({ "name": NEW }));
    let pools = stage.call("Pools", json!({})).done(200);
    assert_eq!(each(&pools, "name"), [HOME, QUARANTINE, NEW]);
    assert_eq!(stage.call("RenamePool", json!({ "pool": NEW, "name": NEWER })).done(200), json!({ "name": NEWER }));
    let empty = stage.call("PoolIps", json!({ "pool": NEWER })).done(200);
    assert_eq!(empty, json!({ "pool_name": NEWER, "ips": [] }));
    stage.call("DeletePool", json!({ "pool": NEWER })).done(204);
    assert_eq!(each(&stage.call("Pools", json!({})).done(200), "name"), [HOME, QUARANTINE]);
}

/// Into the new pool first, out of the old one then: as Weir moves an IP.
fn moves(stage: &Stage) {
    let pools_of_ip = || stage.sendgrid.world().pools_of_ip(DEDICATED_IP).into_iter().collect::<Vec<_>>();
    for (from, to) in [(HOME, QUARANTINE), (QUARANTINE, HOME)] {
        let added = stage.call("AddToPool", json!({ "pool": to, "ip": DEDICATED_IP })).done(201);
        assert_eq!((&added["ip"], &added["pools"]), (&json!(DEDICATED_IP), &json!([from, to])));
        assert_eq!(pools_of_ip(), [HOME, QUARANTINE]);
        stage.call("RemoveFromPool", json!({ "pool": from, "ip": DEDICATED_IP })).done(204);
        assert_eq!(pools_of_ip(), [to]);
        let inside = stage.call("PoolIps", json!({ "pool": to })).done(200);
        assert!(inside["ips"].as_array().unwrap().contains(&json!(DEDICATED_IP)), "{inside}");
        assert_eq!(stage.call("Ip", json!({ "ip": DEDICATED_IP })).done(200)["pools"], json!([to]));
    }
}

fn refusals(stage: &Stage) {
    let nowhere = json!({ "pool": "no such pool", "ip": DEDICATED_IP, "name": "any" });
    for call in ["PoolIps", "AddToPool", "RenamePool"] {
        let refused = stage.call(call, nowhere.clone()).refused(404);
        assert!(refused["errors"][0]["message"].is_string(), "{refused}");
    }
    for call in ["DeletePool", "RemoveFromPool"] {
        let refused = stage.call(call, nowhere.clone()).refused(404);
        assert!(refused["error"].is_string(), "{refused}");
    }
    stage.call("Ip", json!({ "ip": "203.0.113.9" })).refused_undocumented(404);
    stage.call("CreatePool", json!({ "pool": HOME })).refused_undocumented(400);
}
