//! What holds of ledgers, however late instances read each other, and wherever they crash.

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;

use super::ledger::{Ledger, Step};
use super::reservation::Instance;

const INSTANCES: usize = 3;
/// The most mails that are asked for at once.
const MOST: u32 = 40;

/// Something that happens to one instance.
#[derive(Clone, Copy, Debug)]
enum Happening {
    /// A mailer asks it for mails.
    Asked(u32),
    /// The oldest of its claims that are on their way reaches the log.
    Lands,
    /// It is told that its newest claim failed: in truth too, or the claim reaches the log later.
    Fails { in_truth: bool },
    /// It reads so many records.
    Reads(usize),
    /// It is killed and starts again.
    Crashes,
    /// It hands back, ends and starts again.
    Restarts,
    /// It hears of another cap.
    Hears(u32),
}

/// One instance, and what it was granted of the log's attention.
#[derive(Debug)]
struct Member {
    ledger: Ledger,
    on_the_way: VecDeque<u32>,
    read: usize,
    cap: u32,
}

/// Instances over one log, of one customer's day.
struct World {
    log: Vec<(usize, u32)>,
    members: Vec<Member>,
    granted: u32,
    highest_cap: u32,
}

fn name(who: usize) -> Instance {
    Instance::new(&who.to_string())
}

impl World {
    fn new(cap: u32) -> Self {
        let member = || Member { ledger: Ledger::default(), on_the_way: VecDeque::new(), read: 0, cap };
        Self { log: Vec::new(), members: (0..INSTANCES).map(|_| member()).collect(), granted: 0, highest_cap: cap }
    }

    fn happens(&mut self, who: usize, what: Happening) {
        let Self { log, members, granted, highest_cap } = self;
        let member = &mut members[who];
        match what {
            Happening::Asked(wanted) => match member.ledger.admit(member.cap, wanted) {
                Step::Granted(some) => {
                    assert!(some <= wanted);
                    *granted += some;
                }
                Step::Claim(total) => member.on_the_way.push_back(total),
                Step::Wait => {}
            },
            Happening::Lands => log.extend(member.on_the_way.pop_front().map(|total| (who, total))),
            Happening::Fails { in_truth } => {
                let Some(newest) = member.on_the_way.back().copied() else { return };
                member.ledger.failed(newest);
                if in_truth {
                    member.on_the_way.pop_back();
                }
            }
            Happening::Reads(records) => {
                for (by, total) in log.iter().skip(member.read).take(records) {
                    if *by == who { member.ledger.read_back(*total) } else { member.ledger.read_of(&name(*by), *total) }
                }
                member.read = log.len().min(member.read + records);
            }
            Happening::Crashes => self.starts_again(who),
            Happening::Restarts => {
                let handed_back = member.ledger.hand_back();
                log.extend(member.on_the_way.drain(..).chain(handed_back).map(|total| (who, total)));
                self.starts_again(who);
            }
            Happening::Hears(cap) => {
                member.cap = cap;
                *highest_cap = cap.max(*highest_cap);
            }
        }
    }

    /// What it knew is gone, and what was on its way; of the log, compaction has left the newest of each.
    fn starts_again(&mut self, who: usize) {
        let newest: BTreeMap<usize, u32> = self.log.iter().copied().collect();
        let mut ledger = Ledger::default();
        for (by, total) in newest {
            if by == who { ledger.inherit(total) } else { ledger.read_of(&name(by), total) }
        }
        let cap = self.members[who].cap;
        self.members[who] = Member { ledger, on_the_way: VecDeque::new(), read: self.log.len(), cap };
    }

    /// Everything on its way arrives and is read by all.
    fn settles(&mut self) {
        for who in 0..INSTANCES {
            while !self.members[who].on_the_way.is_empty() {
                self.happens(who, Happening::Lands);
            }
        }
        for who in 0..INSTANCES {
            self.happens(who, Happening::Reads(usize::MAX / 2));
        }
    }

    /// Mailers ask all instances until none grants any more.
    fn drains(&mut self) {
        self.settles();
        for who in 0..INSTANCES {
            loop {
                let before = self.granted;
                self.happens(who, Happening::Asked(1));
                let has_claimed = !self.members[who].on_the_way.is_empty();
                self.settles();
                if self.granted == before && !has_claimed {
                    break;
                }
            }
        }
    }
}

fn asked() -> impl Strategy<Value = Happening> {
    (1..=MOST).prop_map(Happening::Asked)
}

