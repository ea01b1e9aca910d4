//! What the API's state means for a customer's next mail.

use std::sync::Arc;

use super::snapshot::Ip;
use super::world::World;
use crate::platform::{Account, Gate, Placement};

impl World {
    /// Whether a mail of the customer leaves now, and through which pool; it takes a credit where the customer has a
    /// number of them. For a customer that is placed nowhere, `routed` is what its mailer decided.
    ///
    /// An IP that is in several pools counts as being in the one that it joined last. Mail leaves by the state as it is,
    /// however late reads are.
    pub fn gate(&mut self, account: &Account, routed: Gate) -> Gate {
        match &account.placement {
            Placement::Route => routed,
            Placement::DedicatedIps(ips) => {
                Gate::Send(ips.first().and_then(|ip| self.state().ips.get(ip)).and_then(latest_pool))
            }
            Placement::Subuser(name) => self.gate_subuser(name),
        }
    }

    fn gate_subuser(&mut self, name: &str) -> Gate {
        let state = self.state();
        let Some(subuser) = state.subusers.get(name).filter(|subuser| !subuser.disabled) else { return Gate::Stop };
        let Some(ip) = subuser.ips.iter().find_map(|ip| state.ips.get(ip)) else { return Gate::Stop };
        let pool = latest_pool(ip);
        if self.take_credit(name) { Gate::Send(pool) } else { Gate::Stop }
    }
}

fn latest_pool(ip: &Ip) -> Option<Arc<str>> {
    ip.pools.last().map(|pool| Arc::from(pool.as_str()))
}
