//! The admin listener, and the mailers' own.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::admin::{Admin, Probes};
use crate::api::{
    approvals, commands, completeness, customers, decisions, enforcer, explanations, fleet, policies, undo,
};
use crate::gate::{self, Gate};
use crate::observed::{self, Observed};
use crate::{access, health, pages};

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
    /// The listener broke.
    #[error("the admin listener failed")]
    Serve(#[source] std::io::Error),
}

/// A bound admin listener.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
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
        let observed = axum::middleware::from_fn_with_state(observed, observed::observe);
        Self::listen(listen, router(admin).layer(observed)).await
    }

    /// Listens on `listen`, for those who only ask after health and metrics.
    ///
    /// # Errors
    ///
    /// [`ServerError::Listen`].
    pub async fn bind_probes(listen: SocketAddr, probes: Probes) -> Result<Self, ServerError> {
        Self::listen(listen, health_router().with_state(probes)).await
    }

    /// Listens on `listen`, for mailers: they ask before they send, and can do nothing else.
    ///
    /// # Errors
    ///
    /// [`ServerError::Listen`].
    pub async fn bind_gate(listen: SocketAddr, gate: Gate) -> Result<Self, ServerError> {
        let router = gate::router().route("/healthz", get(health::healthz));
        Self::listen(listen, router.with_state(gate)).await
    }

    async fn listen(listen: SocketAddr, router: Router) -> Result<Self, ServerError> {
        let refused = |source| ServerError::Listen { listen, source };
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Self { listener, address, router })
    }

    /// Where it listens: tells the port where the system chose one.
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown`, and lets requests in flight end.
    ///
    /// # Errors
    ///
    /// [`ServerError::Serve`].
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), ServerError> {
        let router = self.router.into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(self.listener, router)
            .with_graceful_shutdown(shutdown.cancelled_owned())
            .await
            .map_err(ServerError::Serve)
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
        .merge(gate::router())
        .route("/v1/customers", get(customers::list))
        .route("/v1/customers/{id}", get(customers::show))
        .route("/v1/customers/{id}/commands", post(commands::command))
        .route("/v1/completeness", get(completeness::completeness))
        .route("/v1/decisions", get(decisions::decisions))
        .route("/v1/decisions/{id}/explanation", get(explanations::explanation))
        .route("/v1/enforcer", get(enforcer::show))
        .route("/v1/enforcer/held", get(enforcer::held))
        .route("/v1/enforcer/pause", post(enforcer::pause))
        .route("/v1/enforcer/resume", post(enforcer::resume))
        .route("/v1/approvals", get(approvals::list))
        .route("/v1/approvals/{customer}", post(approvals::answer))
        .route("/v1/undo", post(undo::undo))
        .route("/v1/fleet", get(fleet::fleet))
        .route("/v1/policy", get(policies::show).post(policies::apply).layer(DefaultBodyLimit::max(policies::LONGEST)))
        .merge(access::router())
        .merge(pages::router())
        .layer(from_fn_with_state(admin.access.clone(), access::admit));
    health_router().merge(steered).layer(from_fn(access::secure)).with_state(admin)
}
