//! How much mail it takes to show that a sender is bad, and so how large a bad sender must be to be found in time.

use super::dice::Dice;

/// What the field accepts.
#[derive(Clone, Copy)]
pub(super) struct Limit {
    /// The share of mails that may go wrong.
    pub(super) rate: f64,
    /// How much alike the fates of an hour's mails are taken to be. However many they are, they tell no more than
    /// `1 / correlation` mails that go wrong each by itself.
    correlation: f64,
}

/// SendGrid asks for hard bounces under 5 %.
pub(super) const BOUNCES: Limit = Limit { rate: 0.05, correlation: 0.002 };
/// Gmail and Yahoo ask for complaints under 0.3 %.
pub(super) const COMPLAINTS: Limit = Limit { rate: 0.003, correlation: 0.0002 };

/// The odds at which a test is taken to convict: one false alarm in 10,000,000,000 tests.
const LN_ODDS: f64 = 23.0;
/// A test that is not told how bad the sender is holds the limit against these multiples of it.
const CONTRASTS: [f64; 4] = [2.0, 4.0, 8.0, 16.0];
/// Chance is unkind to some: so many standard deviations of luck are allowed for, which one in 100,000 exceeds.
const BAD_LUCK: f64 = 4.5;

/// About how many mails within an hour, of which the share `rate` goes wrong, show that the share is above the limit: those
/// whose expected likelihood ratio is as large as the odds, what their likeness takes away, and what bad luck adds.
///
/// Infinity, where no number of mails within one hour does.
fn to_convict(rate: f64, limit: Limit) -> f64 {
    let mails = LN_ODDS / gain(rate, limit.rate);
    let luck = BAD_LUCK * (mails * rate * (1.0 - rate)).sqrt() / (rate - limit.rate);
    mails / (1.0 - limit.correlation * mails).max(0.0) + luck
}

/// The logarithm of the likelihood ratio that a mail is expected to add.
fn gain(rate: f64, limit: f64) -> f64 {
    let against = |bad: f64| rate * libm::log(bad / limit) + (1.0 - rate) * libm::log((1.0 - bad) / (1.0 - limit));
    CONTRASTS.map(|times| against(times * limit)).into_iter().fold(0.0, f64::max)
}

/// So many mails that those which convict the sender are this share of them.
///
/// The share is less than the tenth within which a sender is to be found, by what it sends while its bounces and complaints
/// are on their way and until a watcher looks (once a minute), and by the clean mail before a break-in.
pub(super) fn convicting_share(share: f64, rate: f64, limit: Limit) -> usize {
    Dice::whole(to_convict(rate, limit) / share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closer_to_the_limit_the_more_mails_it_takes() {
        let needed = [0.30, 0.25, 0.20, 0.16].map(|rate| to_convict(rate, BOUNCES));
        assert!(needed.is_sorted() && needed[0] < 200.0 && needed[3] > 500.0, "{needed:?}");
    }

    #[test]
    fn so_close_that_an_hour_never_tells() {
        assert!(to_convict(0.07, BOUNCES).is_infinite());
    }
}
