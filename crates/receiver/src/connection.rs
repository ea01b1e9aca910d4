//! One connection: its protocol's bounds and its deadlines.
//!
//! hyper's own deadline for a head begins only once it knows the protocol, and a silent connection never tells. So each
//! connection has a deadline here too: for its first request, and then for the next one whenever none is in flight.

use std::convert::Infallible;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::config::Config;
use crate::connection_slots::ConnectionSlot;
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
    slot: ConnectionSlot,
}

impl Connection {
    /// Creates a connection that holds `slot`.
    pub(crate) const fn new(requests: Requests, slot: ConnectionSlot) -> Self {
        Self { requests, slot }
    }

    /// Serves it until it ends, `watcher` ends it, it is idle for too long, or it is evicted.
    pub(crate) async fn run(self, stream: TcpStream, tls: Option<TlsAcceptor>, watcher: Watcher) {
        // Answers are small and written at once; a refusal costs speed only.
        let _unimportant = stream.set_nodelay(true);
        tokio::select! {
            () = self.greet(stream, tls, watcher) => {}
            () = self.slot.activity().evicted() => {}
        }
    }

    async fn greet(&self, stream: TcpStream, tls: Option<TlsAcceptor>, watcher: Watcher) {
        let Some(tls) = tls else { return self.serve(stream, watcher).await };
        let handshake = tokio::time::timeout(self.requests.config().header_timeout, tls.accept(stream));
        if let Ok(Ok(stream)) = handshake.await {
            self.serve(stream, watcher).await;
        }
    }

    async fn serve<S>(&self, stream: S, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let activity = self.slot.activity();
        let service = service_fn(|request| {
            let requests = self.requests.clone();
            let in_flight = activity.request();
            async move { Ok::<_, Infallible>(requests.answer(request, in_flight).await) }
        });
        let config = self.requests.config();
        let protocol = protocol(config);
        let serving = watcher.watch(protocol.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            // A connection that breaks is the peer's affair: what was not answered 2xx is sent again.
            _ended = serving => {}
            () = activity.ended(config.header_timeout, config.idle_timeout) => {}
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
