//! What becomes of one mail that SendGrid tries to deliver.

use model::{Counter, Millis, Provider};

use super::chances::Chances;
use super::dice::Dice;
use super::incident::Effect;
use super::nature::Complaints;

/// One thing that happens to a mail.
#[derive(Clone, Copy, Debug)]
pub(super) struct Happening {
    /// How long after the mail was sent.
    pub(super) after: Millis,
    pub(super) counter: Counter,
    pub(super) facet: Option<Counter>,
}

/// A mail, as far as its fate depends on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mail {
    pub(super) provider: Provider,
    pub(super) chances: Chances,
    pub(super) complaints: Complaints,
    /// Whether it is settled that it bounces or does not.
    pub(super) settled: Option<bool>,
    /// The incident that it falls victim to.
    pub(super) incident: Option<Effect>,
}

/// Tells everything that happens to a mail.
pub(super) fn tell(mail: &Mail, dice: &mut Dice, told: &mut Vec<Happening>) {
    let mut story = Story { mail, dice, told };
    let taken = story.dice.millis(50, 900);
    story.happens(taken, Counter::Processed, None);
    match mail.incident {
        Some(Effect::Refused) => story.refused(),
        Some(Effect::Unknown) => story.hard_bounce(),
        Some(Effect::Listed) => story.block(Some(Counter::ReputationBlock)),
        None => story.usual(),
    }
}

/// A mail that never leaves: its recipient bounced, complained or unsubscribed before.
pub(super) fn tell_drop(dice: &mut Dice, told: &mut Vec<Happening>) {
    told.push(Happening { after: dice.millis(50, 900), counter: Counter::Dropped, facet: None });
}

struct Story<'a> {
    mail: &'a Mail,
    dice: &'a mut Dice,
    told: &'a mut Vec<Happening>,
}

impl Story<'_> {
    fn usual(&mut self) {
        let Chances { hard_bounce, block, trouble, deferral, .. } = self.mail.chances;
        let bounces = self.mail.settled.map_or(hard_bounce, |settled| if settled { 1.0 } else { 0.0 });
        let fate = self.dice.between(0.0, 1.0);
        if fate < bounces {
            return self.hard_bounce();
        }
        // What is left of the chances is shared by the mails that do not bounce.
        if fate < bounces + block {
            return self.block(Some(Counter::ReputationBlock));
        }
        if fate < bounces + block + trouble {
            return self.block(None);
        }
        let mut after = self.dice.seconds(1, 8);
        if self.dice.chance(deferral) {
            after = self.deferred(after);
        }
        self.delivered(after);
    }

    /// Nineteen in twenty because nobody has that address.
    fn hard_bounce(&mut self) {
        let after = self.dice.seconds(1, 12);
        let facet = self.dice.chance(0.95).then_some(Counter::InvalidAddress);
        self.happens(after, Counter::HardBounce, facet);
    }

    fn block(&mut self, facet: Option<Counter>) {
        let after = self.dice.seconds(2, 20);
        self.happens(after, Counter::Block, facet);
    }

    /// Two in three are blocked, and the provider blames the sender for half of them; the others wait.
    fn refused(&mut self) {
        if self.dice.chance(0.67) {
            let facet = self.dice.chance(0.5).then_some(Counter::ReputationBlock);
            return self.block(facet);
        }
        let after = self.dice.seconds(1, 8);
        let after = self.deferred(after);
        self.delivered(after);
    }

    /// One to three tries that fail, and when the next one is.
    fn deferred(&mut self, first: Millis) -> Millis {
        let mut after = first;
        for attempt in 0..self.dice.number(1, 4) {
            let facet = (attempt == 0).then_some(Counter::FirstDeferral);
            self.happens(after, Counter::Deferred, facet);
            after = after + self.dice.seconds(5 * 60, 20 * 60);
        }
        after
    }

    fn delivered(&mut self, after: Millis) {
        self.happens(after, Counter::Delivered, None);
        if self.mail.provider.reports_complaints() && self.dice.chance(self.mail.chances.complaint) {
            let later = after + self.mail.complaints.after(self.dice);
            return self.happens(later, Counter::SpamReport, None);
        }
        let prefetches = if self.mail.provider == Provider::Apple { 0.6 } else { 0.02 };
        if self.dice.chance(prefetches) {
            let later = after + self.dice.seconds(5, 600);
            self.happens(later, Counter::MachineOpen, None);
        }
        if self.dice.chance(self.mail.chances.open) {
            self.opened(after);
        }
    }

    fn opened(&mut self, delivered: Millis) {
        let after = delivered + self.dice.seconds(60, 12 * 3_600);
        self.happens(after, Counter::Open, None);
        if self.dice.chance(0.15) {
            let later = after + self.dice.seconds(2, 120);
            self.happens(later, Counter::Click, None);
        }
        if self.dice.chance(0.01) {
            let later = after + self.dice.seconds(5, 120);
            self.happens(later, Counter::Unsubscribe, None);
        }
    }

    fn happens(&mut self, after: Millis, counter: Counter, facet: Option<Counter>) {
        self.told.push(Happening { after, counter, facet });
    }
}
