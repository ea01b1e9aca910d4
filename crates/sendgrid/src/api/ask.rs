//! What a call asks.

use reqwest::Url;
use reqwest::header::HeaderValue;
use serde_json::Value;

use super::endpoint::Endpoint;
use super::error::Error;

/// A call with its names, its query and its body.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) endpoint: Endpoint,
    /// Path and query, encoded.
    pub(super) path: String,
    pub(super) body: Option<Value>,
    /// The subuser on whose behalf it is asked.
    pub(super) subuser: Option<HeaderValue>,
}

impl Ask {
    /// A call whose path has no names.
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, path: endpoint.template().to_owned(), body: None, subuser: None }
    }

    /// A call with these names in its path, in their order.
    ///
    /// # Errors
    ///
    /// [`Error::Name`] where a name would make the path that of another call: an empty one, or one of dots.
    pub(super) fn of(endpoint: Endpoint, names: &[&str]) -> Result<Self, Error> {
        if let Some(name) = names.iter().find(|name| matches!(**name, "" | "." | "..")) {
            return Err(Error::Name { method: endpoint.method(), path: endpoint.template(), name: (*name).to_owned() });
        }
        Ok(Self { path: path(endpoint.template(), names), ..Self::new(endpoint) })
    }

    pub(super) fn query<'a>(mut self, query: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        if let Some(mut url) = host() {
            url.query_pairs_mut().extend_pairs(query);
            let separator = if self.path.contains('?') { '&' } else { '?' };
            if let Some(query) = url.query().filter(|query| !query.is_empty()) {
                self.path = format!("{}{separator}{query}", self.path);
            }
        }
        self
    }

    pub(super) fn body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    pub(super) fn for_subuser(self, subuser: Option<&HeaderValue>) -> Self {
        Self { subuser: subuser.cloned(), ..self }
    }
}

/// The template with these names, encoded: names of pools and subusers may hold anything.
fn path(template: &str, names: &[&str]) -> String {
    let Some(mut url) = host() else { return String::new() };
    let mut names = names.iter();
    let segments = template.split('/').skip(1).map(|part| match part.starts_with('{') {
        true => names.next().copied().unwrap_or(part),
        false => part,
    });
    if let Ok(mut path) = url.path_segments_mut() {
        path.extend(segments);
    }
    url.path().to_owned()
}

/// A fixed address always parses; only what is appended varies, and that is encoded.
fn host() -> Option<Url> {
    Url::parse("http://host").ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded() {
        let ask = Ask::of(Endpoint::PoolIps, &["a b/c?"]).unwrap();
        assert_eq!(ask.path, "/v3/ips/pools/a%20b%2Fc%3F");
        let ask = Ask::new(Endpoint::Subusers).query([("username", "a&b")]).query([("limit", "1")]);
        assert_eq!(ask.path, "/v3/subusers?username=a%26b&limit=1");
        let ask = Ask::of(Endpoint::AddToSendPool, &["12"]).unwrap();
        assert_eq!(ask.path, "/v3/send_ips/pools/12/ips:batchAdd");
    }

    #[test]
    fn a_name_that_would_lead_to_another_call_is_refused() {
        for name in ["", ".", ".."] {
            assert!(matches!(Ask::of(Endpoint::DeleteWebhook, &[name]), Err(Error::Name { .. })), "{name:?}");
        }
    }

    #[test]
    fn a_name_fills_its_brace_whatever_it_is() {
        for endpoint in Endpoint::ALL {
            let braces = endpoint.template().matches('{').count();
            let ask = Ask::of(*endpoint, &["x"].repeat(braces)).unwrap();
            assert!(!ask.path.contains(['{', '%']), "{}", ask.path);
        }
    }
}
