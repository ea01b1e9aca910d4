//! What goes wrong on request, and what can be told afterwards of the moments and the calls in between.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use simulator::sendgrid::{Budget, Call, Faults, HOME, Moment, Options, QUARANTINE};

use crate::support::{Api, DEDICATED_IP, subuser, through};

/// A read that is late may be so for up to this.
const LATE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn late_reads_show_what_was_while_mail_leaves_by_what_is() {
    let api = Api::new().await;
    api.sendgrid.world().faults.stale = LATE;
    api.call(Method::PATCH, "/v3/subusers/acme", Some(json!({ "disabled": true }))).await;
    let cap = json!({ "type": "recurring", "reset_frequency": "daily", "total": 2 });
    api.call(Method::PUT, "/v3/subusers/acme/credits", Some(cap)).await;
    let poor = json!(api.sendgrid.world().ips_of_pool(QUARANTINE));
    api.call(Method::PUT, "/v3/subusers/acme/ips", Some(poor)).await;
    assert!(api.sendgrid.world().is_disabled("acme"));
    assert_eq!(api.sendgrid.world().pools_of("acme").into_iter().collect::<Vec<_>>(), [QUARANTINE]);
    let (_, found) = api.call(Method::GET, "/v3/subusers?username=acme", None).await;
    assert_eq!(found[0]["disabled"], json!(false));
    let (_, credits) = api.call(Method::GET, "/v3/subusers/acme/credits", None).await;
    assert_eq!(credits["type"], json!("unlimited"));
    let (_, ips) = api.call(Method::GET, "/v3/ips?subuser=acme&limit=500", None).await;
    assert_eq!(ips[0]["pools"], json!([HOME]));
    api.sendgrid.world().faults.stale = Duration::ZERO;
    let (_, found) = api.call(Method::GET, "/v3/subusers?username=acme", None).await;
    assert_eq!(found[0]["disabled"], json!(true), "whoever waits sees what is");
}

#[tokio::test]
async fn a_late_read_is_no_later_than_it_may_be() {
    let budget = Budget { calls: 1_000_000, ..Budget::default() };
    let api = Api::with(Options { budget, seed: 1 }).await;
    api.sendgrid.world().faults.stale = Duration::from_millis(200);
    api.call(Method::PATCH, "/v3/subusers/acme", Some(json!({ "disabled": true }))).await;
    let changed = tokio::time::Instant::now();
    let mut late = 0;
    while changed.elapsed() < Duration::from_millis(400) {
        let asked = changed.elapsed();
        let (_, found) = api.call(Method::GET, "/v3/subusers?username=acme", None).await;
        let shows = found[0]["disabled"].as_bool().unwrap();
        assert!(shows || asked < Duration::from_millis(200), "{asked:?} later it was still not seen");
        late += u32::from(!shows);
    }
    assert!(late > 0);
}

#[tokio::test]
async fn a_good_key_is_refused_at_times_and_nothing_changes() {
    let api = Api::new().await;
    api.sendgrid.world().faults.unauthorised = 1.0;
    let (status, answer) = api.call(Method::PATCH, "/v3/subusers/acme", Some(json!({ "disabled": true }))).await;
    assert_eq!(status, 401);
    assert!(answer["errors"][0]["message"].as_str().unwrap().contains("authorization grant"));
    assert_eq!(api.gate(&subuser()), through(HOME));
}

#[tokio::test]
async fn calls_before_the_reset_that_a_429_told_are_counted() {
    let api = Api::new().await;
    api.sendgrid.world().faults =
        Faults { too_many_share: 1.0, reset_in: Duration::from_millis(1), ..Faults::default() };
    let refused = api.try_call(Method::GET, "/v3/subusers", None).await.unwrap();
    assert_eq!((refused.status().as_u16(), api.sendgrid.overruns()), (429, 0));
    let reset: u64 = refused.headers()["x-ratelimit-reset"].to_str().unwrap().parse().unwrap();
    api.sendgrid.world().faults = Faults::default();
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(api.call(Method::GET, "/v3/scopes", None).await.0, 200);
    assert_eq!(api.sendgrid.overruns(), 0, "another endpoint's reset is another one");
    assert_eq!(api.call(Method::GET, "/v3/subusers", None).await.0, 200);
    assert_eq!(api.sendgrid.overruns(), 1);
    assert!(reset > 1_700_000_000);
}

