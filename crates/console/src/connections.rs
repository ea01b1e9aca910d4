//! Connections to a listener: how many, for how long, and how they end.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::{BoxError, Router};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use telemetry::{IntCounter, IntCounterVec, Label, Registry};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Sleep;
use tokio_util::sync::CancellationToken;
use tower_http::timeout::TimeoutBody;
use tower_service::Service as _;

/// How long a request's head may take, and how long a connection may be silent between two requests.
const HEAD: Duration = Duration::from_secs(15);
/// How long a body may be silent.
const BODY_SILENT: Duration = Duration::from_secs(10);
/// How long a whole body may take. [`BODY_SILENT`] alone would not end a client that sends a byte now and then.
const BODY: Duration = Duration::from_secs(30);
/// How long requests in flight may take once the process ends.
const GRACE: Duration = Duration::from_secs(5);
/// How long nothing is accepted after the system gave no connection: descriptors may be short.
const PAUSE: Duration = Duration::from_millis(100);

/// Whom a listener serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Operators, programs and a proxy before them.
    Operators,
    /// Mailers, which may share one address.
    Mailers,
}

impl Audience {
    const fn name(self) -> &'static str {
        match self {
            Self::Operators => "operators",
            Self::Mailers => "mailers",
        }
    }

    /// The most connections, if the process has enough file descriptors.
    const fn most(self) -> Most {
        match self {
            Self::Operators => Most { all: 512, of_one: 128 },
            Self::Mailers => Most { all: 4_096, of_one: 2_048 },
        }
    }
}

/// How many connections a listener has at most.
#[derive(Clone, Copy, Debug)]
struct Most {
    /// Altogether.
    all: usize,
    /// From one address; a proxy has one.
    of_one: usize,
}

/// Limits of the listeners' connections, and the counter of refused ones.
#[derive(Clone, Debug)]
pub struct ConnectionLimits {
    operators: usize,
    mailers: usize,
    refused: IntCounterVec,
}

impl ConnectionLimits {
    /// Lowers the listeners' own limits (operators 512, mailers 4,096) to these numbers.
    ///
    /// # Errors
    ///
    /// The metric's name is taken.
    pub fn register(registry: &Registry, operators: usize, mailers: usize) -> telemetry::Result<Self> {
        let names = [Audience::Operators, Audience::Mailers].map(Audience::name);
        let refused = registry.counters(
            "weir_console_refused_connections_total",
            "Connections closed at once because there were too many, in total or from one address, by listener.",
            &[Label::words("listener", names)],
        )?;
        names.iter().for_each(|name| drop(refused.with_label_values(&[name])));
        Ok(Self { operators, mailers, refused })
    }
}

/// The bounds of one listener.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    most: Most,
    refused: Option<IntCounter>,
}

impl Bounds {
    /// The listener's own limits.
    pub(crate) const fn of(listener: Audience) -> Self {
        Self { most: listener.most(), refused: None }
    }

    /// The listener's own limits, lowered to `limits`.
    pub(crate) fn within(listener: Audience, limits: &ConnectionLimits) -> Self {
        let lowered = match listener {
            Audience::Operators => limits.operators,
            Audience::Mailers => limits.mailers,
        };
        let Most { all, of_one } = listener.most();
        // Even of few connections one address gets only half, so that another can connect.
        let most = Most { all: all.min(lowered), of_one: of_one.min(lowered.div_ceil(2)) };
        Self { most, refused: Some(limits.refused.with_label_values(&[listener.name()])) }
    }
}

