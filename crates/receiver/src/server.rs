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
use crate::connection_slots::{ConnectionSlot, ConnectionSlots};
use crate::duplicates::KnownEvents;
use crate::error::Error;
use crate::metrics::Metrics;
use crate::origin::Origins;
use crate::request::{Requests, Shared};
use crate::{Clock, tls};

/// How long to wait after the system refused to accept: it is out of file descriptors, most likely, and trying at once
/// would only burn the processor that could close some.
const PAUSE: Duration = Duration::from_millis(50);

/// How many of the newest events a starting receiver reads: over five hours at ten events a second.
const PRELOADED: u64 = 200_000;

/// A bound receiver.
pub struct Receiver {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    requests: Requests,
    slots: ConnectionSlots,
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
        let slots =
            ConnectionSlots::new(config.max_connections, metrics.connections.clone(), metrics.evicted_connections());
        let is_log_failing = AtomicBool::new(false);
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        let turns = Arc::new(Semaphore::new(cores));
        let origins = Origins::default();
        let known_events = KnownEvents::default();
        let shared = Shared {
            config,
            sources,
            producer,
            clock,
            admission,
            metrics,
            origins,
            known_events,
            turns,
            is_log_failing,
        };
        let requests = Requests::new(shared);
        Ok(Self { listener, address, tls, requests, slots })
    }

    /// Where it listens: tells the port where the system chose one.
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Reads the newest events of `log` in the background, until `shutdown`, so that this receiver recognises copies of them and
    /// attributes later events of the same mails. If the log cannot be read, logs a warning; the receiver serves all the same.
    pub fn preload(&self, log: Arc<dyn Log>, shutdown: CancellationToken) -> JoinHandle<()> {
        let requests = self.requests.clone();
        tokio::task::spawn_blocking(move || {
            let records = PRELOADED / u64::from(log.partitions().get());
            let tail = log.tail(Topic::Events, Start::Last(records));
            match tail.and_then(|mut tail| requests.preload(tail.as_mut(), &shutdown)) {
                Ok(events) => tracing::debug!(events, "read the newest events of the log"),
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "cannot read the newest events of the log: some bounces stay unattributed");
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
            // Kept across iterations: recreating it would drop a connection that is accepted and waits for a slot.
            let mut accepting = pin!(self.accept());
            loop {
                let (stream, slot) = tokio::select! {
                    () = shutdown.cancelled() => break,
                    accepted = &mut accepting => accepted,
                    Some(ended) = connections.join_next() => {
                        say_if_panicked(ended);
                        continue;
                    }
                };
                let connection = Connection::new(self.requests.clone(), slot);
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

    /// Accepts the next connection and waits for a slot.
    async fn accept(&self) -> (TcpStream, ConnectionSlot) {
        loop {
            match self.listener.accept().await {
                Ok((stream, _address)) => return (stream, self.slots.acquire().await),
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
