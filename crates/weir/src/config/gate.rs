//! Where mailers ask before they send, and under which name mail is reserved.

use std::net::{Ipv4Addr, SocketAddr};

use super::check::Check;
use super::log::{self, LogSettings};
use super::raw::Raw;

/// The gate for mailers.
#[derive(Clone, Debug)]
pub(crate) struct GateSettings {
    /// A listener of its own, beside the admin listener.
    pub(crate) listen: Option<SocketAddr>,
    /// The name under which this process reserves mail.
    pub(crate) instance: String,
}

pub(super) fn check(check: &mut Check<'_>, raw: &Raw, log: &LogSettings) -> GateSettings {
    let example = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8082));
    let listen = raw.gate.listen.as_ref().map(|written| check.address(Some(written), example));
    let instance = match log {
        LogSettings::Kafka(kafka) => kafka.config.member.clone(),
        LogSettings::Embedded(_) => log::member(check, &raw.log),
    };
    GateSettings { listen, instance }
}
