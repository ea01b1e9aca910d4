//! What SendGrid has to look like for a customer's standing, said without the enforcer's code.

use std::collections::BTreeSet;

use model::{Stage, Standing};
use sendgrid::api::{Credits, CreditsKind};
use simulator::sendgrid::{QUARANTINE, World};

use super::fleet::{Before, Customer};

const POOR_IPS: [&str; 2] = ["192.0.2.201", "192.0.2.202"];

/// What is wrong about a customer at SendGrid, now that it stands there; nothing where all is as it should be.
pub(crate) fn wrong(world: &World, customer: &Customer, standing: Option<&Standing>) -> Option<String> {
    let stage = standing.map_or(Stage::Healthy, |standing| standing.stage);
    let cap = standing.and_then(|standing| standing.daily_cap);
    match &customer.before {
        Before::Subuser { name, ips, credits, is_disabled } => {
            let is_stopped = *is_disabled || cap == Some(0) || matches!(stage, Stage::Suspended | Stage::Banned);
            if world.is_disabled(name) != is_stopped {
                return Some(format!("disabled: {}", !is_stopped));
            }
            if is_stopped && standing.is_some_and(|standing| standing.severity() > Stage::Watch) {
                // Where one that sends nothing would send, and how much, does not matter.
                return None;
            }
            let poor_ips: BTreeSet<_> = POOR_IPS.iter().map(|ip| (*ip).to_owned()).collect();
            let ips = if stage == Stage::Quarantined { &poor_ips } else { ips };
            let found = world.ips_of(name);
            if found != *ips {
                return Some(format!("IPs {found:?}, wanted {ips:?}"));
            }
            wrong_credits(world, name, &cap.map_or_else(|| credits.clone(), Credits::daily))
        }
        Before::Ips { own, pool } => {
            let is_poor = matches!(stage, Stage::Quarantined | Stage::Suspended | Stage::Banned);
            let pool = if is_poor { QUARANTINE } else { pool };
            let wrong = own.iter().map(|ip| (ip, world.pools_of_ip(ip))).find(|(_, found)| !found.iter().eq([pool]));
            wrong.map(|(ip, found)| format!("{ip} is in {found:?}, wanted {pool}"))
        }
        Before::Routed => None,
    }
}

fn wrong_credits(world: &World, name: &str, wanted: &Credits) -> Option<String> {
    let found = world.credits(name).unwrap();
    let kind = match wanted.kind {
        CreditsKind::Unlimited => "unlimited",
        CreditsKind::Recurring => "recurring",
        CreditsKind::Nonrecurring => "nonrecurring",
    };
    let is_same = found.kind == kind
        && found.total == wanted.total.map(u64::from)
        && (kind == "unlimited" || found.reset_frequency == wanted.reset_frequency);
    (!is_same).then(|| format!("credits {found:?}, wanted {wanted:?}"))
}
