//! Reads that have not changed are not sent again.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use xxhash_rust::xxh3::xxh3_128;

use crate::problem::Problem;

/// Gives each answer to a GET in JSON an entity tag, and answers 304 to whoever has it already.
pub(crate) async fn tag(request: Request, next: Next) -> Response {
    let is_read = request.method() == Method::GET;
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let answer = next.run(request).await;
    let is_json = answer.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if !is_read || !is_json || answer.status() != StatusCode::OK {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    // It was made whole, in memory.
    let body = match to_bytes(body, usize::MAX).await {
        Ok(body) => body,
        Err(error) => return Problem::unavailable(format!("the answer can't be made: {error}")).into_response(),
    };
    let digest = || HeaderValue::try_from(format!("\"{:032x}\"", xxh3_128(&body)));
    if !parts.headers.contains_key(header::ETAG)
        && let Ok(tag) = digest()
    {
        parts.headers.insert(header::ETAG, tag);
    }
    if known.as_ref().zip(parts.headers.get(header::ETAG)).is_some_and(|(known, tag)| names(known, tag)) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(body))
}

/// The entity tags that a change is to be made to, where it is to be made to none other.
pub(crate) fn if_match(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(header::IF_MATCH).cloned()
}

/// Whether a list of entity tags, or `*`, names this one.
pub(crate) fn names(list: &HeaderValue, tag: &HeaderValue) -> bool {
    let Some((list, tag)) = list.to_str().ok().zip(tag.to_str().ok()) else { return false };
    list.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_named_alone_in_a_list_weak_or_by_a_star() {
        let named = |list| names(&HeaderValue::from_static(list), &HeaderValue::from_static("\"b\""));
        for list in ["\"b\"", "\"a\", \"b\"", "W/\"b\"", "*"] {
            assert!(named(list), "{list}");
        }
        assert!(!named("\"a\"") && !named("b") && !named(""));
    }
}
