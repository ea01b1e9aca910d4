//! The stages, offences, pilot customers, incidents and the account's limits in plain words.

use model::figures::{count, list, thousands};
use model::{Millis, Stage, Timestamp};

use super::rule::in_full;
use super::units::{number, percent, span};
use crate::incident::{Incident, VOTES};
use crate::ladder::Ladder;
use crate::limit::Whole;
use crate::{Limit, Pilot, Policy};

impl Policy {
    pub(super) fn stages_in_words(&self) -> Vec<String> {
        let stages = [Stage::Watch, Stage::Throttled, Stage::Quarantined, Stage::Suspended];
        stages.into_iter().map(|stage| self.stage_in_words(stage)).collect()
    }

    fn stage_in_words(&self, stage: Stage) -> String {
        let down = match self.dwell_of(stage, &[], Timestamp::default()) {
            Some(dwell) => format!("comes down one stage after all its rates were low enough for {}", span(dwell)),
            None => "only a person brings it down".to_owned(),
        };
        if stage == Stage::Suspended {
            return format!("Suspended: the customer sends nothing; {down}.");
        }
        let name = match stage {
            Stage::Watch => "Watch",
            Stage::Throttled => "Throttled",
            Stage::Healthy | Stage::Quarantined | Stage::Suspended | Stage::Banned => "Quarantined",
        };
        let cap = self.daily_cap(stage).map_or_else(
            || "as many mails as it likes".to_owned(),
            |cap| format!("at most {} mails a day", thousands(cap)),
        );
        let pool = self.pool(stage).map_or_else(|| "its own pool".to_owned(), |pool| format!("pool {pool}"));
        format!("{name}: the customer sends {cap} through {pool}; {down}.")
    }
}

impl Ladder {
    pub(super) fn in_words(&self) -> Vec<String> {
        let (memory, longest) = (span(self.memory), span(self.longest));
        vec![
            format!("An offence is a move to throttled or worse by a rule; it is forgotten after {memory}."),
            format!("Each earlier offence multiplies these spans by {}, up to {longest}.", self.slower),
            format!(
                "With {} offences remembered only a person brings the customer down from throttled or worse.",
                thousands(self.person_after)
            ),
        ]
    }
}

impl Pilot {
    pub(super) fn in_words(&self) -> Vec<String> {
        let who = if self.newcomers {
            "Each new customer is a pilot customer from its first event on."
        } else {
            "Only who is set to the pilot phase is a pilot customer."
        };
        let caps: Vec<_> = self.daily_caps.iter().map(thousands).collect();
        vec![
            who.to_owned(),
            format!("Every rule's limits are multiplied by {} for them.", percent(self.strictness)),
            format!(
                "They send at most {} mails a day, step by step; behind the last step they are active.",
                list(&caps)
            ),
            format!(
                "A step is passed by a day with at least half of its cap sent, in a healthy stage, and with a true rate of hard \
                 bounces below {} at 95 % confidence; a move up the ladder takes them one step back.",
                percent(self.proof)
            ),
        ]
    }
}

impl Incident {
    pub(super) fn in_words(&self) -> Vec<String> {
        let (rate, deferral_rate) = (percent(self.rate), percent(self.deferral_rate));
        vec![
            format!(
                "While {rate} of the other customers' mail to a provider, or from a pool, is bounced for good or blocked in the \
                 same minutes, or {deferral_rate} deferred, a customer's mail there is set aside: neither charged nor forgiven."
            ),
            format!(
                "At least {} of the others and a third of them all must be hit, and {} of their mails be there to tell.",
                thousands(VOTES),
                thousands(self.minimum_mails)
            ),
        ]
    }
}

impl Limit {
    pub(super) fn in_words(&self) -> Vec<String> {
        let of = match self.of {
            Whole::Account => "of the whole account",
            Whole::Pool => "of each pool",
            Whole::Provider => "to each provider",
        };
        let customers = count(self.at_most, "customer", "customers");
        let (signal, enter, stage) = (in_full(self.signal), percent(self.enter), self.stage);
        let window = span(Millis::days(1));
        vec![format!(
            "When the rate of {signal}, in all mail {of} of the last {window}, is above {enter} or will be within {} h, the smallest set of \
             customers without whom the limit is kept goes to {stage}: at most {customers}; where more would be needed nobody \
             is moved, and a person must decide.",
            number(self.ahead_hours)
        )]
    }
}
