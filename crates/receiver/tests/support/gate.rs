//! A gate before the real log: opened, everything passes; closed, appends wait or are refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use log::{Append, BoxFuture, Error, Producer, Result};
use tokio::sync::watch;

use super::{Rig, SOON, Setup};

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

/// A receiver behind `gate`.
pub(crate) async fn gated(setup: Setup, gate: Gate) -> (Rig, Arc<Gated>, watch::Sender<Gate>) {
    let mut parts = None;
    let rig = setup
        .start_with(|log| {
            let (gated, handle) = Gated::new(log, gate);
            parts = Some((Arc::clone(&gated), handle));
            gated
        })
        .await;
    let (gated, handle) = parts.unwrap();
    (rig, gated, handle)
}

/// Waits until the log was asked for `count` appends.
pub(crate) async fn asked(gated: &Gated, count: usize) {
    let asked = async {
        while gated.appends() < count {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(SOON, asked).await.expect("the log to be asked");
}
