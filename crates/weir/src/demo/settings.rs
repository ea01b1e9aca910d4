//! The demo's Weir: an embedded log in a temporary folder, the standard policy, and a simulated SendGrid to act on.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use console::Unknown;
use enforcer::{PlacementRule, Placements};
use log::{PartitionCount, embedded};
use model::{CustomerId, EnforcerMode, EnforcerModes, PoolName};
use policy::Policy;
use receiver::{CustomerRule, Source, SourceName};
use scorer::PolicyFile;
use sendgrid::webhook::{VerificationKey, Verifier};
use simulator::platform::{Account, Placement};
use simulator::sendgrid::{HOME, QUARANTINE, SendGrid, Signer};

use crate::config::{AccessSettings, GateSettings, LogSettings, Settings, StateSettings, enforcers_api};

/// The name of the only source.
pub(crate) const SOURCE: &str = "demo";
/// The console's default port in `weir run`.
const CONSOLE_PORT: u16 = 8081;
/// The maximum size of a topic on disk: the demo may run for days, and an hour of the platform is some 250 MB of events.
const LOG_BYTES: u64 = 256 << 20;

/// What a demo is made of.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) sendgrid: &'a SendGrid,
    pub(crate) signer: &'a Signer,
    pub(crate) accounts: &'a [Account],
    /// The initial speed, as a multiple of real time.
    pub(crate) speed: u32,
}

/// The settings of the demo's Weir.
///
/// # Errors
///
/// Where the signer's key or the standard policy can't be read: neither happens.
pub(crate) fn settings(parts: &Parts<'_>) -> anyhow::Result<Settings> {
    let Parts { folder, sendgrid, signer, accounts, speed } = *parts;
    let key = VerificationKey::from_base64(&signer.public_key())?;
    let customer = CustomerRule::CustomArg("customer_id".to_owned());
    let policy = Policy::parse(policy::DEFAULT)?;
    let partitions = PartitionCount::new(NonZeroU32::new(4).context("four partitions")?);
    Ok(Settings {
        receiver: receiver::Config::new(local(0)),
        sources: vec![Source { name: SourceName::new(SOURCE)?, verifier: Verifier::new(vec![key])?, customer }],
        admin: console_address(),
        access: AccessSettings::default(),
        gate: GateSettings { listen: None, unknown: Unknown::default(), instance: "demo".to_owned() },
        log: LogSettings::Embedded(embedded::Config {
            max_bytes: LOG_BYTES,
            ..embedded::Config::new(folder.join("log"), partitions)
        }),
        state: StateSettings::at(folder.join("state")),
        // A tick each simulated minute.
        tick_interval: Duration::from_secs(60) / speed,
        policy_file: PolicyFile { text: policy::DEFAULT.to_owned(), digest: policy.digest().to_owned() },
        policy: Arc::new(policy),
        enforcer: enforcer_settings(accounts),
        sendgrid: Some(enforcers_api(sendgrid.base_url(), sendgrid.api_key())),
        hooks: Vec::new(),
        // SendGrid's statistics are of whole days.
        completeness: None,
        traces: None,
        outreach: None,
    })
}

fn enforcer_settings(accounts: &[Account]) -> enforcer::Config {
    let modes = EnforcerModes::all(EnforcerMode::Enforce);
    let mut config = enforcer::Config::new(modes, placements(accounts), PoolName::new(HOME), PoolName::new(QUARANTINE));
    config.sweep_interval = Duration::from_secs(10);
    // A simulated minute, at the first hour's default speed.
    config.settling = Duration::from_secs(1);
    config
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// Returns the console's default address if its port is free, so that commands need no `--admin`; otherwise any free port.
fn console_address() -> SocketAddr {
    let is_free = TcpListener::bind(local(CONSOLE_PORT)).is_ok();
    local(if is_free { CONSOLE_PORT } else { 0 })
}

fn placements(accounts: &[Account]) -> Placements {
    let rule = |placement: &Placement| match placement {
        Placement::Subuser(name) => PlacementRule::Subuser(Some(name.clone())),
        Placement::DedicatedIps(ips) => PlacementRule::DedicatedIps(ips.clone()),
        Placement::Route => PlacementRule::Route,
    };
    let placed = |account: &Account| (CustomerId::clone(&account.id), rule(&account.placement));
    Placements { default: PlacementRule::Route, by_customer: accounts.iter().map(placed).collect() }
}
