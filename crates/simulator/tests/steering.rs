//! What a call to the API changes is what a customer's next mail does; refusals have SendGrid's shapes.

use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::{Value, json};
use simulator::platform::{Account, Gate, Placement};
use simulator::sendgrid::{Budget, Faults, HOME, Options, QUARANTINE, SendGrid, World};

use crate::support::{Api, account, dedicated, subuser, through};

#[tokio::test]
async fn a_subuser_with_other_ips_sends_through_their_pool() {
    let api = Api::new().await;
    assert_eq!(api.gate(&subuser()), through(HOME));
    let (status, pool) = api.call(Method::GET, "/v3/ips/pools/quarantine", None).await;
    assert_eq!((status, &pool["pool_name"]), (200, &json!("quarantine")));
    let (status, answer) = api.call(Method::PUT, "/v3/subusers/acme/ips", Some(pool["ips"].clone())).await;
    assert_eq!((status, answer), (200, json!({ "ips": pool["ips"] })));
    assert_eq!(api.gate(&subuser()), through(QUARANTINE));
    let (_, ips) = api.call(Method::GET, "/v3/ips?subuser=acme&limit=500", None).await;
    let addresses: Vec<_> = ips.as_array().unwrap().iter().map(|ip| ip["ip"].clone()).collect();
    assert_eq!(json!(addresses), pool["ips"], "the set is replaced, not added to");
}

#[tokio::test]
async fn a_disabled_subuser_sends_nothing_until_it_is_enabled() {
    let api = Api::new().await;
    let (status, _) = api.call(Method::PATCH, "/v3/subusers/acme", Some(json!({ "disabled": true }))).await;
    assert_eq!((status, api.gate(&subuser())), (204, Gate::Stop));
    let (_, found) = api.call(Method::GET, "/v3/subusers?username=acme", None).await;
    assert_eq!(found[0]["disabled"], json!(true));
    api.call(Method::PATCH, "/v3/subusers/acme", Some(json!({ "disabled": false }))).await;
    assert_eq!(api.gate(&subuser()), through(HOME));
}

#[tokio::test]
async fn credits_run_out_one_mail_at_a_time() {
    let api = Api::new().await;
    let (_, unlimited) = api.call(Method::GET, "/v3/subusers/acme/credits", None).await;
    assert_eq!((&unlimited["type"], &unlimited["remain"]), (&json!("unlimited"), &Value::Null));
    let cap = json!({ "type": "recurring", "reset_frequency": "daily", "total": 2 });
    let (status, set) = api.call(Method::PUT, "/v3/subusers/acme/credits", Some(cap)).await;
    assert_eq!((status, &set["remain"], &set["used"]), (200, &json!(2), &json!(0)));
    let sent = [(); 4].map(|()| api.gate(&subuser()) != Gate::Stop);
    assert_eq!(sent, [true, true, false, false]);
    let more = Some(json!({ "allocation_update": 1 }));
    let (status, left) = api.call(Method::PATCH, "/v3/subusers/acme/credits/remaining", more).await;
    assert_eq!((status, &left["remain"]), (200, &json!(1)));
    assert_eq!([(); 2].map(|()| api.gate(&subuser()) != Gate::Stop), [true, false]);
}

#[tokio::test]
async fn a_customer_with_ips_of_its_own_follows_them_into_another_pool() {
    let api = Api::new().await;
    let body = Some(json!({ "ip": "198.51.100.7" }));
    let (status, added) = api.call(Method::POST, "/v3/ips/pools/quarantine/ips", body).await;
    assert_eq!((status, &added["pools"]), (201, &json!([HOME, QUARANTINE])));
    let (status, _) = api.call(Method::DELETE, "/v3/ips/pools/good-1/ips/198.51.100.7", None).await;
    assert_eq!((status, api.gate(&dedicated())), (204, through(QUARANTINE)));
    let (_, ip) = api.call(Method::GET, "/v3/ips/198.51.100.7", None).await;
    assert_eq!(ip["pools"], json!([QUARANTINE]));
}

#[tokio::test]
async fn a_customer_that_is_placed_nowhere_sends_as_its_mailer_was_told() {
    let mut world = World::of(&[]);
    let account = account(Placement::Route);
    assert_eq!(world.gate(&account, through("any")), through("any"));
    assert_eq!(world.gate(&account, Gate::Stop), Gate::Stop);
}

