//! Whether the API key may do what is configured.

use std::collections::{BTreeMap, BTreeSet};

use sendgrid::api::needs::{self, Use};

use crate::{Config, Enforcer, Error, PlacementRule};

impl Enforcer {
    /// Says which scopes the key lacks for what is configured. Where that can't be asked, the calls themselves will tell.
    pub(crate) async fn check_scopes(&mut self) -> Result<(), Error> {
        let Some(client) = self.client.clone() else { return Ok(()) };
        let held = match client.own().scopes().await {
            Ok(held) => held,
            Err(error) => {
                tracing::warn!(%error, "the API key's scopes can't be asked for");
                return Ok(());
            }
        };
        let missing: BTreeMap<_, Vec<_>> = needs::missing(&held, &uses(&self.config))
            .into_iter()
            .map(|(wanted, scopes)| (wanted.to_string(), scopes.into_iter().map(str::to_owned).collect()))
            .collect();
        for (wanted, scopes) in &missing {
            tracing::error!("the SendGrid API key lacks scopes for {wanted}: give it {}", scopes.join(", "));
        }
        self.metrics.missing_scopes.set(missing.values().map(Vec::len).sum::<usize>().try_into().unwrap_or(i64::MAX));
        self.say_missing_scopes(missing).await
    }
}

/// What the enforcer will do at SendGrid, set up like this.
fn uses(config: &Config) -> Vec<Use> {
    let rules = config.placements.by_customer.values().chain([&config.placements.default]);
    let mut uses = BTreeSet::new();
    for rule in rules {
        match rule {
            PlacementRule::Subuser(_) => {
                uses.insert(Use::ReadSubusers);
                if !config.modes.is_all_shadow() {
                    uses.extend([Use::DisableSubusers, Use::CapSubusers, Use::MoveSubusers]);
                }
            }
            PlacementRule::DedicatedIps(_) if !config.modes.is_all_shadow() => {
                uses.insert(Use::MovePools);
            }
            PlacementRule::DedicatedIps(_) | PlacementRule::Route => {}
        }
    }
    uses.into_iter().collect()
}
