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
