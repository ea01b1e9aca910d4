//! What may become of a mail, and how campaigns of one customer differ.

use rand_distr::Beta;

use super::dice::Dice;

/// Chances of what becomes of a mail that SendGrid tries to deliver.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chances {
    pub(super) hard_bounce: f64,
    /// Blocked for the sender's conduct: reputation, content.
    pub(super) block: f64,
    /// Blocked for trouble at the receiver: full mailboxes, technical failures.
    pub(super) trouble: f64,
    /// Deferred before it is delivered.
    pub(super) deferral: f64,
    /// Of delivered mail, at providers that report complaints.
    pub(super) complaint: f64,
    /// That a person opens it.
    pub(super) open: f64,
}

/// How much campaigns of a customer differ: the correlation of the fates of two mails of the same campaign, from 0 (not at
/// all) to 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    pub(super) hard_bounce: f64,
    /// Far smaller, because complaints are: so that rates of campaigns differ by about as much as they are large.
    pub(super) complaint: f64,
}

impl Spread {
    pub(super) fn random(dice: &mut Dice) -> Self {
        Self { hard_bounce: dice.between(0.005, 0.01), complaint: dice.between(0.0002, 0.0004) }
    }
}

impl Chances {
    /// A good customer's.
    pub(super) fn good(dice: &mut Dice) -> Self {
        Self {
            hard_bounce: dice.between(0.002, 0.015),
            block: dice.between(0.0003, 0.0015),
            trouble: dice.between(0.0007, 0.0035),
            deferral: dice.between(0.01, 0.04),
            complaint: dice.between(0.0, 0.0003),
            open: dice.between(0.06, 0.15),
        }
    }

    /// Those of a list that was bought.
    pub(super) fn bought((least, most): (f64, f64), dice: &mut Dice) -> Self {
        Self {
            hard_bounce: dice.between(least, most),
            block: dice.between(0.02, 0.05),
            trouble: dice.between(0.01, 0.02),
            deferral: dice.between(0.04, 0.08),
            complaint: dice.between(0.005, 0.015),
            open: 0.02,
        }
    }

    /// Those of mail of which the share `part` is `other`'s.
    pub(super) fn mixed(self, part: f64, other: Self) -> Self {
        let mix = |own: f64, other: f64| own * (1.0 - part) + other * part;
        Self {
            hard_bounce: mix(self.hard_bounce, other.hard_bounce),
            block: mix(self.block, other.block),
            trouble: mix(self.trouble, other.trouble),
            deferral: mix(self.deferral, other.deferral),
            complaint: mix(self.complaint, other.complaint),
            open: mix(self.open, other.open),
        }
    }

    /// Those of one campaign.
    pub(super) fn campaign(self, spread: Spread, dice: &mut Dice) -> Self {
        Self {
            hard_bounce: around(self.hard_bounce, spread.hard_bounce, dice),
            complaint: around(self.complaint, spread.complaint, dice),
            ..self
        }
    }

    /// The share of mail that is delivered.
    pub(super) fn delivered(self) -> f64 {
        1.0 - self.hard_bounce - self.block - self.trouble
    }
}

/// A rate from the beta distribution with this mean and correlation: α = mean × (1 - ρ) / ρ, β = (1 - mean) × (1 - ρ) / ρ.
fn around(mean: f64, correlation: f64, dice: &mut Dice) -> f64 {
    let weight = (1.0 - correlation) / correlation;
    // No distribution where the mean is 0 or 1: then all campaigns are alike.
    Beta::new(mean * weight, (1.0 - mean) * weight).map_or(mean, |beta| dice.draw(&beta))
}
