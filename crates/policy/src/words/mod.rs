//! A policy in plain words: what it will do, and how many mails convict.

mod rule;
mod standing;
mod units;

use model::{Mode, Stage};

use crate::Policy;
use model::figures::{count, list, thousands};
use units::number;

/// What a policy does about one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paragraph {
    /// What it is about: a rule, a limit or a part of the file.
    pub about: String,
    /// In plain words, a sentence each.
    pub sentences: Vec<String>,
}

impl Paragraph {
    fn new(about: &str, sentences: Vec<String>) -> Self {
        Self { about: about.to_owned(), sentences }
    }
}

impl Policy {
    /// What this policy will do, in the order of its file: its false-alarm budget, the stages, pilot customers and incidents,
    /// then each rule and each limit of the account by name.
    pub fn in_words(&self) -> Vec<Paragraph> {
        let mut paragraphs = vec![
            Paragraph::new("false alarms", self.budget_in_words()),
            Paragraph::new("stages", self.stages_in_words()),
            Paragraph::new("offences", self.ladder.in_words()),
            Paragraph::new("pilot customers", self.pilot.in_words()),
            Paragraph::new("incidents", self.incident.in_words()),
        ];
        let rules = self.rules.iter().map(|rule| Paragraph::new(&rule.name, self.rule_in_words(rule)));
        paragraphs.extend(rules);
        paragraphs.extend(self.limits.iter().map(|limit| Paragraph::new(&limit.name, limit.in_words())));
        paragraphs
    }

    fn budget_in_words(&self) -> Vec<String> {
        let budget = &self.budget;
        let moves = |stage: Stage| stage >= Stage::Throttled;
        let (movers, watchers) = (self.sharers(moves), self.sharers(|stage| !moves(stage)));
        let mut sentences = Vec::new();
        if self.mode == Mode::Shadow {
            sentences.push("All of this policy is in shadow: it is only said, nobody is moved.".to_owned());
        }
        let mails = number_of_mails(budget.mails_a_year);
        let moved = share_of_each(&movers, budget.wrongly_moved_a_year);
        sentences.extend(moved.map(|(customers, share)| {
            format!(
                "At most {customers} of all wrongly moved to throttled or worse a year, at {mails} a year: {share}."
            )
        }));
        let watched = share_of_each(&watchers, budget.wrongly_watched_a_year);
        sentences
            .extend(watched.map(|(customers, share)| format!("At most {customers} wrongly watched a year: {share}.")));
        sentences
    }
}

/// Those that share a part of the budget.
struct Sharers {
    rules: usize,
    limits: usize,
    /// Of each.
    alpha: Option<f64>,
}

impl Policy {
    /// The rules and limits that lead to these stages.
    fn sharers(&self, leads: impl Fn(Stage) -> bool) -> Sharers {
        let rules = || self.rules.iter().filter(|rule| leads(rule.stage));
        let limits = || self.limits.iter().filter(|limit| leads(limit.stage));
        let alpha = rules().map(|rule| rule.alpha).chain(limits().map(|limit| limit.alpha)).next();
        Sharers { rules: rules().count(), limits: limits().count(), alpha }
    }
}

impl Sharers {
    fn in_words(&self) -> String {
        let rules = (self.rules > 0).then(|| count(self.rules, "rule", "rules"));
        let limits = (self.limits > 0).then(|| count(self.limits, "limit", "limits"));
        list(&rules.into_iter().chain(limits).collect::<Vec<_>>())
    }
}

fn number_of_mails(mails: u64) -> String {
    format!("{} mails", thousands(mails))
}

/// So many good customers, and what each of these may do wrong; `None` for nothing.
fn share_of_each(sharers: &Sharers, accepted: f64) -> Option<(String, String)> {
    let alpha = sharers.alpha?;
    let customers = if accepted > 1.0 { "good customers" } else { "good customer" };
    let each = format!("each of {}", sharers.in_words());
    let looks = number((1.0 / alpha).round());
    let share = format!("{each} may err once in {looks} mails of a customer exactly at its limit");
    Some((format!("{} {customers}", number(accepted)), share))
}
