//! Whether a moved customer's mail leaves where it should: a pure function of one event.
//!
//! That SendGrid shows what was asked for is not yet that the mail obeys it: a mailer may go on naming the home pool, and mail
//! that names none may leave through any IP of the account.

use std::collections::BTreeSet;
use std::net::IpAddr;

use model::{Counter, EventKind, InForce, PoolName, Stage, Timestamp};
use sendgrid::webhook::WebhookEvent;

use crate::observation::Observation;
use crate::placement::Placement;
use crate::reconcile::PoolNames;

/// How a moved customer's mail should leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    /// Mail that was sent before this says nothing: it may have been on its way.
    pub(crate) from: Timestamp,
    /// Whether there should be none.
    is_stopped: bool,
    /// Through this pool.
    pool: Option<PoolName>,
    /// Through one of these IPs; any where there is none.
    ips: BTreeSet<String>,
}

/// What told that a mail left elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// That it was sent at all.
    Stopped,
    /// Its pool.
    Pool,
    /// The IP from which it came.
    Ip,
}

/// A mail that left elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stray {
    pub(crate) by: By,
    /// Where it should have left, and where it did.
    pub(crate) found: String,
}

impl By {
    /// All that may tell.
    pub(crate) const ALL: [Self; 3] = [Self::Stopped, Self::Pool, Self::Ip];

    /// The name in metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Pool => "pool",
            Self::Ip => "ip",
        }
    }
}

impl Expected {
    /// What follows from a standing that is in force, as SendGrid showed it; `None` where mail may leave as it always did.
    pub(crate) fn of(
        (in_force, placement): (&InForce, &Placement),
        seen: &Observation,
        pools: &PoolNames,
        from: Timestamp,
    ) -> Option<Self> {
        let stage = in_force.stage;
        if stage < Stage::Quarantined {
            return None;
        }
        let is_stopped = stage >= Stage::Suspended && !matches!(placement, Placement::DedicatedIps(_));
        let (pool, ips) = match placement {
            _ if is_stopped => (None, BTreeSet::new()),
            Placement::Route => (in_force.pool.clone(), BTreeSet::new()),
            Placement::Subuser(_) => (None, seen.subuser.iter().flat_map(|(_, state)| state.ips.clone()).collect()),
            Placement::DedicatedIps(ips) => (Some(pools.quarantine.clone()), ips.iter().cloned().collect()),
        };
        Some(Self { from, is_stopped, pool, ips })
    }

    /// Whether mail should leave in the same way.
    pub(crate) fn is_same_place(&self, other: &Self) -> bool {
        (self.is_stopped, &self.pool, &self.ips) == (other.is_stopped, &other.pool, &other.ips)
    }

    /// What is wrong with how a mail left, by one of its events.
    pub(crate) fn judge(&self, event: &WebhookEvent<'_>) -> Option<Stray> {
        let told = event.to_event();
        let EventKind::Counted(counter) = told.kind else { return None };
        let is_accepted = counter == Counter::Processed;
        // When SendGrid took the mail. What is delivered now may have been on its way for days.
        let sent =
            if is_accepted { Some(told.sent_at.map_or(told.at, |sent| sent.min(told.at))) } else { told.sent_at };
        if sent.is_none_or(|sent| sent < self.from) {
            return None;
        }
        match counter {
            Counter::Processed if self.is_stopped => {
                Some(Stray { by: By::Stopped, found: "it should send nothing, and SendGrid takes its mail".to_owned() })
            }
            Counter::Processed => self.judge_pool(told.pool),
            Counter::Delivered | Counter::Deferred | Counter::HardBounce | Counter::Block => {
                self.judge_ip(event.ip.as_deref()?)
            }
            _ => None,
        }
    }

    fn judge_pool(&self, found: Option<&str>) -> Option<Stray> {
        let pool = self.pool.as_ref()?;
        let found = match found {
            Some(found) if found == pool.as_str() => return None,
            Some(found) => format!("its mail should leave through pool {pool}, and leaves through {found}"),
            // Its own IPs show in the events that follow.
            None if !self.ips.is_empty() => return None,
            None => format!("its mail should leave through pool {pool}, and names none: it may leave through any IP"),
        };
        Some(Stray { by: By::Pool, found })
    }

    /// By the IP that an event tells; SendGrid writes `unknown`, or nothing, where it has none.
    fn judge_ip(&self, found: &str) -> Option<Stray> {
        let found = address(found)?;
        let is_expected = || self.ips.iter().any(|ip| address(ip) == Some(found));
        (!self.ips.is_empty() && !is_expected()).then(|| {
            let ips: Vec<_> = self.ips.iter().map(String::as_str).collect();
            Stray {
                by: By::Ip,
                found: format!("its mail should leave through {}, and leaves through {found}", ips.join(", ")),
            }
        })
    }
}

