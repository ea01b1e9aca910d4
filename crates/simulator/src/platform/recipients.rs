//! Whose mailboxes a customer's list holds.

use model::Provider;

use super::dice::Dice;

/// Domains and how common they are among consumers' lists.
const DOMAINS: [(&str, f64); 13] = [
    ("gmail.com", 0.34),
    ("hotmail.com", 0.10),
    ("outlook.com", 0.08),
    ("yahoo.com", 0.14),
    ("aol.com", 0.04),
    ("icloud.com", 0.07),
    ("comcast.net", 0.04),
    ("gmx.de", 0.05),
    ("orange.fr", 0.03),
    ("mail.ru", 0.01),
    ("proton.me", 0.01),
    ("example.org", 0.05),
    ("example.com", 0.04),
];

/// The provider that refuses mail during an outage.
pub const FAILING: Provider = Provider::Microsoft;

/// A list's share of each domain.
#[derive(Clone, Debug)]
pub(super) struct Recipients([f64; DOMAINS.len()]);

impl Recipients {
    /// A list of its own: every share is up to three times or down to a third of the common one, and one list in ten is
    /// mostly Microsoft's.
    pub(super) fn random(dice: &mut Dice) -> Self {
        let mut shares = DOMAINS.map(|(_, share)| share * libm::pow(3.0, dice.between(-1.0, 1.0)));
        if dice.chance(0.1) {
            shares[1] += 0.6;
            shares[2] += 0.6;
        }
        let sum: f64 = shares.iter().sum();
        Self(shares.map(|share| share / sum))
    }

    /// A recipient's domain.
    pub(super) fn domain(&self, dice: &mut Dice) -> &'static str {
        let mut rest = dice.between(0.0, 1.0);
        for ((domain, _), share) in DOMAINS.iter().zip(self.0) {
            rest -= share;
            if rest < 0.0 {
                return domain;
            }
        }
        DOMAINS[0].0
    }

    /// The share of recipients whose providers report complaints.
    pub(super) fn reporting(&self) -> f64 {
        let reports = |domain: &str| provider(domain).reports_complaints();
        DOMAINS.iter().zip(self.0).filter(|((domain, _), _)| reports(domain)).map(|(_, share)| share).sum()
    }
}

/// Whose domain it is.
pub(super) fn provider(domain: &str) -> Provider {
    // Domains here are lower case and whole, and the look-up wants an address.
    Provider::of_address(&["x@", domain].concat())
}
