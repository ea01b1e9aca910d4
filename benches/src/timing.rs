//! Measuring and showing.

use std::time::{Duration, Instant};

use comfy_table::{Table, presets};

/// How long `work` took, and what it gave.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    let result = work();
    (result, began.elapsed())
}

/// The middle one of some times.
pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// How near each round's `works` came to its own `floors`, as the middle of the rounds and all that they were: what else a machine does
/// changes from round to round.
pub(crate) fn ratio(floors: &[Duration], works: &[Duration], wanted: f64) -> String {
    let mut ratios: Vec<_> = floors.iter().zip(works).map(|(f, w)| f.as_secs_f64() / w.as_secs_f64()).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    let at = |number: usize| ratios.get(number).copied().unwrap_or_default();
    let (least, middle, most) = (at(0), at(ratios.len() / 2), at(ratios.len().saturating_sub(1)));
    format!("{middle:.2} ({least:.2} to {most:.2}; wanted: {wanted})")
}

/// Things a second.
pub(crate) fn rate(things: usize, time: Duration) -> f64 {
    count(things) / time.as_secs_f64()
}

/// A count for arithmetic.
#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^53")]
pub(crate) fn count(things: usize) -> f64 {
    things as f64
}

/// Prints a table; the first row is its head.
#[expect(clippy::print_stdout, reason = "the tables are what the benches are for")]
pub(crate) fn show(title: &str, rows: &[Vec<String>]) {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN);
    let mut rows = rows.iter();
    if let Some(head) = rows.next() {
        table.set_header(head);
    }
    for row in rows {
        table.add_row(row);
    }
    println!("\n{title}\n\n{table}");
}