fn address(text: &str) -> Option<IpAddr> {
    let address: IpAddr = text.trim().parse().ok()?;
    Some(address.to_canonical()).filter(|address| !address.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::SubuserState;

    const MOVED: i64 = 1_790_000_000;

    fn expected(stage: Stage, placement: &Placement) -> Option<Expected> {
        let pools =
            PoolNames { home: PoolName::new("good"), quarantine: PoolName::new("poor"), dedicated: BTreeSet::new() };
        let credits = sendgrid::api::Credits::unlimited();
        let state = SubuserState { ips: ["192.0.2.1".to_owned()].into(), credits, disabled: false };
        let seen = Observation { subuser: Some(("acme".to_owned(), state)), ..Observation::default() };
        let pool = Some(pools.quarantine.clone());
        let standing = crate::tests::standing("acme", stage, None);
        let in_force = InForce { pool, since: Timestamp::from_seconds(MOVED), ..InForce::of(&standing) };
        Expected::of((&in_force, placement), &seen, &pools, Timestamp::from_seconds(MOVED))
    }

    fn by(expected: &Expected, event: &str) -> Option<By> {
        let event = event.replace("NOW", &(MOVED + 10).to_string()).replace("EARLIER", &(MOVED - 10).to_string());
        expected.judge(&WebhookEvent::parse(event.as_bytes()).unwrap()).map(|stray| stray.by)
    }

    #[test]
    fn a_routed_customers_mail_names_the_poor_pool() {
        let expected = expected(Stage::Quarantined, &Placement::Route).unwrap();
        let with = |pool: &str| format!(r#"{{"event":"processed","timestamp":NOW,"pool":{{"name":"{pool}","id":1}}}}"#);
        assert_eq!(by(&expected, &with("poor")), None);
        assert_eq!(by(&expected, &with("good")), Some(By::Pool));
        assert_eq!(by(&expected, r#"{"event":"processed","timestamp":NOW}"#), Some(By::Pool));
        assert_eq!(by(&expected, r#"{"event":"processed","timestamp":EARLIER}"#), None, "it was on its way");
        assert_eq!(by(&expected, r#"{"event":"open","timestamp":NOW,"ip":"198.51.100.1"}"#), None, "a reader's");
    }

    #[test]
    fn a_subusers_mail_comes_from_the_ips_that_it_has_now() {
        let expected = expected(Stage::Quarantined, &Placement::Subuser("acme".to_owned())).unwrap();
        // The second of this id is when the mail was sent: MOVED + 5.
        let sent = format!("abc.recvd-7d9f-1-{:X}-1.0", MOVED + 5);
        let before = format!("abc.recvd-7d9f-1-{:X}-1.0", MOVED - 5);
        let event = |ip: &str, id: &str| {
            format!(r#"{{"event":"delivered","timestamp":NOW,"ip":"{ip}","sg_message_id":"{id}"}}"#)
        };
        assert_eq!(by(&expected, &event("192.0.2.1", &sent)), None);
        assert_eq!(by(&expected, &event("192.0.2.9", &sent)), Some(By::Ip));
        assert_eq!(by(&expected, &event("192.0.2.9", &before)), None, "sent before it was moved");
        assert_eq!(by(&expected, &event("192.0.2.9", "")), None, "who knows when that was sent");
        assert_eq!(by(&expected, r#"{"event":"processed","timestamp":NOW}"#), None, "the IP will tell");
        for none in ["unknown", "", " ", "-", "0.0.0.0", "::", "192.0.2", "192.0.2.1.", "localhost", "192.0.2.9:25"] {
            assert_eq!(by(&expected, &event(none, &sent)), None, "{none} is no address");
        }
        for same in ["192.0.2.1 ", "::ffff:192.0.2.1"] {
            assert_eq!(by(&expected, &event(same, &sent)), None, "{same}");
        }
        assert_eq!(by(&expected, &event("2001:db8::1", &sent)), Some(By::Ip));
    }

    #[test]
    fn who_is_stopped_sends_nothing_and_the_mild_send_as_ever() {
        for placement in [Placement::Route, Placement::Subuser("acme".to_owned())] {
            let stopped = expected(Stage::Suspended, &placement).unwrap();
            assert_eq!(by(&stopped, r#"{"event":"processed","timestamp":NOW}"#), Some(By::Stopped));
            assert_eq!(by(&stopped, r#"{"event":"dropped","timestamp":NOW}"#), None, "that is what should be");
            assert_eq!(expected(Stage::Throttled, &placement), None);
        }
        let own = Placement::DedicatedIps(vec!["192.0.2.7".to_owned()]);
        let own = expected(Stage::Suspended, &own).unwrap();
        assert_eq!(by(&own, r#"{"event":"processed","timestamp":NOW,"pool":{"name":"good","id":1}}"#), Some(By::Pool));
    }
}
