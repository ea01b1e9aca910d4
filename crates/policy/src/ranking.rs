//! Who weighs most: customers in order, for whoever looks at a list. Never for a verdict.

use model::{Contributor, CustomerId, Fleet, PoolName, Provider, Rate, Stage, Window};
use serde::Serialize;

use crate::Signal;
use crate::signal::Fraction;

/// A customer's place among those with the most bad events.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ranked {
    /// Which customer.
    pub customer: CustomerId,
    /// Its stage.
    pub stage: Stage,
    /// The pool through which it sends.
    pub pool: Option<PoolName>,
    /// The rate of hard bounces that is to be expected of it.
    pub hard_bounce: Rate,
    /// The rate of complaints that is to be expected of it.
    pub spam_report: Rate,
    /// By how many times the worse of the two exceeds the fleet's.
    pub times_the_fleet: f64,
}

/// The contributors, the worst first.
///
/// Rates are those of the last 24 hours, shrunk towards the fleet's: a bounce among three mails does not stand above a
/// hundred among a thousand.
pub fn ranking(fleet: &Fleet) -> Vec<Ranked> {
    let whole = [Signal::HardBounce, Signal::SpamReport].map(|signal| of_fleet(signal, fleet).rate());
    let mut ranked: Vec<_> = fleet.contributors.iter().map(|contributor| rank(contributor, whole)).collect();
    ranked.sort_by(|a, b| b.times_the_fleet.total_cmp(&a.times_the_fleet).then_with(|| a.customer.cmp(&b.customer)));
    ranked
}

fn rank(contributor: &Contributor, [bounces, complaints]: [f64; 2]) -> Ranked {
    let expected = |signal: Signal, whole: f64| {
        let parts = contributor.day.iter().map(|(provider, counts)| signal.fraction(*provider, counts));
        parts.fold(Fraction::default(), Fraction::plus).shrunk(whole)
    };
    let (hard_bounce, spam_report) = (expected(Signal::HardBounce, bounces), expected(Signal::SpamReport, complaints));
    let times = |expected: f64, whole: f64| if whole > 0.0 { expected / whole } else { 0.0 };
    Ranked {
        customer: contributor.customer.clone(),
        stage: contributor.stage,
        pool: contributor.pool.clone(),
        hard_bounce: Rate::new(hard_bounce).unwrap_or_default(),
        spam_report: Rate::new(spam_report).unwrap_or_default(),
        times_the_fleet: times(hard_bounce, bounces).max(times(spam_report, complaints)),
    }
}

fn of_fleet(signal: Signal, fleet: &Fleet) -> Fraction {
    let parts = Provider::ALL.map(|provider| signal.fraction(provider, &fleet.provider(Window::Day, provider)));
    parts.into_iter().fold(Fraction::default(), Fraction::plus)
}

#[cfg(test)]
mod tests {
    use model::{Counter, Counts, FleetCounts};

    use super::*;

    fn counts(mails: u32, hard_bounces: u32) -> Counts {
        let mut counts = Counts::ZERO;
        counts[Counter::Processed] = mails;
        counts[Counter::HardBounce] = hard_bounces;
        counts
    }

    #[test]
    fn a_bounce_among_three_mails_stands_below_a_hundred_among_a_thousand() {
        let contributor = |name: &str, mails, hard_bounces| Contributor {
            customer: CustomerId::new(name).unwrap(),
            pool: None,
            stage: Stage::Healthy,
            hour: std::collections::BTreeMap::new(),
            day: [(Provider::Other, counts(mails, hard_bounces))].into(),
        };
        let day =
            FleetCounts { providers: [(Provider::Other, counts(100_000, 1_000))].into(), ..FleetCounts::default() };
        let fleet = Fleet {
            windows: [(Window::Day, day)].into(),
            contributors: vec![contributor("unlucky", 3, 1), contributor("bad", 1_000, 100)],
            ..Fleet::default()
        };
        let ranked = ranking(&fleet);
        let names: Vec<_> = ranked.iter().map(|ranked| ranked.customer.as_str()).collect();
        assert_eq!(names, ["bad", "unlucky"]);
        assert!(ranked[1].hard_bounce.get() < 0.02, "{ranked:?}");
    }
}
