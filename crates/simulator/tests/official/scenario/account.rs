//! The account, or a subuser on whose behalf is asked: what it may do, what it may send, and by which names.

use serde_json::{Value, json};

use super::each;
use crate::official::stage::Stage;

pub(super) fn play(stage: &Stage, subuser: Option<&str>) {
    let call = |call: &str, of: Value| match subuser {
        Some(name) => stage.call_for(name, call, of),
        None => stage.call(call, of),
    };
    let scopes = call("Scopes", json!({})).done(200);
    assert!(scopes["scopes"].as_array().unwrap().contains(&json!("ips.pools.ips.create")), "{scopes}");
    assert_eq!(call("AccountDetails", json!({})).done(200)["type"], "paid");
    let credits = call("AccountCredits", json!({})).done(200);
    assert!(credits["remain"].is_u64(), "{credits}");
    let domains = call("Domains", json!({ "limit": 50, "offset": 0 })).done(200);
    assert_eq!(each(&domains, "domain"), ["platform.example"]);
    let domain = call("Domain", json!({ "id": domains[0]["id"] })).done(200);
    assert_eq!((&domain["id"], &domain["dns"]), (&domains[0]["id"], &domains[0]["dns"]));
    let first = call("ReverseDnsRecords", json!({ "limit": 4, "offset": 0 })).done(200);
    let second = call("ReverseDnsRecords", json!({ "limit": 4, "offset": 4 })).done(200);
    assert_eq!((each(&first, "ip").len(), each(&second, "ip").len()), (4, 2));
    assert_eq!(call("ReverseDnsRecord", json!({ "id": second[1]["id"] })).done(200), second[1]);
}
