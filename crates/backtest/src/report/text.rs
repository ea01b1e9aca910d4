//! The report in a terminal.

use comfy_table::{Table, presets};
use model::Stage;
use model::figures::{count, thousands};

use super::words;
use crate::compare::{Tally, differences, findings};
use crate::outcome::{Outcome, Run};

/// Rows shown of a table; the rest is counted.
const ROWS: usize = 40;
/// Characters of a line that shows figures over time.
const WIDTH: usize = 40;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Who would be moved when and why, how stages fill over time, and where two candidates, or a candidate and life, differ.
pub fn text(outcome: &Outcome) -> String {
    let mut parts = vec![words::read(&outcome.read).join("\n")];
    if let (Some(live), Some(run)) = (&outcome.live, outcome.runs.first()) {
        parts.push(words::live(live, run));
        if live.same != run.made.len() {
            parts.push(compared(&live.run, run));
        }
    }
    parts.extend(outcome.runs.iter().map(of_run));
    if let [first, second, ..] = outcome.runs.as_slice() {
        parts.push(compared(first, second));
    }
    parts.join("\n\n")
}

fn of_run(run: &Run) -> String {
    let found = count(findings(run).len(), "customer is", "customers are");
    let moves = count(run.made.len(), "decision", "decisions");
    let mut text = format!("== {} ({})\n{moves}; {found} found (throttled or worse).", run.name, run.digest);
    if let Some((bad, unfound)) = words::bad(run) {
        let [bad, unfound] = [bad, unfound].map(thousands);
        text.push_str(&format!(
            "\nOf {bad} hard bounces, complaints and blocks for conduct, {unfound} came from customers not found by then."
        ));
    }
    if !run.made.is_empty() {
        text.push_str(&format!("\n\n{}", moves_of(run)));
    }
    text.push_str(&format!("\n\n{}", stages_of(run)));
    text
}

fn moves_of(run: &Run) -> String {
    let mut table = table(&["time", "customer", "move", "rule", "mails before", "why"]);
    for made in run.made.iter().take(ROWS) {
        let decision = &made.decision;
        table.add_row([
            decision.at.to_string(),
            decision.customer.to_string(),
            words::step(decision),
            decision.rule.clone(),
            words::mails(made),
            words::why(decision),
        ]);
    }
    with_rest(&table, run.made.len(), "decisions; --json has all")
}

fn stages_of(run: &Run) -> String {
    let mut table = table(&["stage", "over time", "at first", "at most", "in the end"]);
    for stage in Stage::ALL {
        let [first, most, last] = words::extent(run, stage);
        if most > 0 {
            let line = sparkline(&words::counts(run, stage), most);
            table.add_row([stage.to_string(), line, first.to_string(), most.to_string(), last.to_string()]);
        }
    }
    table.to_string()
}

fn compared(first: &Run, second: &Run) -> String {
    let differences = differences(first, second);
    let tally = words::tally(Tally::of(&differences), first, second);
    let head = format!("== {} beside {}\n{tally}", second.name, first.name);
    if differences.is_empty() {
        return head;
    }
    let mut table = table(&["customer", "difference"]);
    for difference in differences.iter().take(ROWS) {
        table.add_row([difference.customer.to_string(), words::difference(difference, first, second)]);
    }
    format!("{head}\n\n{}", with_rest(&table, differences.len(), "customers"))
}

fn table(head: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_BORDERS_ONLY).set_header(head);
    table
}

fn with_rest(table: &Table, rows: usize, what: &str) -> String {
    match rows.saturating_sub(ROWS) {
        0 => table.to_string(),
        rest => format!("{table}\nand {rest} more {what}"),
    }
}

/// `counts` as bars, the highest one of `most`.
fn sparkline(counts: &[u64], most: u64) -> String {
    let bar = |count: u64| {
        let height = count.saturating_mul(BARS.len() as u64).div_ceil(most.max(1));
        let index = usize::try_from(height).unwrap_or(BARS.len()).checked_sub(1);
        index.and_then(|index| BARS.get(index)).copied().unwrap_or(' ')
    };
    let part = counts.len().div_ceil(WIDTH).max(1);
    counts.chunks(part).filter_map(|part| part.iter().max()).map(|count| bar(*count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_shows_nothing_for_none_and_the_full_height_for_the_most() {
        assert_eq!(sparkline(&[0, 1, 4, 8], 8), " ▁▄█");
        assert_eq!(sparkline(&[1; 240], 1).chars().count(), WIDTH);
    }
}
