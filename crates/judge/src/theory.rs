//! The fewest mails from which anybody could know that a customer is bad.

use model::{Counter, Stage, Test};
use policy::Policy;
use policy::wald::{divergence, fewest_mails};
use simulator::month::{Badness, Customer};

/// No more mails are looked at for a rate that rises.
const MOST_MAILS: u32 = 10_000_000;

/// The same for a rate that rises with each mail: the mails whose divergences together reach ln(1 / alpha).
fn fewest_rising(limit: f64, badness: &Badness, alpha: f64) -> Option<f64> {
    let mut missing = -alpha.ln();
    let enough = (1..=MOST_MAILS).find(|mail| {
        let rate = (badness.rate + badness.rise * f64::from(*mail)).min(0.99);
        missing -= if rate > limit { divergence(rate, limit) } else { 0.0 };
        missing <= 0.0
    });
    enough.map(f64::from)
}

/// The fewest mails from which any rule of `policy` could know that the customer is bad: the least over the rules that look
/// at what shows it and lead to throttled or worse. `None` where no rule does, and of a good customer.
pub(crate) fn least(policy: &Policy, customer: &Customer) -> Option<f64> {
    let badness = customer.badness.as_ref()?;
    let rules = policy.rules().iter();
    let sequential = rules.filter(|rule| rule.test() == Test::Sequential && rule.stage >= Stage::Throttled);
    let fitting = sequential.filter(|rule| rule.signal.is_fed_by(badness.signal));
    let fewest = fitting.filter_map(|rule| {
        if badness.rise > 0.0 {
            fewest_rising(rule.enter, badness, rule.alpha)
        } else {
            Some(fewest_mails(rule.enter, badness.rate, rule.alpha)).filter(|mails| mails.is_finite())
        }
    });
    // Complaints are a share of the mail that can be complained of.
    let counted = if badness.signal == Counter::SpamReport { customer.reporting } else { 1.0 };
    fewest.min_by(f64::total_cmp).map(|mails| mails / counted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_that_hardly_rises_takes_as_many_as_one_that_stays() {
        let since = simulator::month::Scenario::START;
        let badness = Badness { since, signal: Counter::HardBounce, rate: 0.1, rise: 1e-12 };
        let rising = fewest_rising(0.05, &badness, 1e-5).unwrap();
        assert!((rising - fewest_mails(0.05, 0.1, 1e-5)).abs() <= 1.0, "{rising}");
    }
}
