//! What the whole fleet does, told to Prometheus by the process that ticks.

use std::collections::BTreeSet;
use std::fmt;

use model::{Blame, Counts, Fleet, PoolName, Provider, Window};
use policy::{Policy, Signal};
use telemetry::{GaugeVec, IntGaugeVec, Label, Registry, Values};

use crate::proposal::PolicyFile;
use crate::{Error, Handle};

/// The windows that are told: what happens now, and what is usual.
const WINDOWS: [Window; 2] = [Window::Hour, Window::Day];
const BLAMES: [(Blame, &str); 2] = [(Blame::Provider, "provider"), (Blame::Pool, "pool")];

/// The fleet's gauges, and the policy that says what an incident is.
pub(crate) struct FleetGauges {
    mails: IntGaugeVec,
    ratio: GaugeVec,
    pool_mails: IntGaugeVec,
    pool_ratio: GaugeVec,
    incidents: IntGaugeVec,
    /// The pools that are shown.
    pools: BTreeSet<PoolName>,
    /// The policy in force, as far as it is known.
    policy: Option<Policy>,
}

impl fmt::Debug for FleetGauges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FleetGauges").field("pools", &self.pools).finish_non_exhaustive()
    }
}

impl FleetGauges {
    pub(crate) fn register(registry: &Registry, file: &PolicyFile) -> Result<Self, Error> {
        let mut gauges = Self::made(registry)?;
        gauges.learn(&file.text);
        Ok(gauges)
    }

    fn made(registry: &Registry) -> telemetry::Result<Self> {
        let window = Label::words("window", WINDOWS.map(Window::name));
        let signal = Label::words("signal", Signal::ALL.map(Signal::name));
        let providers = Provider::ALL.map(Provider::name).to_vec();
        let provider = Label { name: "provider", values: Values::Providers(providers) };
        Ok(Self {
            mails: registry.gauges(
                "weir_fleet_mails",
                "Mails of all customers that SendGrid tried to deliver within the window, by mailbox provider.",
                &[window.clone(), provider.clone()],
            )?,
            ratio: registry.real_gauges(
                "weir_fleet_signal_ratio",
                "Share of all customers' mails within the window that the signal speaks of, by mailbox provider; nothing for \
                 complaints at providers that report none.",
                &[window.clone(), signal.clone(), provider],
            )?,
            pool_mails: registry.gauges(
                "weir_fleet_pool_mails",
                "Mails that SendGrid tried to deliver within the window, by the IP pool that they left through.",
                &[window.clone(), Label::pool()],
            )?,
            pool_ratio: registry.real_gauges(
                "weir_fleet_pool_signal_ratio",
                "Share of an IP pool's mails within the window that the signal speaks of.",
                &[window, signal, Label::pool()],
            )?,
            incidents: registry.gauges(
                "weir_fleet_incidents",
                "Incidents that are open now, each of a mailbox provider and a kind of trouble, by whose fault they are.",
                &[Label::words("blame", BLAMES.map(|(_, name)| name))],
            )?,
            pools: BTreeSet::new(),
            policy: None,
        })
    }

    /// Learns which policy is in force, from a scorer that knows.
    pub(crate) async fn follow(&mut self, scorer: &Handle) {
        let Ok(known) = scorer.policy().await else { return };
        let is_known = self.policy.as_ref().is_some_and(|policy| policy.digest() == known.digest);
        if let (false, Some(in_force)) = (is_known, known.record) {
            self.learn(&in_force.text);
        }
    }

