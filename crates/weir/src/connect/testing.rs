//! Sending test events and waiting for them.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use anyhow::Context;
use receiver::{CustomerRule, Source, SourceName};
use sendgrid::api::{Client, Id};
use sendgrid::webhook::{VerificationKey, Verifier};

use super::arrival::{Arrival, Watch};
use super::user::User;
use crate::running_weir::RunningWeir;

/// A webhook to test.
#[derive(Clone, Debug)]
pub(super) struct Probe {
    pub(super) user: User,
    pub(super) source: String,
    pub(super) url: String,
    pub(super) id: Id,
    /// By which its POSTs are verified.
    pub(super) keys: Vec<String>,
}

/// Who listens where the receiver is to.
pub(super) enum Listener {
    /// Nobody.
    Free,
    /// A Weir.
    Weir(RunningWeir),
    /// Something else.
    Other,
}

impl Listener {
    /// Finds out. Where it is `told` where a Weir runs, that one it is.
    pub(super) async fn find(receiver: SocketAddr, admin: SocketAddr, told: Option<&str>) -> anyhow::Result<Self> {
        if let Some(told) = told {
            return Ok(Self::Weir(RunningWeir::at(told)?));
        }
        match TcpListener::bind(receiver) {
            Ok(_) => Ok(Self::Free),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                let weir = RunningWeir::listening(admin)?;
                let is_weir = weir.get("/healthz").send().await.is_ok_and(|answer| answer.status().is_success());
                Ok(if is_weir { Self::Weir(weir) } else { Self::Other })
            }
            Err(error) => Err(error).with_context(|| format!("the receiver's address {receiver} can't be listened on")),
        }
    }
}

/// Has SendGrid post a test event to each, and waits for all of them: at the Weir that runs, or where none does at a receiver
/// of this one's own.
pub(super) async fn test(
    client: &Client,
    (listener, config): (Listener, receiver::Config),
    probes: &[Probe],
    longest: Duration,
) -> anyhow::Result<Vec<Arrival>> {
    let watch = match listener {
        Listener::Weir(weir) => Watch::Running(weir),
        Listener::Free => Watch::open(config, probes.iter().map(source).collect::<anyhow::Result<_>>()?).await?,
        Listener::Other => {
            let listen = config.listen;
            anyhow::bail!("test events can't arrive: something that is no Weir listens on {listen}, [receiver] listen")
        }
    };
    let arrivals = send(client, &watch, probes, longest).await;
    watch.close().await?;
    arrivals
}

async fn send(client: &Client, watch: &Watch, probes: &[Probe], longest: Duration) -> anyhow::Result<Vec<Arrival>> {
    let before = watch.requests().await?;
    for probe in probes {
        let account = probe.user.account(client)?;
        let sent = account.test_webhook(Some(&probe.id), &probe.url, None).await;
        sent.with_context(|| format!("the test event of {} can't be had", probe.user))?;
    }
    let sources: Vec<_> = probes.iter().map(|probe| probe.source.as_str()).collect();
    watch.wait(&sources, &before, longest).await
}

/// The source as the receiver has it. Nothing is kept, so how its events tell their customer does not matter.
fn source(probe: &Probe) -> anyhow::Result<Source> {
    let keys: Result<Vec<_>, _> = probe.keys.iter().map(|key| VerificationKey::from_base64(key)).collect();
    let verifier = Verifier::new(keys.context("SendGrid's key is none")?)?;
    Ok(Source { name: SourceName::new(&probe.source)?, verifier, customer: CustomerRule::Pool })
}
