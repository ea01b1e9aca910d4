//! Domains that mail is sent from, and the names of IPs.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::server::Shared;
use super::super::snapshot::Snapshot;
use super::answers::{ok, refused};
use super::ips::name_of;
use super::on_behalf_of::OnBehalfOf;

const DEFAULT_LIMIT: usize = 50;
/// The account's own number; subusers' are small.
const ACCOUNT: u64 = 1_000_000;
const DOMAIN: u64 = 1;
const VALIDATED_AT: u64 = 1_600_000_000;

#[derive(Deserialize)]
pub(super) struct Wanted {
    limit: Option<usize>,
    #[serde(default)]
    offset: usize,
    ip: Option<String>,
    domain: Option<String>,
}

/// The platform's one domain is everyone's.
pub(super) async fn domains(_: OnBehalfOf, Query(wanted): Query<Wanted>) -> Response {
    let is_wanted = wanted.domain.as_deref().is_none_or(|domain| domain == "platform.example");
    let mut listed = domain();
    listed["last_validation_attempt_at"] = json!(VALIDATED_AT);
    listed["subusers"] = json!([]);
    page(is_wanted.then_some(listed).into_iter(), &wanted)
}

pub(super) async fn show_domain(_: OnBehalfOf, Path(id): Path<String>) -> Response {
    found((id.parse() == Ok(DOMAIN)).then(domain))
}

fn domain() -> Value {
    let record = |host: &str| {
        let data = format!("{host}.u1000000.wl.sendgrid.example");
        json!({ "valid": true, "type": "cname", "host": format!("{host}.platform.example"), "data": data })
    };
    json!({
        "id": DOMAIN, "user_id": ACCOUNT, "username": "platform", "subdomain": "mail", "domain": "platform.example",
        "ips": [], "custom_spf": false, "default": true, "legacy": false, "automatic_security": true, "valid": true,
        "dns": { "mail_cname": record("mail"), "dkim1": record("s1-domainkey"), "dkim2": record("s2-domainkey") }
    })
}

pub(super) async fn reverse_dns(State(shared): State<Shared>, _: OnBehalfOf, Query(wanted): Query<Wanted>) -> Response {
    let is_wanted = |record: &Value| wanted.ip.as_ref().is_none_or(|wanted| record["ip"] == wanted.as_str());
    page(records(&shared.seen()).filter(is_wanted), &wanted)
}

pub(super) async fn show_reverse_dns(State(shared): State<Shared>, _: OnBehalfOf, Path(id): Path<String>) -> Response {
    let id = id.parse::<u64>().ok();
    let record = records(&shared.seen()).find(|record| record["id"].as_u64() == id);
    found(record)
}

/// Every IP has a name.
fn records(state: &Snapshot) -> impl Iterator<Item = Value> {
    state.ips.keys().zip(1_u64..).map(|(ip, id)| {
        let users = state.subusers_of_ip(ip).map(|(name, subuser)| json!({ "username": name, "user_id": subuser.id }));
        let (users, rdns): (Vec<Value>, _) = (users.collect(), name_of(ip));
        json!({
            "id": id, "ip": ip, "rdns": rdns, "users": users, "subdomain": "mail", "domain": "platform.example",
            "valid": true, "legacy": false, "last_validation_attempt_at": VALIDATED_AT,
            "a_record": { "valid": true, "type": "a", "host": rdns, "data": ip }
        })
    })
}

/// The documents name no answer for what there is not.
fn found(value: Option<Value>) -> Response {
    value.map_or_else(|| refused(StatusCode::NOT_FOUND, "resource not found"), ok)
}

fn page(found: impl Iterator<Item = Value>, wanted: &Wanted) -> Response {
    ok(found.skip(wanted.offset).take(wanted.limit.unwrap_or(DEFAULT_LIMIT)).collect())
}
