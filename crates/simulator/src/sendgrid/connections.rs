//! Connections to the API, and cutting them.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Marks a response that is never sent: the connection is cut instead.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the connection is cut on request")]
pub(super) struct Cut;

impl Cut {
    /// A response that becomes a cut connection.
    pub(super) fn response() -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(Self);
        response
    }

    /// Whether the response is never sent.
    pub(super) fn is(response: &Response) -> bool {
        response.extensions().get::<Self>().is_some()
    }
}

/// Serves until `stop`; then every open connection ends at once.
pub(super) async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    open.spawn(connection(stream, router.clone()));
                }
                Err(error) => {
                    // Out of file descriptors, most likely: some will come back.
                    tracing::warn!(%error, "the simulated SendGrid can't accept a connection");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            },
            Some(_) = open.join_next(), if !open.is_empty() => {}
        }
    }
}

async fn connection(stream: TcpStream, router: Router) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |request| answer(router.clone(), request));
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a connection to the simulated SendGrid ended");
    }
}

async fn answer(router: TowerToHyperService<Router>, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
    let response = match router.call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    if Cut::is(&response) { Err(Cut) } else { Ok(response) }
}
