//! The API on a port of this machine.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, patch, post, put};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::answers::refused;
use super::api;
use super::world::{Call, World};

/// The port can't be had.
#[derive(Debug, thiserror::Error)]
#[error("the simulated SendGrid can't listen on this machine")]
pub struct SendGridError(#[from] std::io::Error);

/// The state, shared between the API and whoever watches.
#[derive(Clone, Debug)]
pub(super) struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        // Every change is whole before the lock is given back.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running SendGrid; it ends when this is dropped.
#[derive(Debug)]
pub struct SendGrid {
    shared: Shared,
    address: SocketAddr,
    stop: CancellationToken,
}

/// The only key that the simulated SendGrid takes.
const API_KEY: &str = "SG.simulated";

impl SendGrid {
    /// Serves `world` on a free port of this machine.
    ///
    /// # Errors
    ///
    /// [`SendGridError`].
    pub async fn start(world: World) -> Result<Self, SendGridError> {
        let shared = Shared(Arc::new(Mutex::new(world)));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let serving =
            axum::serve(listener, router(shared.clone())).with_graceful_shutdown(stop.clone().cancelled_owned());
        tokio::spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "the simulated SendGrid ended");
            }
        });
        Ok(Self { shared, address, stop })
    }

    /// Where its API is.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The key that it takes.
    pub const fn api_key(&self) -> &'static str {
        API_KEY
    }

    /// Its state.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world()
    }
}

impl Drop for SendGrid {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn router(shared: Shared) -> Router {
    Router::new()
        .route("/v3/ips", get(api::list_ips))
        .route("/v3/ips/{ip}", get(api::show_ip))
        .route("/v3/ips/pools", get(api::list_pools))
        .route("/v3/ips/pools/{pool}", get(api::show_pool))
        .route("/v3/ips/pools/{pool}/ips", post(api::add_to_pool))
        .route("/v3/ips/pools/{pool}/ips/{ip}", delete(api::remove_from_pool))
        .route("/v3/subusers", get(api::list_subusers))
        .route("/v3/subusers/{name}", patch(api::set_disabled))
        .route("/v3/subusers/{name}/ips", put(api::set_subuser_ips))
        .route("/v3/subusers/{name}/credits", get(api::show_credits).put(api::set_credits))
        .layer(from_fn_with_state(shared.clone(), at_the_door))
        .with_state(shared)
}

/// What happens to every call: the key, faults, the record, the rate limit's headers.
async fn at_the_door(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let key = format!("Bearer {API_KEY}");
    let authorised = request.headers().get(header::AUTHORIZATION).is_some_and(|found| found == key.as_str());
    let (method, path) = (request.method().clone(), request.uri().to_string());
    let mut response = if authorised {
        with_faults(&shared, request, next).await
    } else {
        refused(StatusCode::UNAUTHORIZED, "The provided authorization grant is invalid, expired, or revoked")
    };
    let headers = response.headers_mut();
    headers.insert("x-ratelimit-limit", HeaderValue::from_static("600"));
    headers.insert("x-ratelimit-remaining", HeaderValue::from_static("599"));
    let call = Call { method: method.to_string(), path, status: response.status().as_u16() };
    shared.world().calls.push(call);
    response
}

async fn with_faults(shared: &Shared, request: Request, next: Next) -> Response {
    let changes = request.method() != Method::GET;
    if changes && use_up(&mut shared.world().faults.too_many) {
        return refused(StatusCode::TOO_MANY_REQUESTS, "too many requests");
    }
    if changes && use_up(&mut shared.world().faults.before) {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let response = next.run(request).await;
    if changes && use_up(&mut shared.world().faults.after) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    response
}

fn use_up(fault: &mut usize) -> bool {
    let there = *fault > 0;
    *fault = fault.saturating_sub(1);
    there
}
