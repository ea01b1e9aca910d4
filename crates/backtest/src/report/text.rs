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
        parts.push(words::beside_life(outcome).join("\n"));
        if !live.is_that_of(run) {
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
    let moves = count(run.moves().count(), "decision", "decisions");
    let mut text = format!("== {} ({})\n{moves}; {found} found (throttled or worse).", run.name, run.digest);
    if run.would_be() > 0 {
        let would_be = count(run.would_be(), "would-be decision is", "would-be decisions are");
        text.push_str(&format!(" {would_be} only said (shadow)."));
    }
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
            words::step(made),
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
    use crate::outcome::{Force, Live, Made, Read};

    fn made(customer: &str) -> Made {
        let decision = serde_json::json!({
            "id": "0".repeat(32), "customer": customer, "at": "2026-01-01T00:00:00Z", "from": "healthy", "to": "throttled",
            "mode": "enforce", "rule": "drip", "evidence": null, "policy": "sha256:0",
            "offset": {"partition": 0, "offset": 1}
        });
        Made { decision: serde_json::from_value(decision).unwrap(), mails: None, force: Force::Real }
    }

    fn run(name: &str, customers: &[&str]) -> Run {
        let made = customers.iter().map(|customer| made(customer)).collect();
        Run { name: name.to_owned(), digest: String::new(), made, samples: Vec::new(), most: [0; 6] }
    }

    #[test]
    fn whom_the_candidate_misses_is_shown_beside_life_though_all_that_it_made_is_the_same() {
        let live = Live { run: run("in life", &["acme", "missed"]), same: 1, behind: Vec::new() };
        let outcome = Outcome { runs: vec![run("new", &["acme"])], live: Some(live), read: Read::default() };
        let text = text(&outcome);
        assert!(text.contains("new beside in life") && text.contains("found by in life only"), "{text}");
    }

    #[test]
    fn a_sparkline_shows_nothing_for_none_and_the_full_height_for_the_most() {
        assert_eq!(sparkline(&[0, 1, 4, 8], 8), " ▁▄█");
        assert_eq!(sparkline(&[1; 240], 1).chars().count(), WIDTH);
    }
}
