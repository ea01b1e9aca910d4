//! One connection: its protocol's bounds and its deadlines.
//!
//! hyper's own deadline for a head begins only once it knows the protocol, and a silent connection never tells. So each
//! connection has a deadline here too: for its first request, and then for the next one whenever none is in flight.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::Watcher;
use telemetry::IntGauge;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use crate::config::Config;
use crate::request::Requests;

/// Streams at once on one HTTP/2 connection; each may hold a body, which admission bounds.
const STREAMS: u32 = 64;
/// Bytes of headers of one HTTP/2 request: SendGrid's take some hundred.
const HEADER_BYTES: u32 = 16 << 10;
/// Headers of one HTTP/1 request: SendGrid sends about ten, and proxies add a few.
const HEADERS: usize = 64;
/// Bytes that HTTP/1 reads ahead; a head must fit in them.
const BUFFER_BYTES: usize = 64 << 10;
/// Bytes that HTTP/2 lets a client send before they are taken: per stream enough for what SendGrid posts, and of the
/// whole connection no more, since admission does not see them yet.
const WINDOW_BYTES: u32 = 1 << 20;

/// An accepted connection.
pub(crate) struct Connection {
    requests: Requests,
    _open: Open,
}

impl Connection {
    /// Takes the place of `permit` among those open at once.
    pub(crate) fn new(requests: Requests, permit: OwnedSemaphorePermit) -> Self {
        let gauge = requests.metrics().connections.clone();
        gauge.inc();
        Self { requests, _open: Open { gauge, _permit: permit } }
    }

    /// Serves it until it ends, `watcher` ends it, or it is idle for too long.
    pub(crate) async fn run(self, stream: TcpStream, tls: Option<TlsAcceptor>, watcher: Watcher) {
        // Answers are small and written at once; a refusal costs speed only.
        let _unimportant = stream.set_nodelay(true);
        let Some(tls) = tls else { return self.serve(stream, watcher).await };
        let handshake = tokio::time::timeout(self.requests.config().header_timeout, tls.accept(stream));
        if let Ok(Ok(stream)) = handshake.await {
            self.serve(stream, watcher).await;
        }
    }

    async fn serve<S>(self, stream: S, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let activity = Arc::new(Activity::new());
        let service = service_fn(|request| {
            let (requests, busy) = (self.requests.clone(), activity.request());
            async move {
                let answer = requests.answer(request).await;
                drop(busy);
                Ok::<_, Infallible>(answer)
            }
        });
        let protocol = protocol(self.requests.config());
        let serving = watcher.watch(protocol.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            // A connection that breaks is the peer's affair: what was not answered 2xx is sent again.
            _ended = serving => {}
            () = activity.ended(self.requests.config()) => {}
        }
    }
}

/// HTTP/1.1, or HTTP/2 where the client begins with its preface.
fn protocol(config: &Config) -> auto::Builder<TokioExecutor> {
    let mut protocol = auto::Builder::new(TokioExecutor::new());
    // hyper counts the wait for the next request into the time for its head, so that must be the longer of the two.
    let head = config.header_timeout.max(config.idle_timeout);
    protocol.http1().timer(TokioTimer::new()).header_read_timeout(head).max_headers(HEADERS).max_buf_size(BUFFER_BYTES);
    protocol
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEADER_BYTES)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES);
    protocol
}

/// Counts a connection as long as it is open, however it ends.
struct Open {
    gauge: IntGauge,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.gauge.dec();
    }
}

/// When a connection last had a request in flight.
#[derive(Debug)]
struct Activity {
    opened: Instant,
    /// Milliseconds after `opened` at which the last request was answered; 0 before the first.
    answered: AtomicU64,
    in_flight: AtomicUsize,
}

/// A request in flight.
struct InFlight(Arc<Activity>);

impl Activity {
    fn new() -> Self {
        Self { opened: Instant::now(), answered: AtomicU64::new(0), in_flight: AtomicUsize::new(0) }
    }

    fn request(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        InFlight(Arc::clone(self))
    }

    /// Resolves once nothing came for too long.
    async fn ended(&self, config: &Config) {
        loop {
            let is_busy = self.in_flight.load(Ordering::Acquire) > 0;
            let deadline = match self.answered.load(Ordering::Acquire) {
                _ if is_busy => Instant::now() + config.idle_timeout,
                0 => self.opened + config.header_timeout,
                answered => self.opened + std::time::Duration::from_millis(answered) + config.idle_timeout,
            };
            if deadline <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(deadline).await;
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let now = u64::try_from(self.0.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.answered.store(now.max(1), Ordering::Release);
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn config() -> Config {
        Config::new(([127, 0, 0, 1], 0).into())
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_connection_has_the_time_of_one_head() {
        let activity = Activity::new();
        activity.ended(&config()).await;
        assert_eq!(activity.opened.elapsed().as_secs(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_not_idle_while_a_request_is_in_flight() {
        let activity = Arc::new(Activity::new());
        let request = activity.request();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(200)).await;
            drop(request);
        });
        activity.ended(&config()).await;
        assert_eq!(activity.opened.elapsed().as_secs(), 260);
    }
}
