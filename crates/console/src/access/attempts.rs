//! Failed attempts are counted, and slowed down.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Failures of one address within [`SPAN`] before it is told to wait.
const ALLOWED: u32 = 20;
const SPAN: Duration = Duration::from_secs(60);
/// Addresses remembered at once; more are remembered as one.
const ADDRESSES: usize = 4_096;

/// Who failed of late. Whoever shows what is right is never kept waiting: others behind the same address can't lock them out.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<HashMap<IpAddr, Failures>>);

#[derive(Debug)]
struct Failures {
    since: Instant,
    count: u32,
}

impl Attempts {
    /// Counts a failure; how many seconds to wait where there were too many.
    pub(super) fn failed(&self, peer: Option<IpAddr>, now: Instant) -> Option<u64> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let nobody = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let mut peer = peer.unwrap_or(nobody);
        if all.len() >= ADDRESSES && !all.contains_key(&peer) {
            all.retain(|_, failures| now.duration_since(failures.since) < SPAN);
            if all.len() >= ADDRESSES {
                peer = nobody;
            }
        }
        let failures = all.entry(peer).or_insert(Failures { since: now, count: 0 });
        if now.duration_since(failures.since) >= SPAN {
            *failures = Failures { since: now, count: 0 };
        }
        failures.count = failures.count.saturating_add(1);
        let left = SPAN.saturating_sub(now.duration_since(failures.since));
        (failures.count > ALLOWED).then_some(left.as_secs() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_failures_are_told_to_wait_until_a_minute_is_over_and_nobody_else_is() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        let peer = |last| Some(IpAddr::from([10, 0, 0, last]));
        for _ in 0..ALLOWED {
            assert_eq!(attempts.failed(peer(1), now), None);
        }
        assert_eq!(attempts.failed(peer(1), now), Some(61));
        assert_eq!(attempts.failed(peer(2), now), None);
        assert_eq!(attempts.failed(peer(1), now + SPAN), None);
    }

    #[test]
    fn however_many_addresses_fail_only_so_many_are_remembered() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for number in 0..2 * u32::try_from(ADDRESSES).unwrap() {
            attempts.failed(Some(IpAddr::from(number.to_be_bytes())), now);
        }
        assert!(attempts.0.lock().unwrap().len() <= ADDRESSES + 1);
    }
}