fn delayed() -> impl Strategy<Value = Happening> {
    prop_oneof![4 => asked(), 3 => Just(Happening::Lands), 3 => (1_usize..4).prop_map(Happening::Reads)]
}

fn rough() -> impl Strategy<Value = Happening> {
    prop_oneof![
        10 => delayed(),
        1 => any::<bool>().prop_map(|in_truth| Happening::Fails { in_truth }),
        1 => Just(Happening::Crashes),
        1 => Just(Happening::Restarts),
        1 => (0_u32..300).prop_map(Happening::Hears),
    ]
}

fn story(happening: impl Strategy<Value = Happening>) -> impl Strategy<Value = Vec<(usize, Happening)>> {
    proptest::collection::vec((0..INSTANCES, happening), 0..200)
}

/// What may stay ungranted where something goes wrong once.
fn chunk(cap: u32) -> u32 {
    (cap / 16).max(MOST)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn never_is_more_granted_than_the_highest_cap_that_anyone_heard_of(cap in 0_u32..300, story in story(rough())) {
        let mut world = World::new(cap);
        for (who, what) in story {
            world.happens(who, what);
            prop_assert!(world.granted <= world.highest_cap);
        }
        world.drains();
        prop_assert!(world.granted <= world.highest_cap);
    }

    #[test]
    fn where_instances_read_each_other_at_once_the_whole_cap_is_granted(cap in 0_u32..3_000, story in story(asked())) {
        let mut world = World::new(cap);
        for (who, what) in story {
            world.happens(who, what);
            world.settles();
        }
        world.drains();
        prop_assert_eq!(world.granted, cap);
    }

    #[test]
    fn a_race_of_two_leaves_nothing_ungranted_and_one_of_three_a_chunk_at_most(
        cap in 0_u32..300,
        story in story(delayed()),
        racers in 2_u32..=3,
    ) {
        let mut world = World::new(cap);
        for (who, what) in story.into_iter().filter(|(who, _)| *who < racers as usize) {
            world.happens(who, what);
        }
        world.drains();
        prop_assert!(world.granted + (racers - 2) * chunk(cap) >= cap, "{} of {cap}", world.granted);
    }

    #[test]
    fn a_crash_loses_a_chunk_and_a_clean_end_nothing(cap in 0_u32..3_000, asks in proptest::collection::vec(1..=MOST, 1..60), ends in any::<bool>()) {
        let mut world = World::new(cap);
        for wanted in asks {
            world.happens(0, Happening::Asked(wanted));
            world.settles();
            world.happens(0, Happening::Asked(wanted));
        }
        world.happens(0, if ends { Happening::Restarts } else { Happening::Crashes });
        world.drains();
        let lost = if ends { 0 } else { chunk(cap) };
        prop_assert!(world.granted + lost >= cap, "{} of {cap}", world.granted);
    }
}

#[test]
fn a_lowered_cap_takes_nothing_back_and_grants_no_more_than_it_leaves() {
    let mut world = World::new(160);
    world.happens(0, Happening::Asked(3));
    world.settles();
    world.happens(0, Happening::Asked(3));
    let left = |world: &World, cap| world.members[0].ledger.left(cap);
    assert_eq!((world.granted, left(&world, 2), left(&world, 3), left(&world, 4)), (3, 0, 0, 1));
    world.happens(0, Happening::Hears(4));
    world.happens(0, Happening::Asked(7));
    assert_eq!(
        (world.granted, left(&world, 4), left(&world, 160)),
        (4, 0, 156),
        "ten are held, of which four may leave"
    );
}

#[test]
fn of_two_claims_for_the_same_mail_the_one_that_comes_first_on_the_log_holds_it() {
    let mut world = World::new(100);
    for who in [0, 1] {
        world.happens(who, Happening::Asked(100));
    }
    world.settles();
    for who in [1, 0] {
        world.happens(who, Happening::Asked(100));
        assert_eq!(world.granted, if who == 0 { 100 } else { 0 });
    }
}

#[test]
fn a_claim_is_for_a_chunk_at_least_and_those_who_come_meanwhile_wait_for_it() {
    let mut ledger = Ledger::default();
    assert_eq!(ledger.admit(1_600, 1), Step::Claim(100));
    assert_eq!(ledger.admit(1_600, 60), Step::Wait);
    assert_eq!(ledger.admit(1_600, 101), Step::Claim(101), "the claim on its way is too small for this one");
    ledger.read_back(100);
    assert_eq!(ledger.admit(1_600, 60), Step::Granted(60));
}
