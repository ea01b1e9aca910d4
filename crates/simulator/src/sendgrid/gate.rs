//! What the API's state means for a customer's next mail.

use std::sync::Arc;

use super::world::{Ip, World};
use crate::platform::{Account, Gate, Placement};

impl World {
    /// Whether a mail of the customer leaves now, and through which pool; it takes a credit where the customer has a
    /// number of them. For a customer that is placed nowhere, `routed` is what its mailer decided.
    ///
    /// An IP that is in several pools counts as being in the one that it joined last.
    pub fn gate(&mut self, account: &Account, routed: Gate) -> Gate {
        match &account.placement {
            Placement::Route => routed,
            Placement::DedicatedIps(ips) => {
                Gate::Send(ips.first().and_then(|ip| self.ips.get(ip)).and_then(latest_pool))
            }
            Placement::Subuser(name) => self.gate_subuser(name),
        }
    }

    fn gate_subuser(&mut self, name: &str) -> Gate {
        let Some(ip) = self.ips.values().find(|ip| ip.subusers.contains(name)) else { return Gate::Stop };
        let pool = latest_pool(ip);
        let Some(subuser) = self.subusers.get_mut(name) else { return Gate::Stop };
        let leaves = !subuser.disabled && subuser.credits.take();
        if leaves { Gate::Send(pool) } else { Gate::Stop }
    }
}

fn latest_pool(ip: &Ip) -> Option<Arc<str>> {
    ip.pools.last().map(|pool| Arc::from(pool.as_str()))
}
