//! Where mailers ask before they send, and under which name mail is reserved.

use std::net::{Ipv4Addr, SocketAddr};

use console::Unknown;

use super::check::Check;
use super::log::{self, LogSettings};
use super::raw::Raw;

/// The gate for mailers.
#[derive(Clone, Debug)]
pub(crate) struct GateSettings {
    /// A listener of its own, beside the admin listener.
    pub(crate) listen: Option<SocketAddr>,
    /// What a customer may send that Weir has never heard of.
    pub(crate) unknown: Unknown,
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
    let unknown = match raw.gate.unknown.as_ref().map(|unknown| (unknown.get_ref().as_str(), unknown.span().start)) {
        None => Unknown::AsNewcomer,
        Some(("pilot", _)) => Unknown::Pilot,
        Some(("refuse", _)) => Unknown::Refuse,
        Some(("free", _)) => Unknown::Free,
        Some((other, at)) => {
            let message = format!("unknown {other:?} is not known; \"pilot\", \"refuse\" and \"free\" are");
            check.fault_at(Some(at), &message);
            Unknown::Refuse
        }
    };
    GateSettings { listen, unknown, instance }
}
