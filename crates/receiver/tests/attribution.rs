//! Whose an event is: told by the source's rule, and where that tells nobody, the source's own; never dropped.

use log::Topic;
use model::CustomerId;
use receiver::CustomerRule;

use crate::support::{Setup, assert_taken, text};

/// The keys under which a source of rule `customer` stores `events`, in the order of its partitions.
async fn keys(customer: CustomerRule, events: &[&str]) -> Vec<String> {
    let mut setup = Setup::new();
    setup.customer = customer;
    let rig = setup.start().await;
    let bodies = events.iter().map(|rest| format!(r#"{{"event":"processed","timestamp":1795000000{rest}}}"#));
    let body = format!("[{}]", bodies.collect::<Vec<_>>().join(","));
    assert_taken(&rig.post(body).await, events.len(), 0);
    let mut keys: Vec<String> = rig.records(Topic::Events).iter().map(|record| text(&record.key)).collect();
    keys.sort();
    rig.comes_to(
        "weir_receiver_events_total",
        &[("outcome", "unattributed")],
        f64::from(u32::try_from(keys.iter().filter(|key| *key == NOBODY).count()).unwrap()),
    )
    .await;
    keys
}

async fn key(customer: CustomerRule, event: &str) -> String {
    keys(customer, &[event]).await.remove(0)
}

const NOBODY: &str = "unattributed:main";

fn arg() -> CustomerRule {
    CustomerRule::CustomArg("customer_id".into())
}

#[tokio::test]
async fn a_custom_argument_tells_the_customer() {
    assert_eq!(key(arg(), r#","customer_id":"acme""#).await, "acme");
    assert_eq!(key(arg(), r#","customer_id":"s\u00f6hne & co""#).await, "söhne & co");
}

#[tokio::test]
async fn a_custom_argument_may_be_a_number() {
    assert_eq!(key(arg(), r#","customer_id":4711"#).await, "4711");
}

#[tokio::test]
async fn of_two_arguments_of_one_name_the_last_counts() {
    assert_eq!(key(arg(), r#","customer_id":"first","customer_id":"last""#).await, "last");
}

#[tokio::test]
async fn an_event_without_the_argument_is_the_sources_own() {
    assert_eq!(key(arg(), r#","other":"acme""#).await, NOBODY);
}

#[tokio::test]
async fn an_argument_that_is_no_text_tells_nobody() {
    for value in ["null", "{}", "[\"acme\"]", r#""""#] {
        assert_eq!(key(arg(), &format!(r#","customer_id":{value}"#)).await, NOBODY, "{value}");
    }
}

#[tokio::test]
async fn control_characters_name_nobody() {
    for value in [r"a\u0000b", r"a\nb", r"\u001b[2J", r"\u0085"] {
        assert_eq!(key(arg(), &format!(r#","customer_id":"{value}""#)).await, NOBODY, "{value}");
    }
}

#[tokio::test]
async fn a_name_of_over_200_bytes_names_nobody() {
    let (longest, longer) = ("x".repeat(200), "x".repeat(201));
    assert_eq!(key(arg(), &format!(r#","customer_id":"{longest}""#)).await, longest);
    assert_eq!(key(arg(), &format!(r#","customer_id":"{longer}""#)).await, NOBODY);
}

#[tokio::test]
async fn mail_can_not_claim_a_name_that_is_never_judged() {
    assert_eq!(key(arg(), r#","customer_id":"unattributed:elsewhere""#).await, NOBODY);
}

#[tokio::test]
async fn the_first_category_with_the_prefix_tells_the_customer() {
    let rule = || CustomerRule::CategoryPrefix("customer:".into());
    assert_eq!(key(rule(), r#","category":"customer:acme""#).await, "acme");
    assert_eq!(key(rule(), r#","category":["news","customer:acme","customer:other"]"#).await, "acme");
    assert_eq!(key(rule(), r#","category":["news"]"#).await, NOBODY);
    assert_eq!(key(rule(), r#","category":"customer:""#).await, NOBODY);
    assert_eq!(key(rule(), "").await, NOBODY);
}

#[tokio::test]
async fn the_pool_tells_the_customer_of_the_events_that_have_it() {
    let events = [r#","pool":{"name":"acme-pool","id":210}"#, r#","ip":"192.0.2.1""#];
    assert_eq!(keys(CustomerRule::Pool, &events).await, ["acme-pool", NOBODY]);
    let argument = r#","pool":"acme-pool""#;
    assert_eq!(keys(CustomerRule::Pool, &[argument]).await, [NOBODY], "a custom argument is no pool");
}

#[tokio::test]
async fn all_events_of_a_fixed_source_are_its_customers() {
    let rule = CustomerRule::Fixed(CustomerId::new("acme").unwrap());
    assert_eq!(keys(rule, &["", r#","customer_id":"other""#]).await, ["acme", "acme"]);
}

#[tokio::test]
async fn each_customer_of_a_batch_has_its_own_key() {
    let events: Vec<String> = (0..60).map(|n| format!(r#","customer_id":"c{:02}""#, n % 20)).collect();
    let keys = keys(arg(), &events.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let expected: Vec<String> = (0..60).map(|n| format!("c{:02}", n / 3)).collect();
    assert_eq!(keys, expected);
}

#[tokio::test]
async fn an_event_without_arguments_goes_to_the_customer_whose_mail_it_is_of() {
    let mut setup = Setup::new();
    setup.customer = arg();
    let rig = setup.start().await;
    let mail = |customer: &str, smtp: &str, more: &str| {
        format!(
            r#"{{"event":"processed","timestamp":1795000000,"customer_id":"{customer}","smtp-id":"<{smtp}@ismtpd>","sg_message_id":"{smtp}.recvd-1-6AFD8C40-1.0"{more}}}"#
        )
    };
    let bounce = |smtp: &str| {
        format!(
            r#"{{"event":"bounce","type":"bounce","timestamp":1795000060,"sg_message_id":"","smtp-id":"<{smtp}@ismtpd>"}}"#
        )
    };
    let complaint = |id: &str| {
        format!(r#"{{"event":"spamreport","timestamp":1795000090,"sg_message_id":"{id}.filter-2-6AFD8C40-1.0"}}"#)
    };
    let first = [mail("acme", "one", ""), mail("bolt", "two", ""), bounce("one"), bounce("nobodys")];
    assert_taken(&rig.post(format!("[{}]", first.join(","))).await, 4, 0);
    let second = [bounce("one"), complaint("two"), complaint("nobodys")];
    assert_taken(&rig.post(format!("[{}]", second.join(","))).await, 3, 0);
    let mut keys: Vec<String> = rig.records(Topic::Events).iter().map(|record| text(&record.key)).collect();
    keys.sort();
    assert_eq!(keys, ["acme", "acme", "acme", "bolt", "bolt", NOBODY, NOBODY]);
    rig.comes_to("weir_receiver_events_joined_total", &[("source", "main")], 3.0).await;
    rig.comes_to("weir_receiver_events_total", &[("source", "main"), ("outcome", "unattributed")], 2.0).await;
    rig.comes_to("weir_receiver_events_total", &[("source", "main"), ("outcome", "accepted")], 5.0).await;
}
