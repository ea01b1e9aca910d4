//! The gate, the operators' pages, and the gate's floor: a bare server that answers the same bytes.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use console::{Admin, Gate, Server};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::cores::{Core, on_core, worked};

/// What is answered to whom: by path.
pub(crate) type Answers = Arc<HashMap<String, Bytes>>;

/// Who answers.
#[derive(Clone)]
pub(crate) enum Answering {
    Gate(Gate),
    /// Operators' pages and API.
    Console(Box<Admin>),
    Floor(Answers),
}

/// A server on a core of its own.
pub(crate) struct Serving {
    pub(crate) address: SocketAddr,
    shutdown: CancellationToken,
    thread: std::thread::JoinHandle<anyhow::Result<Duration>>,
}

impl Serving {
    pub(crate) fn start(answering: Answering) -> anyhow::Result<Self> {
        let (shutdown, (tell, told)) = (CancellationToken::new(), oneshot::channel());
        let ended = shutdown.clone();
        let thread = on_core(Core::Server, async move {
            let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            match answering {
                Answering::Gate(gate) => {
                    let server = Server::bind_gate(anywhere, gate).await?;
                    tell.send(server.local_addr()).ok().context("nobody asks")?;
                    server.run(ended).await?;
                }
                Answering::Console(admin) => {
                    let server = Server::bind(anywhere, *admin).await?;
                    tell.send(server.local_addr()).ok().context("nobody asks")?;
                    server.run(ended).await?;
                }
                Answering::Floor(answers) => {
                    let listener = TcpListener::bind(anywhere).await?;
                    tell.send(listener.local_addr()?).ok().context("nobody asks")?;
                    ended.run_until_cancelled(floor(listener, answers)).await.unwrap_or(Ok(()))?;
                }
            }
            worked()
        });
        let address = told.blocking_recv().context("the server does not listen")?;
        Ok(Self { address, shutdown, thread })
    }

    /// How long it has worked.
    pub(crate) fn stop(self) -> anyhow::Result<Duration> {
        self.shutdown.cancel();
        self.thread.join().map_err(|_| anyhow::anyhow!("the server panicked"))?
    }
}

async fn floor(listener: TcpListener, answers: Answers) -> anyhow::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let answers = Arc::clone(&answers);
        let service = service_fn(move |request| answer(Arc::clone(&answers), request));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(answers: Answers, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = answers.get(request.uri().path()).cloned().unwrap_or_default();
    // An answer before the whole request was read would end the connection.
    drop(request.into_body().collect().await);
    let mut response = Response::new(Full::new(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
