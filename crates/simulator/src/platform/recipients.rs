//! Whose mailboxes a customer's list holds.

use model::Provider;
use rand::RngExt;

/// Domains and how common they are among consumers' lists.
const DOMAINS: [(&str, f64); 10] = [
    ("gmail.com", 0.34),
    ("hotmail.com", 0.10),
    ("outlook.com", 0.08),
    ("yahoo.com", 0.14),
    ("aol.com", 0.04),
    ("icloud.com", 0.07),
    ("comcast.net", 0.04),
    ("gmx.de", 0.05),
    ("orange.fr", 0.03),
    ("example.org", 0.11),
];

/// A list's share of each domain.
#[derive(Clone, Debug)]
pub(super) struct Recipients([f64; DOMAINS.len()]);

impl Recipients {
    /// A list of its own: every share is up to three times or down to a third of the common one, and one list in ten is
    /// mostly Microsoft's.
    pub(super) fn random(rng: &mut impl RngExt) -> Self {
        let mut shares = DOMAINS.map(|(_, share)| share * 3_f64.powf(rng.random_range(-1.0..1.0)));
        if rng.random_bool(0.1) {
            shares[1] += 0.6;
            shares[2] += 0.6;
        }
        let sum: f64 = shares.iter().sum();
        Self(shares.map(|share| share / sum))
    }

    /// A recipient's domain.
    pub(super) fn domain(&self, rng: &mut impl RngExt) -> &'static str {
        let mut rest: f64 = rng.random_range(0.0..1.0);
        for ((domain, _), share) in DOMAINS.iter().zip(self.0) {
            rest -= share;
            if rest < 0.0 {
                return domain;
            }
        }
        DOMAINS[0].0
    }
}

/// Whether the provider of `domain` is the one that has the outage.
pub(super) fn has_outage(domain: &str) -> bool {
    matches!(domain, "hotmail.com" | "outlook.com")
}

/// Whether complaints from `domain` are reported back.
pub(super) fn reports_complaints(domain: &str) -> bool {
    Provider::of_address(&format!("x@{domain}")).reports_complaints()
}