#[tokio::test]
async fn a_renamed_pool_keeps_its_ips_and_a_deleted_one_lets_them_go() {
    let api = Api::new().await;
    let (status, made) = api.call(Method::POST, "/v3/ips/pools", Some(json!({ "name": "new one" }))).await;
    assert_eq!((status, made), (200, json!({ "name": "new one" })), "created pools are answered with 200");
    let body = Some(json!({ "ip": "198.51.100.7" }));
    api.call(Method::POST, "/v3/ips/pools/new%20one/ips", body).await;
    let renamed = api.call(Method::PUT, "/v3/ips/pools/new%20one", Some(json!({ "name": "newer" }))).await;
    assert_eq!(renamed, (200, json!({ "name": "newer" })));
    assert_eq!(api.gate(&dedicated()), through("newer"));
    let (status, _) = api.call(Method::DELETE, "/v3/ips/pools/newer", None).await;
    assert_eq!((status, api.gate(&dedicated())), (204, through(HOME)));
    let (_, pools) = api.call(Method::GET, "/v3/ips/pools", None).await;
    assert_eq!(pools, json!([{ "name": HOME }, { "name": QUARANTINE }]));
}

#[tokio::test]
async fn refusals_have_the_shapes_of_the_documents() {
    let api = Api::new().await;
    let no_pool = "Unable to locate specified IPs Pool";
    let list = |field: Value, message: &str| json!({ "errors": [{ "field": field, "message": message }] });
    let cases = [
        (Method::GET, "/v3/ips/pools/none", None, 404, list(json!("error"), no_pool)),
        (Method::PUT, "/v3/ips/pools/none", Some(json!({"name": "x"})), 404, list(Value::Null, "ip pool not found")),
        (Method::DELETE, "/v3/ips/pools/none", None, 404, json!({ "error": no_pool })),
        (Method::DELETE, "/v3/ips/pools/good-1/ips/10.0.0.1", None, 404, json!({ "error": no_pool })),
        (
            Method::POST,
            "/v3/ips/pools/none/ips",
            Some(json!({"ip": "x"})),
            404,
            list(Value::Null, "resource not found"),
        ),
        (Method::GET, "/v3/subusers/none/credits", None, 400, list(Value::Null, "No user found")),
        (Method::PATCH, "/v3/subusers/acme", Some(json!({})), 400, list(Value::Null, "no fields provided")),
        (Method::GET, "/v3/nothing", None, 404, list(Value::Null, "not found")),
    ];
    for (method, path, body, status, shape) in cases {
        assert_eq!(api.call(method.clone(), path, body).await, (status, shape), "{method} {path}");
    }
    let zero = json!({ "type": "recurring", "reset_frequency": "daily", "total": 0 });
    let (status, answer) = api.call(Method::PUT, "/v3/subusers/acme/credits", Some(zero)).await;
    assert_eq!((status, &answer["errors"][0]["field"]), (400, &json!("total")), "a cap of nothing can't be set");
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_changes_nothing() {
    let api = Api::new().await;
    let url = format!("{}/v3/subusers/acme", api.sendgrid.base_url());
    let request = api.client.patch(url).bearer_auth("SG.other").json(&json!({ "disabled": true }));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 401);
    let answer: Value = response.json().await.unwrap();
    assert!(answer["errors"][0]["message"].as_str().unwrap().contains("invalid, expired, or revoked"));
    assert_eq!(api.gate(&subuser()), through(HOME));
}

#[tokio::test]
async fn lists_stop_at_ten_unless_asked_for_more() {
    let accounts: Vec<_> = (0..25)
        .map(|i| Account { placement: Placement::Subuser(format!("sub-{i:02}")), ..subuser() })
        .chain(
            (0..25)
                .map(|i| Account { placement: Placement::DedicatedIps(vec![format!("198.51.100.{i}")]), ..subuser() }),
        )
        .collect();
    let sendgrid = SendGrid::start(World::of(&accounts)).await.unwrap();
    let api = Api { sendgrid, ..Api::new().await };
    for path in ["/v3/ips", "/v3/subusers"] {
        let (_, found) = api.call(Method::GET, path, None).await;
        assert_eq!(found.as_array().unwrap().len(), 10, "{path}");
        let (_, rest) = api.call(Method::GET, &format!("{path}?limit=500&offset=10"), None).await;
        assert!(rest.as_array().unwrap().len() >= 15, "{path}");
    }
}

