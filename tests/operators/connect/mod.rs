//! `weir connect` and `weir disconnect`, the real binary, against a simulated SendGrid over HTTP.

mod interrupted;
mod rig;

use reqwest::Method;
use rig::{Rig, SETTINGS};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_shows_what_would_be_done_and_changes_nothing() {
    let rig = Rig::new().await;
    let said = rig.weir(&["connect", "--url", &rig.url(), "--subuser", "acme", "--dry-run"]).await.done();
    for word in [
        "plan      paid",
        "pool      good-1: 192.0.2.1, 192.0.2.2, 192.0.2.3",
        "subusers  2",
        "webhooks  the account: 0 of at most 5",
        "weir_scorer_processed_mails_total{pool=\"none\"}",
        &format!("1. make a webhook of the account to {}", rig.url_of("sendgrid")),
        &format!("5. make a webhook of subuser acme to {}", rig.url_of("sendgrid-acme")),
        "9. have SendGrid send 2 test events, and wait at most 60 s",
        "Nothing was done",
    ] {
        assert!(said.contains(word), "{word:?} in {said}");
    }
    assert!(rig.changes().is_empty(), "{:?}", rig.changes());
    assert_eq!(rig.config(), rig.written);
    let files = std::fs::read_dir(rig.folder.path()).unwrap().count();
    assert_eq!(files, 1, "only the configuration is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_unless_somebody_says_yes() {
    let rig = Rig::new().await;
    let said = rig.weir(&["connect", "--check"]).await.failed();
    assert!(said.contains("nothing is connected"), "{said}");
    let said = rig.weir(&["connect", "--url", &rig.url()]).await.failed();
    assert!(said.contains("--yes"), "{said}");
    assert!(rig.changes().is_empty() && rig.config() == rig.written);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_connected_posts_signed_and_disconnecting_leaves_no_trace() {
    let rig = Rig::new().await;
    rig.made_by_hand("https://other.example/").await;
    let before = rig.all_webhooks().await;
    let said = rig.connect(&["--all-subusers"]).await.done();
    assert_eq!(said.matches("arrived: the test event").count(), 3, "{said}");
    assert!(rig.config().starts_with(&rig.written), "{}", rig.config());
    assert!(rig.checked().await.contains("sources [sendgrid, sendgrid-acme, sendgrid-bolt]"));
    let config: toml::Table = toml::from_str(&rig.config()).unwrap();
    for (place, user) in [None, Some("acme"), Some("bolt")].into_iter().enumerate() {
        let webhooks = rig.webhooks(user).await;
        let webhook = webhooks.iter().find(|webhook| webhook["url"] != "https://other.example/").unwrap();
        let source = &config["source"][place];
        assert_eq!(webhook["url"], rig.url_of(source["name"].as_str().unwrap()));
        assert_eq!(webhook["public_key"].as_str(), source["verification_keys"][0].as_str());
        assert_eq!(source.get("subuser").and_then(toml::Value::as_str), user);
        let rule = user.map_or_else(|| json!({ "custom_arg": "customer_id" }), |user| json!({ "fixed": user }));
        assert_eq!(serde_json::to_value(&source["customer"]).unwrap(), rule);
        let flags = webhook.as_object().unwrap().values().filter_map(Value::as_bool);
        assert_eq!(flags.filter(|is_on| *is_on).count(), 13, "it is on, for all twelve kinds: {webhook}");
    }
    let receipt = std::fs::read_to_string(rig.path("weir.connect.json")).unwrap();
    assert!(!receipt.contains(rig.sendgrid.api_key()));

    let (done, config) = (rig.changes().len(), rig.config());
    let again = rig.connect(&["--all-subusers"]).await.done();
    assert!(again.contains("nothing to do"), "{again}");
    assert_eq!((rig.changes().len(), rig.config()), (done, config));

    let shown = rig.weir(&["disconnect", "--dry-run"]).await.done();
    assert!(shown.contains("remove the webhook of subuser bolt") && rig.changes().len() == done, "{shown}");
    rig.disconnect().await.done();
    assert_eq!(rig.all_webhooks().await, before);
    assert_eq!(rig.config(), rig.written);
    assert!(!rig.path("weir.connect.json").exists());
    assert!(rig.disconnect().await.done().contains("nothing to undo"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_there_is_completed_and_comes_back_as_it_was() {
    let rig = Rig::new().await;
    let id = rig.made_by_hand(&rig.url_of("sendgrid")).await;
    let before = rig.all_webhooks().await;
    rig.connect(&[]).await.done();
    let [webhook] = rig.webhooks(None).await.try_into().unwrap();
    assert_eq!((&webhook["id"], &webhook["enabled"], &webhook["open"]), (&json!(id), &json!(true), &json!(true)));
    assert_eq!((&webhook["friendly_name"], &webhook["oauth_client_id"]), (&json!("by hand"), &json!("me")));
    assert!(webhook["public_key"].is_string(), "it signs: {webhook}");
    rig.disconnect().await.done();
    assert_eq!((rig.all_webhooks().await, rig.config()), (before, rig.written.clone()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_changed_since_is_left_alone_and_told() {
    let rig = Rig::new().await;
    rig.connect(&["--subuser", "acme"]).await.done();
    let edited = rig.config().replace("fixed = \"acme\"", "fixed = \"acme-inc\"");
    std::fs::write(rig.path("weir.toml"), &edited).unwrap();
    let [own] = rig.webhooks(None).await.try_into().unwrap();
    let path = format!("{SETTINGS}/{}", own["id"].as_str().unwrap());
    let elsewhere = json!({ "url": "https://else.example/" });
    rig.call(Method::PATCH, &path, None, Some(elsewhere)).await;
    let said = rig.disconnect().await.done();
    assert!(said.contains("left alone: the webhook of the account posts to https://else.example/"), "{said}");
    assert!(said.contains("left alone: source \"sendgrid-acme\""), "{said}");
    assert_eq!((rig.webhooks(None).await.len(), rig.webhooks(Some("acme")).await.len()), (1, 0));
    assert!(rig.config().contains("acme-inc") && !rig.config().contains("customer_id"), "{}", rig.config());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_that_is_missing_is_named_before_anything_is_done() {
    let rig = Rig::new().await;
    for scope in ["user.webhooks.event.settings.create", "user.webhooks.event.settings.read"] {
        let fewer = rig.sendgrid.world().scopes.clone().without(scope);
        rig.sendgrid.world().scopes = fewer;
        let said = rig.connect(&[]).await.failed();
        assert!(said.contains(&format!("lacks {scope}: give it")) && said.contains("SENDGRID_API_KEY"), "{said}");
        assert!(!said.contains(rig.sendgrid.api_key()), "{said}");
    }
    assert!(rig.changes().is_empty() && rig.config() == rig.written);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_key_may_not_read_besides_is_said_and_keeps_nobody_from_connecting() {
    let rig = Rig::new().await;
    let fewer = rig.sendgrid.world().scopes.clone().without("ips.pools.read").without("subusers.read");
    rig.sendgrid.world().scopes = fewer;
    let said = rig.connect(&[]).await.done();
    assert!(said.contains("pools     not to be read") && said.contains("the key lacks subusers.read"), "{said}");
    let said = rig.connect(&["--subuser", "acme"]).await.failed();
    assert!(said.contains("subusers can't be looked at"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_does_not_arrive_is_told_and_the_same_webhook_is_moved() {
    let rig = Rig::new().await;
    let said = rig.weir(&["connect", "--url", "http://127.0.0.1:9", "--wait", "1s", "--yes"]).await.failed();
    assert!(said.contains("NOT arrived") && said.contains("nothing came"), "{said}");
    assert!(said.contains("What was done stays"), "{said}");
    let [wrong] = rig.webhooks(None).await.try_into().unwrap();
    rig.connect(&[]).await.done();
    let [moved] = rig.webhooks(None).await.try_into().unwrap();
    assert_eq!((&moved["id"], &moved["url"]), (&wrong["id"], &json!(rig.url_of("sendgrid"))));
    rig.disconnect().await.done();
    assert_eq!((rig.webhooks(None).await.len(), rig.config()), (0, rig.written.clone()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weir_that_runs_takes_the_sources_at_its_restart_and_is_watched_then() {
    let rig = Rig::new().await;
    let mut running = rig.running().await;
    let said = rig.connect(&[]).await.done();
    assert!(said.contains("restart it") && !said.contains("arrived:"), "{said}");
    let said = rig.weir(&["connect", "--check", "--wait", "2s"]).await.failed();
    assert!(said.contains("does the Weir that runs know the new source yet?"), "{said}");
    running.kill();
    let _restarted = rig.running().await;
    let said = rig.weir(&["connect", "--check"]).await.done();
    assert!(said.contains("arrived: the test event of the account"), "{said}");
    assert!(rig.connect(&[]).await.done().contains("nothing to do"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_only_pool_beside_the_quarantine_is_written_as_the_home() {
    let rig = Rig::new().await;
    rig.call(Method::PUT, "/v3/ips/pools/good-1", None, Some(json!({ "name": "shared" }))).await;
    let said = rig.connect(&[]).await.done();
    assert!(said.contains("home = \"shared\""), "{said}");
    let policy = std::fs::read_to_string(rig.path("policy.toml")).unwrap();
    assert_eq!(policy, policy::DEFAULT.replacen("home = \"good-1\"", "home = \"shared\"", 1));
    rig.checked().await;
    assert!(rig.connect(&[]).await.done().contains("nothing to do"));
    rig.disconnect().await.done();
    assert!(!rig.path("policy.toml").exists());
    assert_eq!(rig.config(), rig.written);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_webhooks_than_the_plan_allows_are_refused_before_anything_is_done() {
    let rig = Rig::new().await;
    rig.sendgrid.world().most_webhooks = 1;
    rig.made_by_hand("https://other.example/").await;
    let done = rig.changes().len();
    let said = rig.connect(&[]).await.failed();
    assert!(said.contains("the account has 1 of the 1 webhooks that its plan allows"), "{said}");
    assert_eq!((rig.changes().len(), rig.config()), (done, rig.written.clone()));
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_that_another_key_signs_are_told_and_the_new_key_is_added() {
    let rig = Rig::new().await;
    rig.connect(&[]).await.done();
    let [webhook] = rig.webhooks(None).await.try_into().unwrap();
    let path = format!("{SETTINGS}/signed/{}", webhook["id"].as_str().unwrap());
    for signs in [false, true] {
        rig.call(Method::PATCH, &path, None, Some(json!({ "enabled": signs }))).await;
    }
    let said = rig.weir(&["connect", "--check", "--wait", "2s"]).await.failed();
    assert!(said.contains("NOT arrived") && said.contains("signed by another key"), "{said}");
    let said = rig.connect(&[]).await.done();
    assert!(said.contains("add the key to source \"sendgrid\"") && said.contains("arrived: "), "{said}");
    let config: toml::Table = toml::from_str(&rig.config()).unwrap();
    assert_eq!(config["source"][0]["verification_keys"].as_array().unwrap().len(), 2);
    rig.disconnect().await.done();
    assert_eq!((rig.webhooks(None).await.len(), rig.config()), (0, rig.written.clone()));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_webhook_is_found_the_receipt_is_kept_until_somebody_says_to_forget_it() {
    let rig = Rig::new().await;
    rig.made_by_hand("https://ann:s3cret@other.example/?token=s3cret").await;
    let said = rig.connect(&[]).await.done();
    assert!(said.contains("https://other.example/ (off)") && !said.contains("s3cret"), "{said}");
    let ours = rig.webhooks(None).await.into_iter().find(|webhook| webhook["url"] == rig.url_of("sendgrid")).unwrap();
    let path = format!("{SETTINGS}/{}", ours["id"].as_str().unwrap());
    rig.call(Method::DELETE, &path, None, None).await;
    let config = rig.config();
    let said = rig.disconnect().await.failed();
    assert!(said.contains("Nothing was done") && said.contains("--forget"), "{said}");
    assert!(rig.path("weir.connect.json").exists() && rig.config() == config);
    rig.weir(&["disconnect", "--yes", "--forget"]).await.done();
    assert!(!rig.path("weir.connect.json").exists());
    assert_eq!(rig.config(), rig.written);
}
