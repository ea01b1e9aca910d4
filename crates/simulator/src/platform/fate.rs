//! What becomes of one mail.

use model::{Counter, Millis, Provider, Timestamp};

use super::character::Chances;
use super::dice::Dice;
use super::recipients::FAILING;

/// One thing that happens to a mail.
#[derive(Clone, Copy, Debug)]
pub(super) struct Happening {
    /// How long after the mail was sent.
    pub(super) after: Millis,
    pub(super) what: What,
}

/// What happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Processed,
    Dropped,
    Delivered,
    /// The number of the attempt, and why.
    Deferred(u32, Trouble),
    HardBounce,
    /// It comes back by the return path, after it was delivered.
    LateBounce,
    Block(Trouble),
    SpamReport,
    Unsubscribe,
    GroupUnsubscribe,
    Open,
    MachineOpen,
    Click,
}

/// Why a mail is not taken now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The provider has an outage, and blames the sender.
    Outage,
    /// Anything else.
    Usual,
}

impl What {
    /// As what it is counted.
    pub(super) const fn counter(self) -> Counter {
        match self {
            Self::Processed => Counter::Processed,
            Self::Dropped => Counter::Dropped,
            Self::Delivered => Counter::Delivered,
            Self::Deferred(..) => Counter::Deferred,
            Self::HardBounce | Self::LateBounce => Counter::HardBounce,
            Self::Block(_) => Counter::Block,
            Self::SpamReport => Counter::SpamReport,
            Self::Unsubscribe | Self::GroupUnsubscribe => Counter::Unsubscribe,
            Self::Open => Counter::Open,
            Self::MachineOpen => Counter::MachineOpen,
            Self::Click => Counter::Click,
        }
    }
}

/// A mail, and how long after it was sent the outage ends that its provider has, if it has one.
pub(super) struct Circumstances {
    pub(super) provider: Provider,
    pub(super) outage_ends: Option<Millis>,
    pub(super) has_group: bool,
}

impl Circumstances {
    /// Those of a mail to `provider`, sent at `at`.
    pub(super) fn new(provider: Provider, at: Timestamp, outage: (Timestamp, Timestamp), has_group: bool) -> Self {
        let hit = provider == FAILING && (outage.0..outage.1).contains(&at);
        Self { provider, outage_ends: hit.then(|| outage.1.since(at)), has_group }
    }
}

/// Everything that happens to a mail.
pub(super) fn fate(circumstances: &Circumstances, chances: Chances, dice: &mut Dice) -> Vec<Happening> {
    let mut story = Story { circumstances, chances, dice, told: Vec::with_capacity(6) };
    story.tell();
    story.told
}

struct Story<'a> {
    circumstances: &'a Circumstances,
    chances: Chances,
    dice: &'a mut Dice,
    told: Vec<Happening>,
}

impl Story<'_> {
    fn tell(&mut self) {
        if self.dice.chance(self.chances.drop) {
            return self.happens(Millis::ZERO, What::Dropped);
        }
        let taken = self.dice.millis(50, 900);
        self.happens(taken, What::Processed);
        let fate = self.dice.between(0.0, 1.0);
        if fate < self.chances.hard_bounce {
            self.hard_bounce();
        } else if let Some(ends) = self.circumstances.outage_ends.filter(|_| self.dice.chance(0.75)) {
            self.refused_by_outage(ends);
        } else if fate < self.chances.hard_bounce + self.chances.block {
            let after = self.dice.seconds(2, 20);
            self.happens(after, What::Block(Trouble::Usual));
        } else {
            let after = self.on_its_way();
            self.delivered(after);
        }
    }

    /// One in twenty comes back by the return path, after its server took it.
    fn hard_bounce(&mut self) {
        if self.dice.chance(0.05) {
            let after = self.dice.seconds(1, 6);
            self.happens(after, What::Delivered);
            let after = after + self.dice.seconds(10, 60);
            return self.happens(after, What::LateBounce);
        }
        let after = self.dice.seconds(1, 12);
        self.happens(after, What::HardBounce);
    }

    /// Two in three are blocked, often after a first try; the others wait, and arrive when it is over.
    fn refused_by_outage(&mut self, ends: Millis) {
        if self.dice.chance(0.65) {
            let mut after = self.dice.seconds(1, 8);
            if self.dice.chance(0.5) {
                self.happens(after, What::Deferred(1, Trouble::Outage));
                after = after + self.dice.seconds(5, 30);
            }
            return self.happens(after, What::Block(Trouble::Outage));
        }
        let mut after = self.dice.seconds(1, 8);
        let mut pause = Millis::minutes(1);
        for attempt in 1.. {
            self.happens(after, What::Deferred(attempt, Trouble::Outage));
            after = after + pause;
            if after > ends {
                break;
            }
            pause = pause + pause;
        }
        self.delivered(after);
    }

    /// When it arrives, and the tries before it does.
    fn on_its_way(&mut self) -> Millis {
        let mut after = self.dice.seconds(1, 8);
        if self.dice.chance(0.03) {
            let tries = if self.dice.chance(0.2) { 2 } else { 1 };
            for attempt in 1..=tries {
                self.happens(after, What::Deferred(attempt, Trouble::Usual));
                after = after + self.dice.seconds(30, 150);
            }
        }
        after
    }

    fn delivered(&mut self, after: Millis) {
        self.happens(after, What::Delivered);
        if self.circumstances.provider.reports_complaints() && self.dice.chance(self.chances.complaint) {
            let later = after + self.dice.seconds(20, 120);
            return self.happens(later, What::SpamReport);
        }
        let prefetches = if self.circumstances.provider == Provider::Apple { 0.7 } else { 0.03 };
        if self.dice.chance(prefetches) {
            let later = after + self.dice.seconds(5, 60);
            self.happens(later, What::MachineOpen);
        }
        if self.dice.chance(self.chances.open) {
            let later = after + self.dice.seconds(30, 600);
            self.opened(later);
        }
    }

    fn opened(&mut self, after: Millis) {
        self.happens(after, What::Open);
        if self.dice.chance(0.2) {
            let later = after + self.dice.seconds(2, 60);
            self.happens(later, What::Click);
        }
        if self.dice.chance(0.01) {
            let later = after + self.dice.seconds(5, 90);
            let what = if self.circumstances.has_group { What::GroupUnsubscribe } else { What::Unsubscribe };
            self.happens(later, what);
        }
    }

    fn happens(&mut self, after: Millis, what: What) {
        self.told.push(Happening { after, what });
    }
}
