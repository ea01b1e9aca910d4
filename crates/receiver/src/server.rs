//! The listener and its connections.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use log::Producer;
use prometheus::Registry;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::admission::Admission;
use crate::config::{Config, Source};
use crate::error::Error;
use crate::metrics::Metrics;
use crate::request::Requests;
use crate::{Clock, tls};

/// Streams at once on one HTTP/2 connection.
const STREAMS: u32 = 64;
/// Bytes of headers of one request: SendGrid's take some hundred.
const HEADER_BYTES: u32 = 16 << 10;

/// A bound receiver.
pub struct Receiver {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    requests: Requests,
    connections: Arc<Semaphore>,
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiver").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Receiver {
    /// Listens. Records go to `producer`, stamped by `clock`.
    ///
    /// # Errors
    ///
    /// [`Error`] says which setting can't be.
    pub async fn bind(
        config: Config,
        sources: Vec<Source>,
        producer: Arc<dyn Producer>,
        clock: Clock,
        registry: &Registry,
    ) -> Result<Self, Error> {
        let tls = config.tls.as_ref().map(tls::acceptor).transpose()?;
        let mut by_name = HashMap::new();
        for source in sources {
            if let Some(earlier) = by_name.insert(source.name.clone(), Arc::new(source)) {
                return Err(Error::DuplicateSource(earlier.name.clone()));
            }
        }
        let metrics = Metrics::register(registry)?;
        let refused = |source| Error::Listen { listen: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let admission = Admission::new(config.in_flight_bytes, metrics.in_flight.clone());
        let connections = Arc::new(Semaphore::new(config.max_connections));
        let (config, sources) = (Arc::new(config), Arc::new(by_name));
        let requests = Requests { config, sources, producer, clock, admission, metrics };
        Ok(Self { listener, address, tls, requests, connections })
    }

    /// Where it listens: tells the port where the system chose one.
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown`; then takes no new connection and lets requests in flight end.
    ///
    /// # Errors
    ///
    /// None at present; broken connections are their own affair.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), Error> {
        let graceful = GracefulShutdown::new();
        loop {
            let permit = tokio::select! {
                () = shutdown.cancelled() => break,
                permit = Arc::clone(&self.connections).acquire_owned() => permit,
            };
            // The semaphore is never closed.
            let Ok(permit) = permit else { break };
            let accepted = tokio::select! {
                () = shutdown.cancelled() => break,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => self.connect(stream, permit, &graceful),
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    // Out of file descriptors, most likely: trying at once again would only burn the processor.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        drop(self.listener);
        let drained = tokio::time::timeout(self.requests.config.drain_timeout, graceful.shutdown()).await;
        if drained.is_err() {
            tracing::warn!("requests in flight did not end in time and are cut off; SendGrid sends them again");
        }
        Ok(())
    }

    fn connect(&self, stream: TcpStream, permit: OwnedSemaphorePermit, graceful: &GracefulShutdown) {
        let connection = Connection { requests: self.requests.clone(), activity: Activity::new(), _permit: permit };
        let watcher = graceful.watcher();
        let tls = self.tls.clone();
        tokio::spawn(async move {
            // Answers are small and written at once; the last one should not wait for the peer's acknowledgement.
            let _unimportant = stream.set_nodelay(true);
            match tls {
                None => connection.serve(stream, watcher).await,
                Some(tls) => {
                    let handshake = tokio::time::timeout(connection.requests.config.header_timeout, tls.accept(stream));
                    if let Ok(Ok(stream)) = handshake.await {
                        connection.serve(stream, watcher).await;
                    }
                }
            }
        });
    }
}

/// One connection, counted while it is open.
struct Connection {
    requests: Requests,
    activity: Arc<Activity>,
    _permit: OwnedSemaphorePermit,
}

impl Connection {
    async fn serve<S>(self, stream: S, watcher: hyper_util::server::graceful::Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let gauge = self.requests.metrics.connections.clone();
        gauge.inc();
        let config = Arc::clone(&self.requests.config);
        let activity = Arc::clone(&self.activity);
        let service = service_fn(move |request| {
            let (requests, activity) = (self.requests.clone(), Arc::clone(&self.activity));
            async move {
                let _busy = activity.busy();
                Ok::<_, Infallible>(requests.answer(request).await)
            }
        });
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(config.header_timeout);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(HEADER_BYTES)
            .keep_alive_interval(config.idle_timeout);
        let serving = watcher.watch(builder.serve_connection(TokioIo::new(stream), service).into_owned());
        tokio::select! {
            // A connection that breaks is the peer's affair: what was not answered 2xx is sent again.
            _ended = serving => {}
            () = activity.idle_for(config.idle_timeout) => {}
        }
        gauge.dec();
    }
}

/// When a connection last did something.
#[derive(Debug)]
struct Activity {
    opened: Instant,
    /// Milliseconds after `opened`.
    latest: AtomicU64,
    requests: AtomicUsize,
}

/// A request in flight.
struct Busy(Arc<Activity>);

impl Activity {
    fn new() -> Arc<Self> {
        Arc::new(Self { opened: Instant::now(), latest: AtomicU64::new(0), requests: AtomicUsize::new(0) })
    }

    fn busy(self: &Arc<Self>) -> Busy {
        self.requests.fetch_add(1, Ordering::AcqRel);
        Busy(Arc::clone(self))
    }

    /// Resolves once nothing was in flight for `timeout`.
    async fn idle_for(&self, timeout: Duration) {
        loop {
            let latest = self.opened + Duration::from_millis(self.latest.load(Ordering::Acquire));
            let busy = self.requests.load(Ordering::Acquire) > 0;
            if !busy && latest.elapsed() >= timeout {
                return;
            }
            let wake = if busy { Instant::now() + timeout } else { latest + timeout };
            tokio::time::sleep_until(wake).await;
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let now = u64::try_from(self.0.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.latest.store(now, Ordering::Release);
        self.0.requests.fetch_sub(1, Ordering::AcqRel);
    }
}
