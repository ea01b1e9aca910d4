//! What happens to every call, whatever it asks: the key, the rate limit, faults, the record.

use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;

use super::api::refused;
use super::connections::Cut;
use super::record::Call;
use super::server::{API_KEY, Shared};

/// The largest body that is read; a subuser's thousand IPs fit in 20 kB.
const LARGEST_BODY: usize = 1 << 20;

/// Lets a call in, and notes what came of it.
pub(super) async fn at_the_door(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().to_string(), request.uri().to_string());
    let latency = shared.world().faults.latency;
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return refused(StatusCode::PAYLOAD_TOO_LARGE, "request entity too large");
    };
    let request = Request::from_parts(parts, Body::from(body.clone()));
    let response = admitted(&shared, request, next).await;
    shared.world().record.note(call((method, path), &body, &response));
    response
}

fn call((method, path): (String, String), body: &Bytes, response: &Response) -> Call {
    let status = if Cut::is(response) { 0 } else { response.status().as_u16() };
    Call { method, path, body: String::from_utf8_lossy(body).into_owned(), status }
}

async fn admitted(shared: &Shared, request: Request, next: Next) -> Response {
    let wanted = format!("Bearer {API_KEY}");
    match request.headers().get(header::AUTHORIZATION) {
        None => return refused(StatusCode::UNAUTHORIZED, "authorization required"),
        Some(found) if found != wanted.as_str() => {
            let message = "The provided authorization grant is invalid, expired, or revoked";
            return refused(StatusCode::UNAUTHORIZED, message);
        }
        Some(_) => {}
    }
    let allowance = shared.spend(&endpoint(&request));
    let mut response = if allowance.exceeded || shared.world().faults.is_too_many(request.method()) {
        refused(StatusCode::TOO_MANY_REQUESTS, "too many requests")
    } else {
        with_faults(shared, request, next).await
    };
    allowance.write(response.headers_mut());
    response
}

async fn with_faults(shared: &Shared, request: Request, next: Next) -> Response {
    let method: Method = request.method().clone();
    if let Some(failure) = shared.fault(|faults, rng| faults.instead(&method, rng)) {
        return failure;
    }
    let response = next.run(request).await;
    shared.fault(|faults, rng| faults.afterwards(&method, rng)).unwrap_or(response)
}

/// Rate limits hold for the method and the path with its names left out.
fn endpoint(request: &Request) -> String {
    let path = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str);
    format!("{} {path}", request.method())
}