    fn learn(&mut self, text: &str) {
        match Policy::parse(text) {
            Ok(policy) => self.policy = Some(policy),
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "incidents are told by another policy")
            }
        }
    }

    /// Shows the fleet as it is.
    pub(crate) fn tell(&mut self, fleet: &Fleet) {
        for window in WINDOWS {
            for provider in Provider::ALL {
                self.tell_provider(window, provider, &fleet.provider(window, provider));
            }
            for (pool, counts) in fleet.windows.get(&window).into_iter().flat_map(|counts| &counts.pools) {
                self.tell_pool(window, pool.as_str(), counts);
            }
        }
        self.drop_pools_not_in(fleet);
        if let Some(policy) = &self.policy {
            let open = policy.open_incidents(fleet);
            for (blame, name) in BLAMES {
                let count = open.iter().filter(|incident| incident.blame() == blame).count();
                self.incidents.with_label_values(&[name]).set(i64::try_from(count).unwrap_or(i64::MAX));
            }
        }
    }

    fn tell_provider(&self, window: Window, provider: Provider, counts: &Counts) {
        let (window, name) = (window.name(), provider.name());
        self.mails.with_label_values(&[window, name]).set(counts.attempted().into());
        let told = |signal: &Signal| provider.reports_complaints() || *signal != Signal::SpamReport;
        for signal in Signal::ALL.into_iter().filter(told) {
            let rate = signal.fraction(provider, counts).rate();
            self.ratio.with_label_values(&[window, signal.name(), name]).set(rate);
        }
    }

    fn tell_pool(&self, window: Window, pool: &str, counts: &Counts) {
        self.pool_mails.with_label_values(&[window.name(), pool]).set(counts.attempted().into());
        for signal in Signal::ALL {
            let rate = signal.fraction(Provider::Other, counts).rate();
            self.pool_ratio.with_label_values(&[window.name(), signal.name(), pool]).set(rate);
        }
    }

    /// Shows nothing more of pools, or of their last hour, without mail.
    fn drop_pools_not_in(&mut self, fleet: &Fleet) {
        let of = |window| fleet.windows.get(&window).into_iter().flat_map(|counts| counts.pools.keys());
        for window in WINDOWS {
            let now: BTreeSet<_> = of(window).collect();
            for gone in self.pools.iter().filter(|pool| !now.contains(pool)) {
                // What was not shown can't be taken away, which is as good.
                let _not_shown = self.pool_mails.remove_label_values(&[window.name(), gone.as_str()]).is_err();
                for signal in Signal::ALL {
                    let labels = [window.name(), signal.name(), gone.as_str()];
                    let _not_shown = self.pool_ratio.remove_label_values(&labels).is_err();
                }
            }
        }
        self.pools = WINDOWS.into_iter().flat_map(of).cloned().collect();
    }

    /// Whoever ticks next tells these.
    pub(crate) fn forget(&mut self) {
        self.mails.reset();
        self.ratio.reset();
        self.pool_mails.reset();
        self.pool_ratio.reset();
        self.incidents.reset();
        self.pools.clear();
    }
}

/// Registers the fleet's metrics alone, for who only lists them.
pub(crate) fn list_metrics(registry: &Registry) -> telemetry::Result<()> {
    FleetGauges::made(registry).map(drop)
}

#[cfg(test)]
mod tests {
    use model::{Counter, FleetCounts};

    use super::*;

    fn counts(processed: u32, hard_bounce: u32, spam_report: u32) -> Counts {
        let mut counts = Counts::ZERO;
        counts[Counter::Processed] = processed;
        counts[Counter::Delivered] = processed - hard_bounce;
        counts[Counter::HardBounce] = hard_bounce;
        counts[Counter::SpamReport] = spam_report;
        counts
    }

    #[test]
    fn rates_are_told_by_provider_and_pool_and_a_pool_that_is_gone_is_told_no_more() {
        let registry = Registry::new();
        let file = PolicyFile { text: policy::DEFAULT.to_owned(), digest: String::new() };
        let mut gauges = FleetGauges::register(&registry, &file).unwrap();
        let pool = |name: &str| (PoolName::new(name), counts(200, 4, 1));
        let hour = FleetCounts {
            providers: [(Provider::Yahoo, counts(1_000, 10, 9)), (Provider::Gmail, counts(500, 0, 0))].into(),
            pools: [pool("good-1"), pool("poor")].into(),
        };
        let fleet = |counts: FleetCounts| Fleet { windows: [(Window::Hour, counts)].into(), ..Fleet::default() };
        gauges.tell(&fleet(hour.clone()));
        let text = registry.text().unwrap();
        for line in [
            "weir_fleet_mails{provider=\"yahoo\",window=\"1h\"} 1000\n",
            "weir_fleet_signal_ratio{provider=\"yahoo\",signal=\"hard_bounce\",window=\"1h\"} 0.01\n",
            "weir_fleet_pool_signal_ratio{pool=\"poor\",signal=\"hard_bounce\",window=\"1h\"} 0.02\n",
            "weir_fleet_incidents{blame=\"provider\"} 0\n",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert!(!text.contains("provider=\"gmail\",signal=\"spam_report\""), "Gmail tells of no complaints");
        gauges.tell(&fleet(FleetCounts { pools: [pool("good-1")].into(), ..hour }));
        let text = registry.text().unwrap();
        assert!(text.contains("pool=\"good-1\"") && !text.contains("pool=\"poor\""), "{text}");
        gauges.forget();
        assert!(!registry.text().unwrap().contains("weir_fleet"));
    }
}
