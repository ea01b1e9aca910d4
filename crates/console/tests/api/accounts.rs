//! What SendGrid did to the account and to subusers, in the API and on the pages.

use log::Topic;
use model::{AccountStatus, AccountStatusChange, CustomerId, Millis, Stage};
use serde_json::{Value, json};

use crate::house::{House, NOW};

async fn changed(house: &House, customer: &CustomerId, status: AccountStatus, minutes: i64) {
    let at = NOW - Millis::minutes(60 - minutes);
    let change = AccountStatusChange { customer: customer.clone(), status, at, event: format!("e{minutes}") };
    house.put(Topic::Enforcement, &change.key(), serde_json::to_value(&change).unwrap()).await;
}

fn open(answer: &Value) -> Vec<(&str, &str)> {
    let all = answer["open"].as_array().unwrap();
    all.iter().map(|one| (one["customer"].as_str().unwrap(), one["status"].as_str().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_shown_until_sendgrid_takes_it_back_or_somebody_acknowledges_it() {
    let house = House::new().await;
    house.stands("acme", Stage::Healthy, None).await;
    let (acme, account) = (CustomerId::new("acme").unwrap(), CustomerId::unattributed("main"));
    changed(&house, &account, AccountStatus::Suspended, 1).await;
    changed(&house, &acme, AccountStatus::Banned, 2).await;
    let answer = house.until("/v1/account-status", |answer| open(answer).len() == 2).await;
    assert_eq!(open(&answer), [("acme", "compliance_ban"), ("unattributed:main", "compliance_suspend")]);
    let acts = house.until("/v1/activity", |answer| answer["acts"].as_array().unwrap().len() == 2).await;
    let act = &acts["acts"][0];
    assert_eq!(
        (&act["by"], &act["type"], &act["status"]),
        (&json!("SendGrid"), &json!("account_status"), &json!("compliance_ban"))
    );
    let (_, customer) = house.get("/v1/customers/acme").await;
    assert_eq!(customer["account_status"]["status"], "compliance_ban", "{customer}");
    let overview = house.look("/").await.words();
    assert!(overview.contains("SendGrid suspended the account"), "{overview}");
    assert!(overview.contains("SendGrid banned acme"), "{overview}");
    assert!(house.look("/customers/acme").await.words().contains("SendGrid banned its subuser."));
    assert!(house.look("/activity").await.words().contains("SendGrid suspended the account"));

    changed(&house, &acme, AccountStatus::Active, 3).await;
    let answer = house.until("/v1/account-status", |answer| open(answer).len() == 1).await;
    assert_eq!(open(&answer), [("unattributed:main", "compliance_suspend")]);
    assert!(!house.look("/customers/acme").await.words().contains("its subuser"));
    let wish = |customer: &str| json!({"customer": customer, "by": "ana", "reason": "we talk to them"}).to_string();
    assert_eq!(house.post("/v1/account-status/acknowledge", &wish("nobody")).await.0, 404);
    let unsigned = json!({"customer": "unattributed:main", "reason": "we talk to them"}).to_string();
    assert_eq!(house.post("/v1/account-status/acknowledge", &unsigned).await.0, 400);
    assert_eq!(house.post("/v1/account-status/acknowledge", &wish("unattributed:main")).await.0, 202);
    house.until("/v1/account-status", |answer| open(answer).is_empty()).await;
    assert!(!house.look("/").await.has("/account-status/acknowledge"));
    changed(&house, &account, AccountStatus::Banned, 4).await;
    house.until("/v1/account-status", |answer| open(answer) == [("unattributed:main", "compliance_ban")]).await;
    let csrf = house.look("/").await.field("csrf");
    let form = [("csrf", csrf.as_str()), ("customer", "unattributed:main"), ("by", "bob"), ("reason", "on it")];
    let done = house.send("/account-status/acknowledge", &form).await;
    assert_eq!((done.status, done.location.as_deref()), (303, Some("/?done=acknowledged")));
    house.until("/v1/account-status", |answer| open(answer).is_empty()).await;
}