/// The connections that there are, by address.
#[derive(Debug)]
struct Places {
    most: Most,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection's place, which is free again once this is dropped.
#[derive(Debug)]
struct Place {
    places: Arc<Places>,
    address: IpAddr,
}

impl Places {
    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        // Each entry is changed as a whole: what a panic leaves behind is sound.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection from `address`; `None` where there is none.
    fn take(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let mut taken = self.lock();
        let all: usize = taken.values().sum();
        let own = taken.get(&address).copied().unwrap_or_default();
        if all >= self.most.all || own >= self.most.of_one {
            return None;
        }
        taken.insert(address, own + 1);
        Some(Place { places: Arc::clone(self), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        if let Some(own) = taken.get_mut(&self.address) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

/// Serves connections until `shutdown`, calls `ending`, and lets requests in flight end for a while.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    bounds: Bounds,
    (shutdown, ending): (CancellationToken, CancellationToken),
) {
    let Bounds { most, refused } = bounds;
    let places = Arc::new(Places { most, taken: Mutex::default() });
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(ended) = connections.join_next() => {
                say_if_panicked(ended);
                continue;
            }
            () = shutdown.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => match places.take(peer.ip()) {
                Some(place) => {
                    drop(connections.spawn(connection(stream, peer, router.clone(), graceful.watcher(), place)))
                }
                None => {
                    tracing::debug!(%peer, "too many connections: refused");
                    refused.iter().for_each(IntCounter::inc);
                }
            },
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    ending.cancel();
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::info!("connections that did not end are cut off");
    }
    connections.shutdown().await;
}

/// Serves one connection, which keeps its place until then.
async fn connection(stream: TcpStream, peer: SocketAddr, router: Router, watcher: Watcher, _place: Place) {
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        let mut router = router.clone();
        request.extensions_mut().insert(ConnectInfo(peer));
        async move {
            let bounded = |body| Body::new(TimeoutBody::new(BODY_SILENT, Deadline::after(BODY, body)));
            let Ok(answer) = router.call(request.map(bounded)).await;
            Ok::<_, Infallible>(answer)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%peer, %error, "a connection broke");
    }
}

/// A body that fails at a deadline, however steadily it arrives.
struct Deadline {
    body: Incoming,
    ends: Pin<Box<Sleep>>,
}

impl Deadline {
    fn after(time: Duration, body: Incoming) -> Self {
        Self { body, ends: Box::pin(tokio::time::sleep(time)) }
    }
}

impl hyper::body::Body for Deadline {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.ends.as_mut().poll(context).is_ready() {
            return Poll::Ready(Some(Err("the body did not come in time".into())));
        }
        Pin::new(&mut self.body).poll_frame(context).map_err(BoxError::from)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn say_if_panicked(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a connection's task panicked; its requests were not answered");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::Notify;

    use super::*;

    #[test]
    fn places_are_limited_for_each_address_and_altogether_and_are_given_back() {
        let places = Arc::new(Places { most: Most { all: 3, of_one: 2 }, taken: Mutex::default() });
        let [one, other]: [IpAddr; 2] = [[10, 0, 0, 1], [10, 0, 0, 2]].map(IpAddr::from);
        let first = places.take(one).unwrap();
        let _second = places.take(one).unwrap();
        assert!(places.take(one).is_none());
        let _third = places.take(other).unwrap();
        assert!(places.take(other).is_none());
        drop(first);
        assert!(places.take(other).is_some());
        assert_eq!(places.lock().get(&one), Some(&1));
    }

    #[tokio::test]
    async fn a_request_that_does_not_end_is_cut_off_with_its_connection() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let arrived = Arc::new(Notify::new());
        let arrives = Arc::clone(&arrived);
        let router = Router::new().route(
            "/",
            get(async move || {
                arrives.notify_one();
                std::future::pending::<()>().await;
            }),
        );
        let [shutdown, ending] = [CancellationToken::new(), CancellationToken::new()];
        let bounds = Bounds { most: Most { all: 1, of_one: 1 }, refused: None };
        let serving = tokio::spawn(serve(listener, router, bounds, (shutdown.clone(), ending)));
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: weir\r\n\r\n").await.unwrap();
        arrived.notified().await;
        tokio::time::pause();
        shutdown.cancel();
        serving.await.unwrap();
        let mut answer = Vec::new();
        let read = client.read_to_end(&mut answer).await;
        assert!(matches!(read, Ok(0) | Err(_)), "{}", String::from_utf8_lossy(&answer));
    }
}
