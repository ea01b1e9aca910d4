//! The scorecard of the policy that Weir comes with: customers, days and seed as arguments.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "an example shows what it does, and fails as it is")]

use std::sync::Arc;
use std::time::Instant;

use simulator::month::{Gate, Month, Scenario};

fn main() {
    let mut args = std::env::args().skip(1);
    let mut next = |default: u64| args.next().map_or(default, |text| text.parse().unwrap());
    let scenario = Scenario {
        customers: usize::try_from(next(10_000)).unwrap(),
        days: u32::try_from(next(30)).unwrap(),
        seed: next(1),
    };
    let policy = Arc::new(policy::Policy::parse(policy::DEFAULT).unwrap());

    let started = Instant::now();
    let mut month = Month::new(&scenario, 0, 2);
    let mut now = Scenario::START;
    let mut events = 0;
    while now < scenario.end() {
        now = now + model::Millis::seconds(5);
        events += month.advance(now, &|_| Gate::Send { pool: None, daily_cap: None }).len();
    }
    println!("half of the month alone: {events} events in {:?}", started.elapsed());

    let started = Instant::now();
    let scorecard = judge::score(&policy, &scenario, &mut |_| {});
    println!("{scorecard}\nin {:?}", started.elapsed());
}
