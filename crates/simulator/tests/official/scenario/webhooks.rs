//! Webhooks: their settings, their keys, and what they post.

use serde_json::{Value, json};

use crate::official::answer::Answer;
use crate::official::receiver::{Post, TIMESTAMP};
use crate::official::stage::Stage;

pub(super) fn play(stage: &Stage, subuser: Option<&str>) {
    let call = |call: &str, of: Value| match subuser {
        Some(name) => stage.call_for(name, call, of),
        None => stage.call(call, of),
    };
    let url = format!("{}?of={}", stage.receiver.url, subuser.unwrap_or("account"));
    let id = settings(&call, &url);
    assert_eq!(stage.sendgrid.world().webhooks(subuser), [id.as_str()]);
    signing(stage, &call, &id, &url);
    let taken = call("CreateWebhook", json!({ "url": url })).refused(400);
    assert_eq!((&taken["errors"][0]["id"], &taken["errors"][0]["url"]), (&json!(id), &json!(url)));
    call("DeleteWebhook", json!({ "id": id })).done(204);
    assert!(stage.sendgrid.world().webhooks(subuser).is_empty());
    for gone in ["Webhook", "DeleteWebhook", "WebhookKey"] {
        let refused = call(gone, json!({ "id": id })).refused(404);
        assert!(refused["errors"][0]["message"].is_string(), "{refused}");
    }
}

/// A webhook that is made and changed; its id.
fn settings(call: &impl Fn(&str, Value) -> Answer, url: &str) -> String {
    let wanted = json!({ "url": url, "enabled": true, "bounce": true, "friendly_name": "Weir" });
    let made = call("CreateWebhook", wanted).done(201);
    assert_eq!((&made["bounce"], &made["open"], &made["friendly_name"]), (&json!(true), &json!(false), &json!("Weir")));
    let id = made["id"].as_str().unwrap().to_owned();
    let wanted = json!({ "id": id, "url": url, "bounce": false, "open": true });
    let changed = call("UpdateWebhook", wanted).done(200);
    assert_eq!(
        (&changed["bounce"], &changed["open"], &changed["enabled"]),
        (&json!(false), &json!(true), &json!(true))
    );
    let shown = call("Webhook", json!({ "id": id, "include": "account_status_change" })).done(200);
    assert_eq!((&shown["open"], &shown["account_status_change"]), (&json!(true), &json!(false)));
    let all = call("Webhooks", json!({ "include": "account_status_change" })).done(200);
    assert_eq!((&all["max_allowed"], &all["webhooks"][0]["url"]), (&json!(5), &json!(url)));
    id
}

/// What is posted is verified with the key that was read, and with no other.
fn signing(stage: &Stage, call: &impl Fn(&str, Value) -> Answer, id: &str, url: &str) {
    let verified = |post: &Post, key: &str| stage.tell(&post.to_verify(key))["verified"] == true;
    let key = call("SignWebhook", json!({ "id": id, "enabled": true })).done(200)["public_key"].clone();
    let key = key.as_str().unwrap();
    assert_eq!(call("WebhookKey", json!({ "id": id })).done(200), json!({ "id": id, "public_key": key }));
    assert_eq!(call("Webhook", json!({ "id": id })).done(200)["public_key"], key);
    call("TestWebhook", json!({ "id": id, "url": url })).done(204);
    let post = stage.receiver.post();
    assert!(verified(&post, key), "{post:?}");
    assert!(!verified(&post.with_header(TIMESTAMP, "1700000000"), key), "another time");
    assert!(!verified(&post.with_body(post.body.trim_ascii_end().to_vec()), key), "another end");
    assert_eq!(call("SignWebhook", json!({ "id": id, "enabled": false })).done(200)["public_key"], "");
    let new = call("SignWebhook", json!({ "id": id, "enabled": true })).done(200)["public_key"].clone();
    assert_ne!(new, key);
    assert!(!verified(&post, new.as_str().unwrap()), "another key");
}

/// The calls of the time when each user had one webhook.
pub(super) fn play_oldest(stage: &Stage) {
    let url = stage.receiver.url.as_str();
    let id = stage.call("CreateWebhook", json!({ "url": url, "open": true })).done(201)["id"].clone();
    let oldest = stage.call("OldestWebhook", json!({})).done_undocumented(200);
    assert_eq!((&oldest["id"], &oldest["open"]), (&id, &json!(true)));
    let changed = stage.call("UpdateOldestWebhook", json!({ "url": url, "open": false })).done_undocumented(200);
    assert_eq!((&changed["id"], &changed["open"]), (&id, &json!(false)));
    stage.call("DeleteWebhook", json!({ "id": id })).done(204);
}
