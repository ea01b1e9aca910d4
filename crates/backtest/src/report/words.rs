//! What both reports say in the same words.

use model::figures::{count, thousands};
use model::{Decision, Millis, PolicyOrigin, Stage};

use crate::compare::{Difference, Kind, Tally};
use crate::outcome::{Behind, Force, Live, Made, Outcome, Read, Run};

/// A span by its two largest units; never negative.
pub(super) fn span(span: Millis) -> String {
    let minutes = span.get().abs() / 60_000;
    match (minutes / 1_440, minutes / 60 % 24, minutes % 60) {
        (0, 0, 0) => format!("{} s", span.get().abs() / 1_000),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// What was read, and what was left out of it, a sentence each.
pub(super) fn read(read: &Read) -> Vec<String> {
    let effects = &read.effects;
    let span = read.span.map(|(first, last)| format!(", from {first} to {last}")).unwrap_or_default();
    let customers = count(read.customers, "customer", "customers");
    let mut lines = vec![format!("{} events of {customers}{span}.", thousands(effects.events()))];
    let left_out = [
        (effects.duplicates, "copies"),
        (effects.late, "older than 72 hours when they came"),
        (effects.future, "from a future too far ahead to be true"),
        (effects.not_counted, "of a kind that is not counted"),
    ];
    let left_out: Vec<_> = left_out.iter().filter(|(count, _)| *count > 0).collect();
    if !left_out.is_empty() {
        let parts: Vec<_> = left_out.iter().map(|(number, what)| format!("{} {what}", thousands(*number))).collect();
        lines.push(format!("Of them not counted: {}.", parts.join(", ")));
    }
    if read.unattributed > 0 {
        lines.push(format!(
            "{} events name no customer: they are counted and never judged.",
            thousands(read.unattributed)
        ));
    }
    if effects.commands > 0 {
        lines.push(format!("{} commands were followed.", thousands(effects.commands)));
    }
    if read.faulty > 0 {
        lines.push(format!("{} no events and left out:", count(read.faulty, "element is", "elements are")));
        lines.extend(read.faults.iter().map(|fault| format!("  {fault}")));
    }
    lines.extend(read.cut.iter().map(|(partition, offset)| {
        format!("Partition {partition} is read from offset {offset} on: retention has cut off what was before.")
    }));
    lines
}

/// Where a log tells it: under which policies life's decisions were made, how many of them were made again, and where more are
/// to come.
pub(super) fn beside_life(outcome: &Outcome) -> Vec<String> {
    let (Some(life), Some(run)) = (&outcome.live, outcome.runs.first()) else { return Vec::new() };
    let mut lines = policies(&outcome.read);
    lines.push(live(life, run));
    lines.extend(life.behind.iter().map(behind));
    lines
}

fn policies(read: &Read) -> Vec<String> {
    let count = match read.policies.len() {
        0 => return Vec::new(),
        1 => "One policy was".to_owned(),
        many => format!("{many} policies were"),
    };
    let mut lines = vec![format!("{count} put in force in life, where each decision is of the policy of its time:")];
    lines.extend(read.policies.iter().map(|policy| {
        let (digest, since) = (&policy.digest, policy.since);
        match policy.change.origin {
            PolicyOrigin::Repeat => format!("  {digest}, by {since} at the latest"),
            PolicyOrigin::File | PolicyOrigin::Api => {
                format!("  {digest}, from {since} on ({}: {})", policy.change.by, policy.change.reason)
            }
        }
    }));
    lines
}

fn behind(behind: &Behind) -> String {
    let got_to = behind.got_to.map_or_else(|| "nowhere yet".to_owned(), |at| format!("to {at} only"));
    format!(
        "In life the scorer of partition {} had got {got_to}, and the log was read to {}: what it decides behind that is not \
         known.",
        behind.partition, behind.read_to
    )
}

/// How many of the decisions of life were made again.
fn live(live: &Live, run: &Run) -> String {
    let all = live.run.made.len();
    format!(
        "In life, {} made. {} made {}; {} of them are those of life, byte for byte.",
        count(all, "decision was", "decisions were"),
        run.name,
        count(run.made.len(), "decision", "decisions"),
        if live.is_that_of(run) { "all".to_owned() } else { live.same.to_string() },
    )
}

/// Why, in a few words.
pub(super) fn why(decision: &Decision) -> String {
    match (&decision.evidence, &decision.by, &decision.reason) {
        (Some(evidence), _, _) => evidence.to_string(),
        (None, Some(by), Some(reason)) => format!("{by}: {reason}"),
        (None, _, _) => String::new(),
    }
}

/// From where to where, or where to it would be.
pub(super) fn step(Made { decision, force, .. }: &Made) -> String {
    let would_be = if *force == Force::WouldBe { " (would-be)" } else { "" };
    format!("{} → {}{would_be}", decision.from, decision.to)
}

/// The mails before a decision.
pub(super) fn mails(made: &Made) -> String {
    made.mails.map_or_else(|| "?".to_owned(), thousands)
}

/// How the second run differs about one customer.
pub(super) fn difference(difference: &Difference<'_>, first: &Run, second: &Run) -> String {
    let alone = |run: &Run, made: &Made| format!("found by {} only, by {}", run.name, made.decision.rule);
    match difference.kind {
        Kind::OnlyFirst(finding) => alone(first, finding.first),
        Kind::OnlySecond(finding) => alone(second, finding.first),
        Kind::Both(a, b) => {
            let later = difference.later().unwrap_or(Millis::ZERO);
            let time = match later.get() {
                0 => "at the same time".to_owned(),
                ..0 => format!("{} earlier by {}", span(later), second.name),
                1.. => format!("{} later by {}", span(later), second.name),
            };
            let mails = match (a.first.mails, b.first.mails) {
                (Some(a), Some(b)) if a != b => format!(", after {b} mails instead of {a}"),
                _ => String::new(),
            };
            let stage = if a.strictest == b.strictest {
                String::new()
            } else {
                format!(", {} in the end instead of {}", b.strictest, a.strictest)
            };
            format!("{time}{mails}{stage}")
        }
    }
}

/// How many differences there are of each kind.
pub(super) fn tally(tally: Tally, first: &Run, second: &Run) -> String {
    let Tally { only_first, only_second, earlier, later, otherwise } = tally;
    if tally == Tally::default() {
        return format!("{} and {} find the same customers at the same times.", first.name, second.name);
    }
    format!(
        "Found by {} only: {only_first}. By {second} only: {only_second}. Earlier by {second}: {earlier}. Later by {second}: \
         {later}. Led to another stage: {otherwise}.",
        first.name,
        second = second.name
    )
}

/// How many customers were at a stage: at first, at most, in the end.
pub(super) fn extent(run: &Run, stage: Stage) -> [u64; 3] {
    let counts = counts(run, stage);
    let most = run.most.get(place(stage));
    [counts.first(), most, counts.last()].map(|count| count.copied().unwrap_or_default())
}

/// The customers at a stage over time.
pub(super) fn counts(run: &Run, stage: Stage) -> Vec<u64> {
    run.samples.iter().map(|sample| sample.stages.get(place(stage)).copied().unwrap_or_default()).collect()
}

fn place(stage: Stage) -> usize {
    Stage::ALL.iter().position(|known| *known == stage).unwrap_or_default()
}

/// Bad mail in all, and of it what came from customers not found by then.
pub(super) fn bad(run: &Run) -> Option<(u64, u64)> {
    run.samples.last().map(|sample| (sample.bad, sample.unfound))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_spans_read_as_people_write_them() {
        let spans = [Millis::seconds(-5), Millis::minutes(59), Millis::minutes(61), Millis::hours(49)].map(span);
        assert_eq!(spans, ["5 s", "59 min", "1 h 1 min", "2 d 1 h"]);
    }
}
