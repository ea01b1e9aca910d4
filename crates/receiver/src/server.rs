//! The listener: binds, accepts, and ends in order.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use hyper_util::server::graceful::GracefulShutdown;
use log::{Log, Producer, Start, Topic};
use telemetry::Registry;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::admission::Admission;
use crate::config::{Config, Source};
use crate::connection::Connection;
use crate::error::Error;
use crate::metrics::Metrics;
use crate::origin::Origins;
use crate::places::{Place, Places};
use crate::repeats::Repeats;
use crate::request::{Requests, Shared};
use crate::{Clock, tls};

/// How long to wait after the system refused to accept: it is out of file descriptors, most likely, and trying at once
/// would only burn the processor that could close some.
const PAUSE: Duration = Duration::from_millis(50);

/// How many of the newest events a receiver that starts reads: some hours' of a platform that sends ten a second.
const RECALLED: u64 = 200_000;

/// A bound receiver.
pub struct Receiver {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    requests: Requests,
    places: Places,
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiver").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Receiver {
    /// Listens for the POSTs of `sources`. Records go to `producer`, stamped by `clock`, against which signed timestamps
    /// are held too.
    ///
    /// Connections wait in the system's queue until [`Receiver::run`].
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
        let sources = by_name(sources)?;
        let metrics = Metrics::register(registry)?;
        sources.keys().for_each(|source| metrics.expect(source));
        let refused = |source| Error::Listen { listen: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let admission = Admission::new(config.in_flight_bytes, metrics.in_flight.clone(), metrics.evicted_bodies());
        let places = Places::new(config.max_connections, metrics.connections.clone(), metrics.evicted_connections());
        let is_log_failing = AtomicBool::new(false);
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        let turns = Arc::new(Semaphore::new(cores));
        let (origins, repeats) = (Origins::default(), Repeats::default());
        let shared =
            Shared { config, sources, producer, clock, admission, metrics, origins, repeats, turns, is_log_failing };
        let requests = Requests::new(shared);
        Ok(Self { listener, address, tls, requests, places })
    }

    /// Where it listens: tells the port where the system chose one.
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Learns from the newest events of `log`, in the background and until `shutdown`: whose the latest mails were, and which
    /// events are durable. Without it, a receiver knows that only of what it has taken itself. A log that can't be read is
    /// told of, and nothing else comes of it.
    pub fn recall(&self, log: Arc<dyn Log>, shutdown: CancellationToken) -> JoinHandle<()> {
        let requests = self.requests.clone();
        tokio::task::spawn_blocking(move || {
            let records = RECALLED / u64::from(log.partitions().get());
            let tail = log.tail(Topic::Events, Start::Last(records));
            match tail.and_then(|mut tail| requests.recall(tail.as_mut(), &shutdown)) {
                Ok(events) => tracing::debug!(events, "the latest events are known"),
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "the latest events can't be read: some bounces will be nobody's");
                }
            }
        })
    }

    /// Serves until `shutdown`; then takes no new connection and lets requests in flight end, for at most
    /// [`Config::drain_timeout`]. What is cut off then was not answered, so SendGrid sends it again.
    ///
    /// # Errors
    ///
    /// None at present: broken connections are their own affair.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), Error> {
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        {
            // Goes on while tasks end: a connection that was accepted and waits for a place is not to be lost.
            let mut accepting = pin!(self.accept());
            loop {
                let (stream, place) = tokio::select! {
                    () = shutdown.cancelled() => break,
                    accepted = &mut accepting => accepted,
                    Some(ended) = connections.join_next() => {
                        say_if_panicked(ended);
                        continue;
                    }
                };
                let connection = Connection::new(self.requests.clone(), place);
                connections.spawn(connection.run(stream, self.tls.clone(), graceful.watcher()));
                accepting.set(self.accept());
            }
        }
        drop(self.listener);
        let drain_timeout = self.requests.config().drain_timeout;
        if tokio::time::timeout(drain_timeout, graceful.shutdown()).await.is_err() {
            tracing::warn!(?drain_timeout, "requests in flight did not end in time and are cut off");
        }
        connections.shutdown().await;
        Ok(())
    }

    /// The next connection, once there is a place for it.
    async fn accept(&self) -> (TcpStream, Place) {
        loop {
            match self.listener.accept().await {
                Ok((stream, _address)) => return (stream, self.places.take().await),
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

fn by_name(sources: Vec<Source>) -> Result<HashMap<String, Arc<Source>>, Error> {
    let mut by_name = HashMap::new();
    for source in sources {
        let name = source.name.as_str().to_owned();
        if by_name.insert(name.clone(), Arc::new(source)).is_some() {
            return Err(Error::DuplicateSource(name));
        }
    }
    Ok(by_name)
}

fn say_if_panicked(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a connection's task panicked; its requests were not answered");
    }
}
