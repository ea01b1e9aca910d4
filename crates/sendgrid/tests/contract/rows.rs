//! Every call that the client can make, in every reasonable variation.

use std::future::Future;
use std::pin::Pin;

use jiff::civil::date;
use model::Timestamp;
use sendgrid::api::{
    Account, BatchId, Client, Credits, CreditsKind, Days, Error, Id, IpApi, Redacted, Stop, SuppressionList,
    TimeWindow, WebhookEvent, WebhookOAuth, WebhookSettings,
};

use super::stage::{SUBUSER, Stage};

type Made = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// A call in one variation.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) make: Box<dyn Fn() -> Made>,
}

/// A row that makes a call; every run clones what it takes.
macro_rules! row {
    ($what:expr, $($of:ident),+ => $call:expr) => {{
        let of = ($($of.clone(),)+);
        let make = move || -> Made {
            let ($($of,)+) = of.clone();
            Box::pin(async move { $call.await.map(|_| ()) })
        };
        Row { what: $what.to_string(), make: Box::new(make) }
    }};
}

/// A name that has to be encoded.
const ODD: &str = "a b/c?d&e=ü%";
const POOL: &str = "marketing_pool";

/// All rows: the parent's by both APIs for IPs, and an account's as the parent and on behalf of a subuser.
pub(crate) fn all(stage: &Stage) -> Vec<Row> {
    let (names, ids) = (stage.client(IpApi::Names), stage.client(IpApi::Ids));
    let subuser = names.on_behalf_of(SUBUSER).unwrap();
    let lists = [subusers(&names), ips(&names, "names"), ips(&ids, "ids"), of(&names.own()), of(&subuser)];
    lists.into_iter().flatten().collect()
}

/// What can be asked of an account.
pub(crate) fn of(account: &Account) -> Vec<Row> {
    let lists = [about(account), webhooks(account), batches(account), suppressions(account), stats(account)];
    lists.into_iter().flatten().collect()
}

/// What only a parent can be asked about its subusers.
pub(crate) fn subusers(client: &Client) -> Vec<Row> {
    let mut rows = vec![
        row!("subusers", client => client.subusers()),
        row!("subuser", client => client.subuser(ODD)),
        row!("disabled", client => client.set_disabled(SUBUSER, true)),
        row!("enabled", client => client.set_disabled(ODD, false)),
        row!("no IPs", client => client.set_subuser_ips(SUBUSER, &[])),
        row!("two IPs", client => client.set_subuser_ips(ODD, &["192.0.2.1", "192.0.2.2"].map(str::to_owned))),
        row!("credits", client => client.credits(SUBUSER)),
        row!("credits left", client => client.credits_left(ODD)),
        row!("more credits", client => client.change_remaining_credits(SUBUSER, 5)),
        row!("fewer credits", client => client.change_remaining_credits(SUBUSER, -5)),
        row!("reputations", client => client.reputations(&[SUBUSER, ODD])),
        row!("stats of one", client => client.subuser_stats(&[SUBUSER], a_day())),
        row!("stats of eleven", client => client.subuser_stats(&[ODD; 11], a_month())),
    ];
    let recurring = |every: &str| Credits {
        kind: CreditsKind::Recurring,
        reset_frequency: Some(every.to_owned()),
        total: Some(100_000_000),
    };
    let once = Credits { kind: CreditsKind::Nonrecurring, reset_frequency: None, total: Some(1) };
    let all = [Credits::unlimited(), Credits::daily(0), recurring("weekly"), recurring("monthly"), once];
    rows.extend(
        all.map(|credits| row!(format!("{credits:?}"), client, credits => client.set_credits(SUBUSER, &credits))),
    );
    rows
}

/// What can be done to IPs and pools.
pub(crate) fn ips(client: &Client, by: &str) -> Vec<Row> {
    vec![
        row!(format!("pools by {by}"), client => client.pools()),
        row!(format!("new pool by {by}"), client => client.create_pool("quarantine")),
        row!(format!("odd new pool by {by}"), client => client.create_pool(ODD)),
        row!(format!("a pool's IPs by {by}"), client => client.pool_ips(POOL)),
        row!(format!("an odd pool's IPs by {by}"), client => client.pool_ips(ODD)),
        row!(format!("into a pool by {by}"), client => client.add_to_pool(POOL, "192.0.2.1")),
        row!(format!("into an odd pool by {by}"), client => client.add_to_pool(ODD, "192.0.2.1")),
        row!(format!("out of a pool by {by}"), client => client.remove_from_pool(POOL, "192.0.2.1")),
        row!(format!("out of an odd pool by {by}"), client => client.remove_from_pool(ODD, "192.0.2.1")),
        row!(format!("all IPs by {by}"), client => client.all_ips()),
        row!(format!("an IP by {by}"), client => client.ip("127.0.0.1")),
        row!(format!("a strange IP by {by}"), client => client.ip("198.51.100.1")),
        row!(format!("a subuser's IPs by {by}"), client => client.subuser_ips(SUBUSER)),
        row!(format!("an odd subuser's IPs by {by}"), client => client.subuser_ips(ODD)),
    ]
}

