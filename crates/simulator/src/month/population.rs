//! Who the customers are.

use model::CustomerId;

use super::dice::Dice;
use super::incident::{HOMES, LISTED};
use super::kinds::{self, Rank};
use super::nature::Nature;
use super::scenario::Scenario;
use super::{Customer, Kind};

/// The rarer kinds first, as many of each, then the small good, then the other good.
fn kind_of(index: usize, scenario: &Scenario) -> (Kind, Rank) {
    let rarer = || Kind::ALL.into_iter().filter(|kind| !matches!(kind, Kind::Good | Kind::SmallGood));
    let each = scenario.of_each_kind();
    if let Some(kind) = rarer().nth(index / each) {
        return (kind, Rank { rank: index % each, of: each });
    }
    let before = rarer().count() * each;
    let small = scenario.customers / 4;
    if index < before + small {
        return (Kind::SmallGood, Rank { rank: index - before, of: small });
    }
    let of = scenario.customers.saturating_sub(before + small);
    (Kind::Good, Rank { rank: index - before - small, of })
}

/// The customer with this number among all of the scenario.
pub(super) fn customer(scenario: &Scenario, index: usize) -> (Customer, Nature) {
    let (kind, rank) = kind_of(index, scenario);
    let mut dice = Dice::customers(scenario.seed, index);
    let mut shared = Dice::pairs(scenario.seed, index / 2);
    let nature = kinds::nature(kind, scenario, rank, (&mut dice, &mut shared));
    let delivered = nature.course.chances(nature.badness.map_or(Scenario::START, |badness| badness.since)).delivered();
    let name = format!("c{index:05}");
    let customer = Customer {
        id: CustomerId::new(&name).unwrap_or_else(|_| CustomerId::unattributed("simulator")),
        kind,
        home: if kind == Kind::ListedPool { LISTED } else { HOMES[index / 2 % HOMES.len()] },
        reporting: nature.recipients.reporting() * delivered,
        badness: nature.badness,
    };
    (customer, nature)
}
