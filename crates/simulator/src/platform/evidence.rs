//! How much mail it takes to show that a sender is bad, and so how large a bad sender must be to be found in time.

use super::dice::Dice;

/// What the field accepts: SendGrid asks for hard bounces under 5 %.
pub(super) const BOUNCE_LIMIT: f64 = 0.05;
/// Gmail and Yahoo ask for complaints under 0.3 %.
pub(super) const COMPLAINT_LIMIT: f64 = 0.003;

/// The odds at which a test is taken to convict: one false alarm in 100,000.
const LN_ODDS: f64 = 11.5;
/// Chance is unkind to some: so many standard deviations of luck are allowed for, which one in 100,000 exceeds.
const BAD_LUCK: f64 = 4.5;

/// About how many mails, of which the share `rate` goes wrong, show that the share is above `limit`: Chernoff's bound,
/// and what bad luck adds.
fn to_convict(rate: f64, limit: f64) -> f64 {
    let divergence = rate * (rate / limit).ln() + (1.0 - rate) * ((1.0 - rate) / (1.0 - limit)).ln();
    let mails = LN_ODDS / divergence;
    let deviation = (mails * rate * (1.0 - rate)).sqrt() / (rate - limit);
    mails + BAD_LUCK * deviation
}

/// So many mails that those which convict the sender are this share of them.
///
/// The share is less than the tenth within which a sender is to be found, by what it sends while its bounces and complaints
/// are on their way and until a watcher looks (once a minute), and by the clean mail before a break-in.
pub(super) fn convicting_share(share: f64, rate: f64, limit: f64) -> usize {
    Dice::whole(to_convict(rate, limit) / share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closer_to_the_limit_the_more_mails_it_takes() {
        let needed = [0.30, 0.20, 0.12, 0.08].map(|rate| to_convict(rate, BOUNCE_LIMIT));
        assert!(needed.is_sorted() && needed[0] < 100.0 && needed[2] > 500.0, "{needed:?}");
    }
}
