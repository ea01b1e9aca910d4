//! Who the customers are.

use model::{CustomerId, Millis, Timestamp};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::recipients::Recipients;
use super::{Account, Placement, Scenario, Truth};

/// How a customer's mail fares: the chances that only the simulator knows.
#[derive(Clone, Debug)]
pub(super) struct Character {
    pub(super) recipients: Recipients,
    /// While it is good, or always.
    pub(super) usual: Chances,
    /// When it is bad.
    pub(super) bad: Chances,
    /// Whether `bad` is reached slowly instead of at once.
    pub(super) slowly: bool,
}

/// Chances of what becomes of a mail.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chances {
    pub(super) hard_bounce: f64,
    pub(super) block: f64,
    /// Of delivered mail, at providers that report complaints.
    pub(super) complaint: f64,
    pub(super) open: f64,
}

impl Chances {
    /// On the way from `self` to `other`, by `share`.
    pub(super) fn towards(self, other: Self, share: f64) -> Self {
        let between = |a: f64, b: f64| a + (b - a) * share;
        Self {
            hard_bounce: between(self.hard_bounce, other.hard_bounce),
            block: between(self.block, other.block),
            complaint: between(self.complaint, other.complaint),
            open: between(self.open, other.open),
        }
    }
}

/// A random stream of the customer's own, so that nobody else's changes with it.
pub(super) fn stream(seed: u64, customer: usize, purpose: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream((customer as u64) << 8 | purpose);
    rng
}

/// The customers of a scenario: bad ones of each kind first, then the small, then the others by Zipf's law.
pub(super) fn populate(scenario: &Scenario) -> (Vec<Account>, Vec<Character>) {
    (0..scenario.customers).map(|index| customer(scenario, index)).unzip()
}

/// The kind of each customer by its place: three in a hundred have bought a list, and so on.
fn truth_of(index: usize, customers: usize) -> (Truth, usize) {
    let share = |thousandths: usize| (customers * thousandths / 1_000).max(1);
    let kinds = [
        (Truth::BoughtList, share(30)),
        (Truth::ComplaintMagnet, share(14)),
        (Truth::Hijacked, share(20)),
        (Truth::RottingList, share(20)),
        (Truth::SmallGood, share(300)),
    ];
    let mut before = 0;
    for (truth, number) in kinds {
        if index < before + number {
            return (truth, index - before);
        }
        before += number;
    }
    (Truth::Good, index - before)
}

fn customer(scenario: &Scenario, index: usize) -> (Account, Character) {
    let mut rng = stream(scenario.seed, index, 0);
    let (truth, rank) = truth_of(index, scenario.customers);
    let planned_mails = size(scenario, truth, rank, &mut rng);
    let id = CustomerId::new(&format!("customer-{index:03}")).unwrap_or_else(|_| CustomerId::unattributed("simulator"));
    let placement = match index % 5 {
        0..3 => Placement::Subuser(id.as_str().to_owned()),
        3 => Placement::DedicatedIps(vec![dedicated_ip(index)]),
        _ => Placement::Route,
    };
    let bad_from = bad_from(scenario, truth, &mut rng);
    let account = Account { id, truth, placement, planned_mails, bad_from };
    (account, character(truth, &mut rng))
}

fn dedicated_ip(index: usize) -> String {
    format!("198.51.{}.{}", 100 + index / 250, 1 + index % 250)
}

/// How many mails. The good follow Zipf's law with exponent 1; the bad have sizes that can hurt a pool.
fn size(scenario: &Scenario, truth: Truth, rank: usize, rng: &mut ChaCha8Rng) -> usize {
    match truth {
        Truth::Good => {
            // The harmonic number of some 200 customers is about 6.
            (scenario.good_mails / 6 / (rank + 1)).max(60)
        }
        Truth::SmallGood => rng.random_range(4..60),
        Truth::BoughtList => rng.random_range(1_500..3_000),
        Truth::ComplaintMagnet => rng.random_range(5_000..8_000),
        Truth::Hijacked => rng.random_range(2_500..4_000),
        Truth::RottingList => rng.random_range(800..2_500),
    }
}

fn bad_from(scenario: &Scenario, truth: Truth, rng: &mut ChaCha8Rng) -> Timestamp {
    let length = scenario.length.get();
    match truth {
        Truth::Hijacked => scenario.start + Millis::new(rng.random_range(length * 3 / 10..length * 6 / 10)),
        Truth::BoughtList | Truth::ComplaintMagnet => scenario.start + Millis::new(rng.random_range(0..length / 5)),
        Truth::Good | Truth::SmallGood | Truth::RottingList => scenario.start,
    }
}

fn character(truth: Truth, rng: &mut ChaCha8Rng) -> Character {
    let usual = Chances {
        hard_bounce: rng.random_range(0.002..0.015),
        block: rng.random_range(0.001..0.004),
        complaint: rng.random_range(0.0..0.0003),
        open: rng.random_range(0.15..0.35),
    };
    let bad = match truth {
        Truth::Good | Truth::SmallGood => usual,
        Truth::BoughtList | Truth::Hijacked => Chances {
            hard_bounce: rng.random_range(0.20..0.35),
            block: rng.random_range(0.03..0.07),
            complaint: rng.random_range(0.005..0.015),
            open: 0.05,
        },
        Truth::ComplaintMagnet => Chances { complaint: rng.random_range(0.06..0.10), open: 0.08, ..usual },
        Truth::RottingList => Chances { hard_bounce: rng.random_range(0.20..0.28), ..usual },
    };
    // A small customer has a dead address now and then: one bounce of ten mails, which proves nothing.
    let usual = if truth == Truth::SmallGood { Chances { hard_bounce: 0.02, ..usual } } else { usual };
    let bad = if truth == Truth::SmallGood { usual } else { bad };
    Character { recipients: Recipients::random(rng), usual, bad, slowly: truth == Truth::RottingList }
}
