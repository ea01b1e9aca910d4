//! Pages that follow a key.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answers::{ok, refused_field};

/// As small as that of other lists, so that whoever forgets to page is found out.
const DEFAULT_LIMIT: usize = 10;
const LARGEST: usize = 100;

/// Which page. Numbers are read as text, since the real API says what is wrong with them.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    limit: Option<String>,
    after_key: Option<String>,
    /// What else was asked: the next page is asked the same.
    #[serde(flatten)]
    rest: BTreeMap<String, String>,
}

impl Page {
    /// The items of this page, which come with their keys, and how to ask for the next one.
    pub(super) fn of(&self, mut items: Vec<(u64, Value)>) -> Response {
        let bad = |field: &str, message: &str| refused_field(StatusCode::BAD_REQUEST, field, message);
        let limit = match self.limit.as_deref().map_or(Ok(DEFAULT_LIMIT), str::parse) {
            Ok(limit) if (1..=LARGEST).contains(&limit) => limit,
            _ => return bad("limit", "must be a number between 1 and 100"),
        };
        let after = match self.after_key.as_deref().map(str::parse::<u64>).transpose() {
            Ok(after) => after,
            Err(_) => return bad("after_key", "must be a numeric value"),
        };
        items.retain(|(key, _)| after.is_none_or(|after| after < *key));
        items.sort_by_key(|(key, _)| *key);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|(key, _)| key.to_string());
        let result: Vec<Value> = items.into_iter().map(|(_, item)| item).collect();
        let mut next = json!({ "after_key": next, "limit": limit.to_string() });
        for (name, value) in &self.rest {
            next[name] = if name.starts_with("is_") { json!(value == "true") } else { json!(value) };
        }
        ok(json!({ "result": result, "_metadata": { "next_params": next } }))
    }
}

/// An IP's place in lists.
pub(super) fn key_of(ip: &str) -> u64 {
    ip.parse::<Ipv4Addr>().map_or(0, |ip| u64::from(ip.to_bits()))
}
