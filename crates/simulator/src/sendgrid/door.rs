//! What happens to every call, whatever it asks: the key, the rate limit, faults, the record.

use std::time::Instant;

use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::api::{BAD_KEY, needed_scope, refused, refused_field};
use super::connections::Cut;
use super::record::Call;
use super::server::{API_KEY, Shared};
use super::trap::Moment;

/// The largest body that is read; a subuser's thousand IPs fit in 20 kB.
const LARGEST_BODY: usize = 1 << 20;

/// Lets a call in, and notes what came of it.
pub(super) async fn at_the_door(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let arrived = Instant::now();
    let call = Call {
        method: request.method().to_string(),
        path: request.uri().to_string(),
        on_behalf_of: on_behalf_of(&request),
        body: String::new(),
        status: 0,
        at: arrived,
    };
    let latency = shared.world().faults.latency;
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return refused(StatusCode::PAYLOAD_TOO_LARGE, "request entity too large");
    };
    let request = Request::from_parts(parts, Body::from(body.clone()));
    let call = Call { body: String::from_utf8_lossy(&body).into_owned(), ..call };
    let Some(trap) = shared.trap(&call) else { return answered(&shared, request, next, call).await };
    match trap.moment {
        Moment::Before => {
            trap.shut();
            std::future::pending().await
        }
        Moment::After => {
            let _unsent = answered(&shared, request, next, call).await;
            trap.shut();
            std::future::pending().await
        }
        Moment::Answered => {
            let response = answered(&shared, request, next, call).await;
            trap.shut();
            response
        }
    }
}

async fn answered(shared: &Shared, request: Request, next: Next, call: Call) -> Response {
    let response = admitted(shared, request, next, call.at).await;
    let status = if Cut::is(&response) { 0 } else { response.status().as_u16() };
    shared.world().record.note(Call { status, ..call });
    response
}

fn on_behalf_of(request: &Request) -> Option<String> {
    let name = request.headers().get("on-behalf-of")?;
    Some(String::from_utf8_lossy(name.as_bytes()).into_owned())
}

async fn admitted(shared: &Shared, request: Request, next: Next, arrived: Instant) -> Response {
    let wanted = format!("Bearer {API_KEY}");
    match request.headers().get(header::AUTHORIZATION) {
        None => return refused(StatusCode::UNAUTHORIZED, "authorization required"),
        Some(found) if found != wanted.as_str() => {
            return refused(StatusCode::UNAUTHORIZED, BAD_KEY);
        }
        Some(_) => {}
    }
    if let Some(refusal) = without_scope(shared, &request) {
        return refusal;
    }
    let endpoint = endpoint(&request);
    let mut allowance = shared.spend(&endpoint, arrived);
    let too_many = shared.fault(|faults, rng| faults.is_too_many(request.method(), rng).then_some(faults.reset_in));
    let mut response = if allowance.exceeded || too_many.is_some() {
        shared.world().budgets.tell(&endpoint, &mut allowance, too_many.unwrap_or_default());
        refused(StatusCode::TOO_MANY_REQUESTS, "too many requests")
    } else {
        with_faults(shared, request, next).await
    };
    if !Cut::is(&response) {
        shared.world().budgets.answer(&endpoint);
    }
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

/// The newer calls have a shape of their own for a key that may not.
fn without_scope(shared: &Shared, request: &Request) -> Option<Response> {
    let path = matched(request);
    let scope = needed_scope(request.method(), path).filter(|scope| !shared.world().scopes.has(scope))?;
    Some(if path.starts_with("/v3/send_ips") {
        refused_field(StatusCode::UNAUTHORIZED, "", &format!("missing required scope: {scope}"))
    } else {
        refused(StatusCode::FORBIDDEN, "access forbidden")
    })
}

/// Rate limits hold for the method and the path with its names left out.
fn endpoint(request: &Request) -> String {
    format!("{} {}", request.method(), matched(request))
}

fn matched(request: &Request) -> &str {
    request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str)
}
