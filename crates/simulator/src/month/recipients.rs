//! Whose mailboxes a customer's list holds.

use model::Provider;

use super::dice::Dice;

/// How common the providers are among consumers' lists.
const SHARES: [(Provider, f64); 11] = [
    (Provider::Gmail, 0.34),
    (Provider::Microsoft, 0.18),
    (Provider::Yahoo, 0.16),
    (Provider::Apple, 0.07),
    (Provider::Comcast, 0.04),
    (Provider::UnitedInternet, 0.05),
    (Provider::Orange, 0.03),
    (Provider::MailRu, 0.01),
    (Provider::Yandex, 0.01),
    (Provider::Proton, 0.01),
    (Provider::Other, 0.10),
];

/// A list's share of each provider.
#[derive(Clone, Debug)]
pub(super) struct Recipients([f64; SHARES.len()]);

impl Recipients {
    /// A list of its own: every share is up to twice or down to half of the common one.
    pub(super) fn random(dice: &mut Dice) -> Self {
        Self::of_weights(SHARES.map(|(_, share)| share * libm::exp2(dice.between(-1.0, 1.0))))
    }

    /// A list of which `share` is with one provider.
    pub(super) fn mostly(provider: Provider, share: f64, dice: &mut Dice) -> Self {
        let Self(others) = Self::random(dice);
        let mut weights = others.map(|other| other * (1.0 - share));
        for ((known, _), weight) in SHARES.iter().zip(&mut weights) {
            *weight += if *known == provider { share } else { 0.0 };
        }
        Self::of_weights(weights)
    }

    fn of_weights(weights: [f64; SHARES.len()]) -> Self {
        let sum: f64 = weights.iter().sum();
        Self(weights.map(|weight| weight / sum))
    }

    /// A recipient's provider.
    pub(super) fn provider(&self, dice: &mut Dice) -> Provider {
        let mut rest = dice.between(0.0, 1.0);
        for ((provider, _), share) in SHARES.iter().zip(self.0) {
            rest -= share;
            if rest < 0.0 {
                return *provider;
            }
        }
        Provider::Other
    }

    /// The share of recipients whose providers report complaints.
    pub(super) fn reporting(&self) -> f64 {
        let reporting = SHARES.iter().zip(self.0).filter(|((provider, _), _)| provider.reports_complaints());
        reporting.map(|(_, share)| share).sum()
    }
}
