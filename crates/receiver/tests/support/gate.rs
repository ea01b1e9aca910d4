//! A gate before the real log: opened, everything passes; closed, appends wait or are refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use log::{Append, BoxFuture, Error, Producer, Result};
use tokio::sync::watch;

/// What the gate does with an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    Open,
    /// Appends wait before it.
    Closed,
    /// Appends are refused as from a log that is full.
    Busy,
    /// Appends are refused as from a log whose disk failed.
    Broken,
}

/// A producer behind a gate.
#[derive(Debug)]
pub(crate) struct Gated {
    log: Arc<dyn Producer>,
    gate: watch::Receiver<Gate>,
    appends: AtomicUsize,
}

impl Gated {
    /// The producer, and the gate's handle.
    pub(crate) fn new(log: Arc<dyn Producer>, gate: Gate) -> (Arc<Self>, watch::Sender<Gate>) {
        let (handle, gate) = watch::channel(gate);
        (Arc::new(Self { log, gate, appends: AtomicUsize::new(0) }), handle)
    }

    /// How many appends were asked for.
    pub(crate) fn appends(&self) -> usize {
        self.appends.load(Ordering::SeqCst)
    }
}

impl Producer for Gated {
    fn append(&self, records: Vec<Append>) -> BoxFuture<'_, Result<()>> {
        self.appends.fetch_add(1, Ordering::SeqCst);
        let mut gate = self.gate.clone();
        Box::pin(async move {
            let passed = *gate.wait_for(|gate| *gate != Gate::Closed).await.unwrap();
            match passed {
                Gate::Open | Gate::Closed => self.log.append(records).await,
                Gate::Busy => Err(Error::Busy("the gate says so")),
                Gate::Broken => Err(Error::Storage { place: "the gate".into(), source: "no space left".into() }),
            }
        })
    }
}
