//! The mails that the best sequential test needs to know that a customer is bad.

use model::{Counter, Mode, Stage, Test};
use policy::wald::{divergence, fewest_mails};
use policy::{Policy, Rule};
use simulator::month::{Badness, Customer};

/// No more mails are looked at for a rate that rises.
const MOST_MAILS: u32 = 10_000_000;

/// The same for a rate that rises with each mail: the mails whose divergences together reach ln(1 / alpha).
fn fewest_rising(limit: f64, badness: &Badness, alpha: f64) -> Option<f64> {
    let mut missing = -libm::log(alpha);
    let enough = (1..=MOST_MAILS).find(|mail| {
        let rate = (badness.rate + badness.rise * f64::from(*mail)).min(0.99);
        missing -= if rate > limit { divergence(rate, limit) } else { 0.0 };
        missing <= 0.0
    });
    enough.map(f64::from)
}

/// The mails that the best sequential test needs on average (Wald's bound) to know that the customer is bad, at the limits and
/// error rates of `policy`: the least over its sequential rules that look at what shows it, are carried out for it and lead to
/// throttled or worse. `None` where no such rule does, and of a good customer.
///
/// A `bound` rule has no part in it. Its limit may be lower, but it asks another question: whether the whole window's rate is
/// above the limit, with bad events in several buckets, which takes days however many mails there are.
pub(crate) fn least(policy: &Policy, customer: &Customer) -> Option<f64> {
    let badness = customer.badness.as_ref()?;
    let is_carried_out = |rule: &&Rule| rule.mode(&customer.id, Mode::Enforce) == Mode::Enforce;
    let rules = policy.rules().iter().filter(is_carried_out);
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
    use model::CustomerId;
    use policy::DEFAULT;
    use simulator::month::{Kind, Scenario};

    use super::*;

    /// A customer whose mail can be complained of at half of its recipients' providers.
    fn customer(signal: Counter, rate: f64) -> Customer {
        let badness = Badness { since: Scenario::START, signal, rate, rise: 0.0 };
        let id = CustomerId::new("c").unwrap();
        Customer { id, kind: Kind::BoughtList, home: "good-1", reporting: 0.5, badness: Some(badness) }
    }

    /// The standard policy without the rules by the other kind of test, and how likely one of its rules moves somebody wrongly.
    fn only(test: &str) -> (Policy, f64) {
        let other = if test == "bound" { "sequential" } else { "bound" };
        let mut parts: Vec<_> = DEFAULT.split("\n[[rule]]\n").collect();
        parts.retain(|part| !part.contains(&format!("test = \"{other}\"")) || part.contains("version ="));
        let policy = Policy::parse(&parts.join("\n[[rule]]\n")).unwrap();
        let alpha = policy.rules().iter().find(|rule| rule.stage >= Stage::Throttled).unwrap().alpha;
        (policy, alpha)
    }

    #[test]
    fn the_least_is_walds_bound_at_the_lowest_limit_of_a_sequential_rule_that_moves_somebody() {
        let policy = Policy::parse(DEFAULT).unwrap();
        let alpha = policy.rules().iter().find(|rule| rule.stage >= Stage::Throttled).unwrap().alpha;
        let bounces = least(&policy, &customer(Counter::HardBounce, 0.2));
        assert_eq!(bounces, Some(fewest_mails(0.05, 0.2, alpha)), "watch's limit of 3 % is not meant");
        let complaints = least(&policy, &customer(Counter::SpamReport, 0.03));
        assert_eq!(complaints, Some(2.0 * fewest_mails(0.003, 0.03, alpha)), "half of the mail can't be complained of");
        assert_eq!(least(&policy, &customer(Counter::HardBounce, 0.05)), None, "not above the limit");
        assert_eq!(least(&policy, &Customer { badness: None, ..customer(Counter::HardBounce, 0.2) }), None);
    }

    #[test]
    fn a_policy_of_bound_rules_has_no_least() {
        let bouncing = customer(Counter::HardBounce, 0.2);
        let (sequential, alpha) = only("sequential");
        assert_eq!(least(&sequential, &bouncing), Some(fewest_mails(0.05, 0.2, alpha)));
        assert_eq!(least(&only("bound").0, &bouncing), None);
    }

    #[test]
    fn a_rule_in_shadow_moves_nobody_and_is_no_yardstick() {
        let shadowed = DEFAULT.replace("test = \"sequential\"", "test = \"sequential\"\nmode = \"shadow\"");
        assert_eq!(least(&Policy::parse(&shadowed).unwrap(), &customer(Counter::HardBounce, 0.2)), None);
    }

    #[test]
    fn a_rate_that_hardly_rises_takes_as_many_as_one_that_stays() {
        let badness = Badness { rise: 1e-12, ..customer(Counter::HardBounce, 0.1).badness.unwrap() };
        let rising = fewest_rising(0.05, &badness, 1e-5).unwrap();
        assert!((rising - fewest_mails(0.05, 0.1, 1e-5)).abs() <= 1.0, "{rising}");
    }
}
