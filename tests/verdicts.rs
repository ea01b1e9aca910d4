//! The bad are found within a tenth of their mail, and the good are left alone, whatever the seed.
#![expect(clippy::cast_precision_loss, reason = "numbers of mails are far below 2^53")]

use std::num::NonZeroU32;
use std::sync::Arc;

use model::{Stage, Timestamp};
use policy::Policy;
use simulator::platform::{Scenario, Truth};
use suites::MemoryRun;

const SEEDS: std::ops::RangeInclusive<u64> = 1..=20;

fn run(seed: u64) -> MemoryRun {
    let policy = Arc::new(Policy::parse(policy::DEFAULT).unwrap());
    let scenario = Scenario::hour(seed, Timestamp::from_seconds(1_790_000_000));
    let mut run = MemoryRun::new(&scenario, &policy, NonZeroU32::new(4).unwrap());
    run.run();
    run
}

/// What is wrong with a run, in words.
fn faults(seed: u64, run: &MemoryRun) -> Vec<String> {
    let mut faults = Vec::new();
    for account in run.platform.accounts() {
        let contained = [Stage::Quarantined, Stage::Suspended].into_iter();
        let found = contained.filter_map(|stage| run.reached.get(&(account.id.clone(), stage))).min();
        let what = format!("seed {seed}: {} ({}, {} mails)", account.id, account.truth.name(), account.planned_mails);
        match found {
            None if account.truth.is_urgent() => faults.push(format!("{what} was not found")),
            Some(sent) if account.truth.is_urgent() && sent * 10 > account.planned_mails => {
                faults.push(format!("{what} was found only after {sent} mails"));
            }
            _ => {}
        }
        if account.truth.is_good() {
            let moved = run.folds.decisions.iter().filter(|decision| decision.customer == account.id);
            faults.extend(moved.map(|decision| format!("{what} was moved: {decision:?}")));
        }
    }
    faults
}

#[test]
fn the_bad_are_found_within_a_tenth_of_their_mail_and_no_good_customer_is_touched() {
    let mut worst = [("bought list", 0.0_f64), ("complaint magnet", 0.0), ("hijacked account", 0.0)];
    let mut all = Vec::new();
    for seed in SEEDS {
        let run = run(seed);
        all.extend(faults(seed, &run));
        for account in run.platform.accounts().iter().filter(|account| account.truth.is_urgent()) {
            let Some(sent) = run.reached.get(&(account.id.clone(), Stage::Quarantined)) else { continue };
            let share = *sent as f64 / account.planned_mails as f64;
            let slot = worst.iter_mut().find(|(name, _)| *name == account.truth.name()).unwrap();
            slot.1 = slot.1.max(share);
        }
    }
    println!("largest share of its mail that a bad customer sent before it was found: {worst:?}");
    assert!(all.is_empty(), "{} faults:\n{}", all.len(), all.join("\n"));
}

#[test]
fn a_rotting_list_is_found_in_the_end() {
    let run = run(1);
    let rotting: Vec<_> = run.platform.accounts().iter().filter(|a| a.truth == Truth::RottingList).collect();
    let found = rotting.iter().filter(|a| run.folds.standings[&a.id].stage >= Stage::Throttled).count();
    assert!(!rotting.is_empty() && found == rotting.len(), "{found} of {}", rotting.len());
}
