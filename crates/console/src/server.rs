//! The admin listener, and the mailers' own.

use std::net::SocketAddr;

use axum::extract::FromRef;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use axum::{Extension, Router};
use model::without_addresses;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::admin::{Admin, Probes};
use crate::api::stream::Streams;
use crate::connections::{self, Audience, Bounds, ConnectionLimits};
use crate::gate::{self, Gate};
use crate::observed::{self, Observed};
use crate::problem::Problem;
use crate::{access, api, health, pages};

/// Why the API can't be served.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address can't be listened on.
    #[error("the admin listener can't listen on {listen}; is it taken?")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A metric could not be registered: a name is taken.
    #[error("the admin listener's metrics could not be registered")]
    Metrics(#[from] telemetry::Error),
    /// Nobody has to prove who they are, and others than this machine can reach it.
    #[error(
        "the admin listener is to listen on {listen}, where others than this machine reach it, and nobody has to prove who they \
         are: set up [[admin.token]] (`weir token new`) or [admin.proxy], or listen on 127.0.0.1"
    )]
    Open {
        /// The address.
        listen: SocketAddr,
    },
}

/// A bound admin listener.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
    audience: Audience,
    bounds: Bounds,
    /// Ends streams, which would go on for ever.
    ending: CancellationToken,
}

impl Server {
    /// Listens on `listen`, for operators.
    ///
    /// # Errors
    ///
    /// [`ServerError::Listen`], [`ServerError::Open`], and [`ServerError::Metrics`] where the registry has another operators' listener.
    pub async fn bind(listen: SocketAddr, admin: Admin) -> Result<Self, ServerError> {
        if admin.access.is_open() && !listen.ip().to_canonical().is_loopback() {
            return Err(ServerError::Open { listen });
        }
        let observed = Observed::register(&admin.probes.registry)?;
        let observed = from_fn_with_state(observed, observed::observe);
        let ending = CancellationToken::new();
        let streams = Extension(Streams::until(ending.clone()));
        let server = Self::listen(listen, Audience::Operators, router(admin).layer(streams).layer(observed)).await?;
        Ok(Self { ending, ..server })
    }

    /// Listens on `listen`, for those who only ask after health and metrics.
    ///
    /// # Errors
    ///
    /// [`ServerError::Listen`].
    pub async fn bind_probes(listen: SocketAddr, probes: Probes) -> Result<Self, ServerError> {
        Self::listen(listen, Audience::Operators, health_router().with_state(probes)).await
    }

    /// Listens on `listen`, for mailers: they ask before they send, and can do nothing else.
    ///
    /// # Errors
    ///
    /// [`ServerError::Listen`].
    pub async fn bind_gate(listen: SocketAddr, gate: Gate) -> Result<Self, ServerError> {
        let (gates, _) = gate::router().split_for_parts();
        let router = gates.route("/healthz", get(health::healthz));
        Self::listen(listen, Audience::Mailers, router.with_state(gate)).await
    }

    async fn listen(listen: SocketAddr, audience: Audience, router: Router) -> Result<Self, ServerError> {
        let refused = |source| ServerError::Listen { listen, source };
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let (bounds, ending) = (Bounds::of(audience), CancellationToken::new());
        Ok(Self { listener, address, router, audience, bounds, ending })
    }

    /// Applies `limits` of connections.
    #[must_use]
    pub fn within(self, limits: &ConnectionLimits) -> Self {
        Self { bounds: Bounds::within(self.audience, limits), ..self }
    }

    /// Where it listens: tells the port where the system chose one.
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown`, and lets requests in flight end for some seconds.
    ///
    /// # Errors
    ///
    /// None: what breaks a connection ends that one.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), ServerError> {
        let ending = self.ending;
        connections::serve(self.listener, self.router, self.bounds, (shutdown, ending)).await;
        Ok(())
    }
}

fn health_router<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Probes: FromRef<S>,
{
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
}

fn router(admin: Admin) -> Router {
    let steered = Router::new()
        .merge(api::router())
        .merge(access::router())
        .merge(pages::router())
        .fallback(nothing_here)
        .method_not_allowed_fallback(not_so)
        .layer(from_fn_with_state(admin.clone(), pages::in_words))
        .layer(from_fn_with_state(admin.access.clone(), access::admit));
    let named_as = from_fn_with_state(admin.access.clone(), access::named_as);
    let refused = from_fn(pages::refused_in_words);
    health_router().merge(steered).layer(named_as).layer(refused).layer(from_fn(access::secure)).with_state(admin)
}

async fn nothing_here(uri: Uri) -> Problem {
    let detail = format!("there is nothing at {}: /v1/docs shows what there is", uri.path());
    Problem::new(StatusCode::NOT_FOUND, "nothing here", without_addresses(&detail))
}

async fn not_so(method: Method, uri: Uri) -> Problem {
    let detail = format!("{method} is not for {}: /v1/docs shows what is", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "not with this method", without_addresses(&detail))
}
