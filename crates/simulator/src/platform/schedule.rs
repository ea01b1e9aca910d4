//! When mail is sent.

use model::{Millis, Timestamp};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::population::{Character, stream};
use super::{Account, Scenario, Truth};

/// When one provider refuses nearly everybody's mail: a quarter of the time, somewhere in the middle.
pub(super) fn outage(scenario: &Scenario) -> (Timestamp, Timestamp) {
    let mut rng = ChaCha8Rng::seed_from_u64(scenario.seed);
    rng.set_stream(u64::MAX);
    let length = scenario.length.get();
    let start = scenario.start + Millis::new(rng.random_range(length / 4..length / 2));
    (start, start + Millis::new(length / 4))
}

/// The moments at which a customer's mails are due, in order.
pub(super) fn schedule(scenario: &Scenario, index: usize, account: &Account, _: &Character) -> Vec<Timestamp> {
    let mut rng = stream(scenario.seed, index, 1);
    let end = scenario.start + scenario.length;
    let mails = account.planned_mails;
    let mut moments = match account.truth {
        Truth::Good => campaigns(scenario, mails, &mut rng),
        Truth::SmallGood | Truth::RottingList => spread(scenario.start, end, mails, &mut rng),
        Truth::BoughtList | Truth::ComplaintMagnet => spread(account.bad_from, end, mails, &mut rng),
        Truth::Hijacked => {
            // Its own mail is a fraction of what the thief sends.
            let mut moments = spread(scenario.start, account.bad_from, mails / 30, &mut rng);
            moments.extend(spread(account.bad_from, end, mails, &mut rng));
            moments
        }
    };
    moments.sort_unstable();
    moments
}

/// A third of the mail trickles, the rest goes out in up to four campaigns of some minutes.
fn campaigns(scenario: &Scenario, mails: usize, rng: &mut ChaCha8Rng) -> Vec<Timestamp> {
    let end = scenario.start + scenario.length;
    let mut moments = spread(scenario.start, end, mails / 3, rng);
    let number = rng.random_range(1..=4);
    for _ in 0..number {
        let length = scenario.length.get();
        let start = scenario.start + Millis::new(rng.random_range(0..length * 9 / 10));
        moments.extend(spread(start, start + Millis::new(length / 12), mails * 2 / 3 / number, rng));
    }
    moments
}

fn spread(from: Timestamp, to: Timestamp, mails: usize, rng: &mut ChaCha8Rng) -> Vec<Timestamp> {
    let span = to.since(from).get().max(1);
    (0..mails).map(|_| from + Millis::new(rng.random_range(0..span))).collect()
}