fn about(account: &Account) -> Vec<Row> {
    vec![
        row!("scopes", account => account.scopes()),
        row!("account", account => account.details()),
        row!("account's credits", account => account.credits()),
        row!("domains", account => account.domains()),
        row!("domain", account => account.domain(&Id::new("45373692"))),
        row!("reverse DNS records", account => account.reverse_dns_records()),
        row!("reverse DNS record", account => account.reverse_dns_record(&Id::new("1"))),
    ]
}

fn webhooks(account: &Account) -> Vec<Row> {
    let id = || Id::new("77d4a5da-7015-11ed-a1eb-0242ac120002");
    let mut rows = vec![
        row!("webhooks", account => account.webhooks()),
        row!("webhook", account => account.webhook(&id())),
        row!("no webhook", account => account.delete_webhook(&id())),
        row!("key", account => account.webhook_key(&id())),
        row!("signed", account => account.set_webhook_signing(&id(), true)),
        row!("unsigned", account => account.set_webhook_signing(&id(), false)),
        row!("test", account => account.test_webhook(None, "https://example.com/in", None)),
        row!("test of one", account => account.test_webhook(Some(&id()), "https://example.com/in", Some(&oauth()))),
    ];
    for settings in webhook_settings() {
        let what = format!("{} events, {}", settings.events.len(), settings.friendly_name.is_some());
        rows.push(row!(format!("new webhook: {what}"), account, settings => account.create_webhook(&settings)));
        let (what, id) = (format!("changed webhook: {what}"), id());
        rows.push(row!(what, account, id, settings => account.update_webhook(&id, &settings)));
    }
    rows
}

fn webhook_settings() -> [WebhookSettings; 3] {
    let bare = WebhookSettings {
        url: "https://example.com/in".to_owned(),
        enabled: false,
        events: [].into(),
        friendly_name: None,
        oauth: None,
    };
    let full = WebhookSettings {
        enabled: true,
        events: WebhookEvent::ALL.into(),
        friendly_name: Some(ODD.to_owned()),
        oauth: Some(oauth()),
        ..bare.clone()
    };
    let few = WebhookSettings { events: [WebhookEvent::Bounce, WebhookEvent::SpamReport].into(), ..bare.clone() };
    [bare, few, full]
}

fn oauth() -> WebhookOAuth {
    WebhookOAuth {
        client_id: "weir".to_owned(),
        client_secret: Redacted::new("secret".to_owned()),
        token_url: "https://example.com/token".to_owned(),
    }
}

fn batches(account: &Account) -> Vec<Row> {
    let batch = || BatchId::new("HkJ5yLYULb7Rj8GKSx7u025ouWVlMgAi");
    vec![
        row!("new batch", account => account.new_batch()),
        row!("batches held back", account => account.scheduled_sends()),
        row!("a batch held back", account => account.scheduled_send(&batch())),
        row!("paused", account => account.stop_batch(&batch(), Stop::Pause)),
        row!("cancelled", account => account.stop_batch(&BatchId::new("a-b_c"), Stop::Cancel)),
        row!("paused after all", account => account.change_batch(&batch(), Stop::Pause)),
        row!("cancelled after all", account => account.change_batch(&batch(), Stop::Cancel)),
        row!("resumed", account => account.resume_batch(&batch())),
    ]
}

fn suppressions(account: &Account) -> Vec<Row> {
    let within = |first: i64, last: i64| TimeWindow {
        first: Timestamp::from_seconds(first),
        last: Timestamp::from_seconds(last),
    };
    let windows = [within(0, 0), within(1_449_000_000, 1_790_000_000)];
    let rows = SuppressionList::ALL.into_iter().flat_map(|list| windows.map(|window| (list, window)));
    rows.map(|(list, window)| row!(format!("{list:?} {window:?}"), account => account.suppressions(list, window)))
        .collect()
}

fn stats(account: &Account) -> Vec<Row> {
    vec![
        row!("stats of a day", account => account.stats(a_day())),
        row!("stats of a month", account => account.stats(a_month())),
        row!("providers of a day", account => account.provider_stats(a_day())),
        row!("providers of a month", account => account.provider_stats(a_month())),
    ]
}

const fn a_day() -> Days {
    Days { first: date(2026, 2, 28), last: date(2026, 2, 28) }
}

const fn a_month() -> Days {
    Days { first: date(2026, 1, 1), last: date(2026, 1, 31) }
}