#[tokio::test]
async fn whoever_waits_for_the_reset_is_not_counted() {
    let budget = Budget { calls: 1, per: Duration::from_millis(100) };
    let api = Api::with(Options { budget, seed: 1 }).await;
    assert_eq!(api.call(Method::GET, "/v3/scopes", None).await.0, 200);
    let refused = api.try_call(Method::GET, "/v3/scopes", None).await.unwrap();
    assert_eq!((refused.status().as_u16(), api.sendgrid.overruns()), (429, 1), "one call over the budget");
    let reset: u64 = refused.headers()["x-ratelimit-reset"].to_str().unwrap().parse().unwrap();
    let until = std::time::UNIX_EPOCH + Duration::from_secs(reset);
    tokio::time::sleep(until.duration_since(std::time::SystemTime::now()).unwrap_or_default()).await;
    assert_eq!(api.call(Method::GET, "/v3/scopes", None).await.0, 200);
    assert_eq!(api.sendgrid.overruns(), 1);
}

#[tokio::test]
async fn what_held_at_every_moment_can_be_told_afterwards() {
    let api = Api::new().await;
    let ip = format!("/v3/ips/pools/quarantine/ips/{DEDICATED_IP}");
    let body = Some(json!({ "ip": DEDICATED_IP }));
    let untouched = {
        let world = api.sendgrid.world();
        (world.lowest_ips_of("acme"), world.emptied_pools().len(), world.longest_in_two_pools(DEDICATED_IP))
    };
    assert_eq!(untouched, (Some(3), 0, Duration::ZERO));
    api.call(Method::POST, "/v3/ips/pools/quarantine/ips", body.clone()).await;
    api.call(Method::DELETE, &ip, None).await;
    api.call(Method::PUT, "/v3/subusers/acme/ips", Some(json!(["192.0.2.1"]))).await;
    let home = api.sendgrid.world().ips_of_pool(HOME);
    api.call(Method::PUT, "/v3/subusers/acme/ips", Some(json!(home))).await;
    {
        let world = api.sendgrid.world();
        assert_eq!(world.lowest_ips_of("acme"), Some(1));
        assert!(world.longest_in_two_pools(DEDICATED_IP) > Duration::ZERO);
        assert_eq!((world.lowest_pools_of_ip(DEDICATED_IP), world.emptied_pools().len()), (Some(1), 0));
    }
    api.call(Method::DELETE, &format!("/v3/ips/pools/{HOME}/ips/{DEDICATED_IP}"), None).await;
    api.call(Method::DELETE, "/v3/ips/pools/quarantine", None).await;
    let world = api.sendgrid.world();
    assert_eq!(world.lowest_pools_of_ip(DEDICATED_IP), Some(0));
    assert_eq!(world.emptied_pools().iter().collect::<Vec<_>>(), [QUARANTINE]);
}

#[tokio::test]
async fn a_call_is_on_record_with_whom_it_was_made_for() {
    let api = Api::new().await;
    let url = format!("{}/v3/scopes", api.sendgrid.base_url());
    let request = api.client.get(url).bearer_auth(api.sendgrid.api_key()).header("on-behalf-of", "acme");
    request.send().await.unwrap();
    let world = api.sendgrid.world();
    let call = &world.calls()[0];
    assert_eq!((call.on_behalf_of.as_deref(), call.changes()), (Some("acme"), false));
}

#[tokio::test]
async fn a_client_is_caught_before_or_after_a_calls_effect() {
    let api = Api::new().await;
    for (moment, is_done) in [(Moment::Before, false), (Moment::After, true), (Moment::Answered, true)] {
        let caught = api.sendgrid.catch(1, moment, Call::changes);
        let call = |disabled| api.try_call(Method::PATCH, "/v3/subusers/acme", Some(json!({ "disabled": disabled })));
        assert_eq!(call(false).await.unwrap().status(), 204, "{moment:?}: one passes");
        assert_eq!(api.call(Method::GET, "/v3/scopes", None).await.0, 200, "{moment:?}: what is not meant passes");
        let answered = tokio::select! {
            // It hangs as a killed client leaves it.
            answer = call(true) => answer.is_ok(),
            () = async { caught.await.unwrap() }, if moment != Moment::Answered => false,
        };
        assert_eq!(answered, moment == Moment::Answered, "{moment:?}");
        assert_eq!(api.sendgrid.world().is_disabled("acme"), is_done, "{moment:?}");
    }
}

#[tokio::test]
async fn another_client_is_held_to_what_it_was_told_itself() {
    let budget = Budget { calls: 1, per: LATE };
    let api = Api::with(Options { budget, seed: 1 }).await;
    assert_eq!(api.call(Method::GET, "/v3/scopes", None).await.0, 200);
    api.sendgrid.world().change_client();
    assert_eq!(api.call(Method::GET, "/v3/scopes", None).await.0, 429);
    assert_eq!(api.sendgrid.overruns(), 0, "it could not know");
    assert_eq!(api.call(Method::GET, "/v3/scopes", None).await.0, 429);
    assert_eq!(api.sendgrid.overruns(), 1);
}
