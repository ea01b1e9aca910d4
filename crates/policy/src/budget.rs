//! The false-alarm budget of the whole fleet, and what is left of it for one look at one mail.

use model::Stage;

/// How many good customers may be wrongly moved in a year, all customers together.
///
/// Each rule and each limit of the account gets the same share. A rule that is looked at after every mail of every customer, and each time errs with
/// probability `alpha` at most, errs `alpha * mails` times at most, whatever the customers' rates below its limit and
/// whatever the mails have to do with each other (the union bound). The sequential test keeps the same promise by its
/// average run length (Lorden 1971). So `alpha` is the budget divided by the number of rules and of mails a year.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Mails that the whole fleet sends in a year.
    pub mails_a_year: u64,
    /// Good customers that may be wrongly moved to throttled or worse in a year.
    pub wrongly_moved_a_year: f64,
    /// Good customers that may be wrongly watched in a year.
    pub wrongly_watched_a_year: f64,
}

impl Budget {
    /// The share of the budget for one of `rules` rules and limits that lead to `stage`, for each mail.
    pub fn alpha(&self, stage: Stage, rules: usize) -> f64 {
        let accepted = if stage >= Stage::Throttled { self.wrongly_moved_a_year } else { self.wrongly_watched_a_year };
        #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53, and a ratio needs no exact one")]
        let looks = self.mails_a_year.max(1) as f64 * rules.max(1) as f64;
        // With fewer mails than accepted errors there would be nothing left to test.
        (accepted / looks).min(0.05)
    }
}

/// The budget's share for each rule and limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shares {
    budget: Budget,
    movers: usize,
    watchers: usize,
}

impl Shares {
    /// For rules and limits that lead to these stages.
    pub(crate) fn new(budget: Budget, stages: impl Iterator<Item = Stage>) -> Self {
        let (movers, watchers): (Vec<_>, Vec<_>) = stages.partition(|stage| *stage >= Stage::Throttled);
        Self { budget, movers: movers.len(), watchers: watchers.len() }
    }

    /// Of one that leads to `stage`.
    pub(crate) fn of(&self, stage: Stage) -> f64 {
        self.budget.alpha(stage, if stage >= Stage::Throttled { self.movers } else { self.watchers })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_shared_among_rules_and_mails() {
        let budget = Budget { mails_a_year: 1_000_000, wrongly_moved_a_year: 1.0, wrongly_watched_a_year: 50.0 };
        assert!((budget.alpha(Stage::Quarantined, 4) - 2.5e-7).abs() < 1e-15);
        assert!((budget.alpha(Stage::Watch, 4) - 1.25e-5).abs() < 1e-13);
    }
}