#[tokio::test]
async fn an_endpoint_over_its_budget_says_429_until_its_reset_and_others_go_on() {
    let budget = Budget { calls: 2, per: Duration::from_millis(300) };
    let api = Api::with(Options { budget, seed: 1 }).await;
    let get = async |path: &str| api.try_call(Method::GET, path, None).await.unwrap();
    let first = get("/v3/ips/192.0.2.1").await;
    let number =
        |response: &Response, name: &str| -> u64 { response.headers()[name].to_str().unwrap().parse().unwrap() };
    assert_eq!((number(&first, "x-ratelimit-limit"), number(&first, "x-ratelimit-remaining")), (2, 1));
    assert!(number(&first, "x-ratelimit-reset") > 1_700_000_000, "the reset is a moment");
    assert_eq!(get("/v3/ips/192.0.2.2").await.status(), 200);
    let third = get("/v3/ips/192.0.2.3").await;
    assert_eq!(third.status(), 429, "the limit is the endpoint's, whatever the name in the path");
    assert!(!third.headers().contains_key("retry-after"));
    assert_eq!(get("/v3/ips/pools").await.status(), 200, "another endpoint has a budget of its own");
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while get("/v3/ips/192.0.2.3").await.status() == 429 {
        assert!(tokio::time::Instant::now() < deadline, "the budget was never fresh again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_failure_before_changes_nothing_and_one_after_changes_all() {
    let api = Api::new().await;
    api.sendgrid.world().faults = Faults { before: 1, after: 1, ..Faults::default() };
    let disable = Some(json!({ "disabled": true }));
    let (status, _) = api.call(Method::PATCH, "/v3/subusers/acme", disable.clone()).await;
    assert_eq!((status, api.gate(&subuser())), (500, through(HOME)));
    let (status, _) = api.call(Method::PATCH, "/v3/subusers/acme", disable).await;
    assert_eq!((status, api.gate(&subuser())), (502, Gate::Stop));
}

#[tokio::test]
async fn a_cut_connection_may_or_may_not_have_carried_the_call_out() {
    let api = Api::new().await;
    let switch = async |disabled: bool| {
        api.try_call(Method::PATCH, "/v3/subusers/acme", Some(json!({ "disabled": disabled }))).await
    };
    api.sendgrid.world().faults = Faults { fail_before: 1.0, cut: 1.0, ..Faults::default() };
    assert!(switch(true).await.is_err());
    assert_eq!(api.gate(&subuser()), through(HOME));
    api.sendgrid.world().faults = Faults { fail_after: 1.0, cut: 1.0, ..Faults::default() };
    assert!(switch(true).await.is_err());
    assert_eq!(api.gate(&subuser()), Gate::Stop);
    let statuses: Vec<_> = api.sendgrid.world().calls().iter().map(|call| call.status).collect();
    assert_eq!(statuses, [0, 0]);
}

#[tokio::test]
async fn faults_by_share_hit_about_as_often_as_they_say_and_the_same_calls_for_the_same_seed() {
    let run = async |seed: u64| {
        let budget = Budget { calls: 10_000, ..Budget::default() };
        let api = Api::with(Options { budget, seed }).await;
        api.sendgrid.world().faults.fail_before = 0.3;
        let mut statuses = Vec::new();
        for _ in 0..200 {
            statuses.push(api.call(Method::GET, "/v3/scopes", None).await.0);
        }
        statuses
    };
    let statuses = run(7).await;
    let failed = statuses.iter().filter(|status| **status == 500).count();
    assert!((35..=85).contains(&failed), "{failed} of 200 failed");
    assert_eq!(statuses, run(7).await);
    assert_ne!(statuses, run(8).await);
}

#[tokio::test]
async fn every_call_is_on_record_with_what_came_of_it() {
    let api = Api::new().await;
    api.call(Method::GET, "/v3/ips?limit=1", None).await;
    api.call(Method::PATCH, "/v3/subusers/acme", Some(json!({ "disabled": true }))).await;
    let world = api.sendgrid.world();
    let calls: Vec<_> =
        world.calls().iter().map(|c| (c.method.as_str(), c.path.as_str(), c.body.as_str(), c.status)).collect();
    let expected = [("GET", "/v3/ips?limit=1", "", 200), ("PATCH", "/v3/subusers/acme", "{\"disabled\":true}", 204)];
    assert_eq!(calls, expected);
}
