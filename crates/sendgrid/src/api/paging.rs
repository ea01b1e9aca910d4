//! Lists that come in pages.
//!
//! A server that gives the same page again, or pages without end, does not keep a caller for ever.

use std::collections::HashSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use super::ask::Ask;
use super::error::Error;
use super::http::{Http, parse};

/// More pages than any list has.
const MOST_PAGES: usize = 10_000;

/// Items asked for on one page where SendGrid names no most: without a number some calls give five or ten, and say nothing
/// of the rest.
pub(super) const PAGE: usize = 100;

/// A list by `limit` and `offset`, a bare array a page.
pub(super) async fn by_offset<T: DeserializeOwned>(http: &Http, ask: &Ask, limit: usize) -> Result<Vec<T>, Error> {
    let (mut all, mut pages) = (Vec::new(), Pages::default());
    loop {
        let (limit_text, offset) = (limit.to_string(), all.len().to_string());
        let ask = ask.clone().query([("limit", limit_text.as_str()), ("offset", &offset)]);
        let body = http.body(&ask).await?;
        let page: Vec<T> = parse(&ask, &body)?;
        let is_last = page.len() < limit;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
        pages.turn(&ask, &body)?;
    }
}

/// A page of a list that names where the next one begins.
#[derive(Deserialize)]
struct Keyed<T> {
    result: Vec<T>,
    #[serde(rename = "_metadata", default)]
    metadata: Value,
}

/// A list by `limit` and `after_key`; the last page names no next one.
pub(super) async fn by_key<T: DeserializeOwned>(http: &Http, ask: &Ask) -> Result<Vec<T>, Error> {
    let limit = PAGE.to_string();
    let first = ask.clone().query([("limit", limit.as_str())]);
    let (mut ask, mut all, mut pages) = (first.clone(), Vec::new(), Pages::default());
    loop {
        let Keyed { result, metadata } = http.json(ask.clone()).await?;
        all.extend(result);
        let Some(key) = after_key(&metadata) else { return Ok(all) };
        pages.turn(&ask, key.as_bytes())?;
        ask = first.clone().query([("after_key", key.as_str())]);
    }
}

/// The key of the next page. The documents' schema puts it under `next_params`, their example directly under `_metadata`.
fn after_key(metadata: &Value) -> Option<String> {
    let key = metadata["next_params"].get("after_key").or_else(|| metadata.get("after_key"))?;
    match key {
        Value::String(key) if !key.is_empty() => Some(key.clone()),
        Value::Number(key) => Some(key.to_string()),
        _ => None,
    }
}

/// The pages that were seen.
#[derive(Default)]
pub(super) struct Pages(HashSet<u64>);

impl Pages {
    /// Goes on after a page.
    ///
    /// # Errors
    ///
    /// [`Error::UnexpectedAnswer`] where it was there before, or there are too many.
    pub(super) fn turn(&mut self, ask: &Ask, page: &[u8]) -> Result<(), Error> {
        if !self.0.insert(xxh3_64(page)) {
            return Err(Error::unexpected(ask, "the same page again".to_owned()));
        }
        if self.0.len() >= MOST_PAGES {
            return Err(Error::unexpected(ask, format!("over {MOST_PAGES} pages")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_next_page_is_found_in_the_schemas_shape_and_in_the_examples() {
        assert_eq!(after_key(&json!({ "next_params": { "after_key": "7" } })).as_deref(), Some("7"));
        assert_eq!(after_key(&json!({ "after_key": 7 })).as_deref(), Some("7"));
        assert_eq!(after_key(&json!({ "next_params": { "after_key": null } })), None);
        assert_eq!(after_key(&json!({ "after_key": "" })), None);
        assert_eq!(after_key(&Value::Null), None);
    }
}
