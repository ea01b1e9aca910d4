//! The admin listener.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::routing::{get, post};
use log::Log;
use model::{PoolName, Timestamp};
use prometheus::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{Index, Views, commands, customers, decisions, health};

/// Whether Weir can do its work; shared between whoever knows and `/readyz`.
#[derive(Clone, Debug, Default)]
pub struct Ready(Arc<AtomicBool>);

impl Ready {
    /// Says whether it can.
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Release);
    }

    /// Whether it can.
    pub fn is_ready(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// What the endpoints work with.
#[derive(Clone)]
pub struct Admin {
    /// The public topics.
    pub index: Index,
    /// Who knows customers' counts.
    pub views: Views,
    /// Where commands go.
    pub log: Arc<dyn Log>,
    /// The pool of a customer that was never seen.
    pub home_pool: Option<PoolName>,
    /// What `/metrics` shows.
    pub registry: Registry,
    /// What `/readyz` tells.
    pub ready: Ready,
    /// The time at which a command is appended.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl std::fmt::Debug for Admin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Admin").field("log", &self.log).field("ready", &self.ready).finish_non_exhaustive()
    }
}

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
    /// Listens on `listen`.
    ///
    /// # Errors
    ///
    /// [`ServerError::Listen`].
    pub async fn bind(listen: SocketAddr, admin: Admin) -> Result<Self, ServerError> {
        let refused = |source| ServerError::Listen { listen, source };
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Self { listener, address, router: router(admin) })
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
        axum::serve(self.listener, self.router)
            .with_graceful_shutdown(shutdown.cancelled_owned())
            .await
            .map_err(ServerError::Serve)
    }
}

fn router(admin: Admin) -> Router {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .route("/v1/customers", get(customers::list))
        .route("/v1/customers/{id}", get(customers::show))
        .route("/v1/customers/{id}/route", get(customers::route))
        .route("/v1/customers/{id}/commands", post(commands::command))
        .route("/v1/decisions", get(decisions::decisions))
        .route("/v1/fleet", get(decisions::fleet))
        .with_state(admin)
}
