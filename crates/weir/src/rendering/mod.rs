//! What operators are shown in the terminal: the API's JSON in, text out. Nothing here asks anybody or reads a clock.

pub(crate) mod customer;
pub(crate) mod customers;
pub(crate) mod decisions;
pub(crate) mod enforcement;
pub(crate) mod fleet;
mod limits;
pub(crate) mod pools;
pub(crate) mod rejects;
pub(crate) mod top;

use comfy_table::{Cell, CellAlignment, Color, ContentArrangement, Table, presets};
use model::{Stage, Timestamp};
use serde_json::Value;

/// How text is to look where it is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Whether colours are shown.
    pub(crate) colours: bool,
    /// Columns of the terminal; `None` where it is none: lines are then as long as they are.
    pub(crate) width: Option<u16>,
    /// The time from which ages are told.
    pub(crate) now: Timestamp,
}

impl Look {
    /// A table with these columns, without lines: what is printed can be cut and sorted.
    fn table(&self, header: &[&str]) -> Table {
        let mut table = Table::new();
        table.load_preset(presets::NOTHING).set_header(header.iter().copied());
        match self.width {
            Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
            None => table.set_content_arrangement(ContentArrangement::Disabled),
        };
        if self.colours {
            table.enforce_styling()
        } else {
            table.force_no_tty()
        };
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        table
    }

    fn stage(&self, stage: Stage) -> Cell {
        Cell::new(stage.name()).fg(colour(stage))
    }

    /// Words that have to be seen.
    fn alarming(&self, text: &str) -> String {
        self.painted(text, "1;31")
    }

    fn heading(&self, text: &str) -> String {
        self.painted(text, "1")
    }

    fn stage_word(&self, stage: Stage) -> String {
        let code = match stage {
            Stage::Healthy => "32",
            Stage::Watch => "36",
            Stage::Throttled => "33",
            Stage::Quarantined => "35",
            Stage::Suspended | Stage::Banned => "31",
        };
        self.painted(stage.name(), code)
    }

    fn painted(&self, text: &str, code: &str) -> String {
        if self.colours { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// How long ago, in one figure: `3h`.
    pub(crate) fn age(&self, at: Timestamp) -> String {
        let seconds = self.now.since(at).get().max(0) / 1_000;
        match seconds {
            0..60 => format!("{seconds}s"),
            60..3_600 => format!("{}m", seconds / 60),
            3_600..172_800 => format!("{}h", seconds / 3_600),
            _ => format!("{}d", seconds / 86_400),
        }
    }
}

const fn colour(stage: Stage) -> Color {
    match stage {
        Stage::Healthy => Color::DarkGreen,
        Stage::Watch => Color::DarkCyan,
        Stage::Throttled => Color::DarkYellow,
        Stage::Quarantined => Color::DarkMagenta,
        Stage::Suspended | Stage::Banned => Color::DarkRed,
    }
}

/// These columns hold numbers.
fn right(table: &mut Table, columns: impl IntoIterator<Item = usize>) {
    for column in columns {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// A table's text, without the blanks at the ends of its lines.
fn lines(table: &Table) -> String {
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// A moment to the second.
pub(crate) fn moment(at: Timestamp) -> String {
    Timestamp::from_seconds(at.seconds()).to_string()
}

/// The text that stands for nothing.
const NOTHING: &str = "-";

fn or_nothing(value: Option<impl ToString>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |value| value.to_string())
}

/// The same JSON, without what a terminal obeys or is misled by: control characters, and those that turn the direction of writing.
/// Names of customers, reasons of receiving servers and words of persons are others' text.
pub(crate) fn printable(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(printable_text(&text)),
        Value::Array(values) => values.into_iter().map(printable).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (printable_text(&name), printable(value))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

/// Never longer than it was: what is bounded stays so.
pub(crate) fn printable_text(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let shown = |c: char| match c {
        '\n' | '\t' | '\r' => ' ',
        c if c.is_control() => '?',
        c if turns(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().map(shown).collect()
}

/// An error with its causes, of which some are others' text, too.
pub(crate) fn printable_error(error: &anyhow::Error) -> String {
    let lines: Vec<_> = format!("{error:#}").lines().map(printable_text).collect();
    lines.join("\n")
}

#[cfg(test)]
pub(crate) mod samples;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn others_text_neither_steers_the_terminal_nor_turns_it_round() {
        let hostile = json!({"a\u{1b}[2J": ["\u{1b}]0;owned\u{7}", "x\u{202e}y\u{9b}31m", "two\nlines"], "n": 7});
        let tame = json!({"a?[2J": ["?]0;owned?", "x\u{fffd}y?31m", "two lines"], "n": 7});
        assert_eq!(printable(hostile), tame);
        let longest = "\u{202e}".repeat(66);
        assert!(printable_text(&longest).len() <= longest.len());
    }

    #[test]
    fn ages_are_told_in_one_figure() {
        let look = samples::plain();
        let age = |seconds| look.age(look.now - model::Millis::seconds(seconds));
        let told = [-5, 59, 60, 3_599, 7_200, 172_799, 172_800].map(age);
        assert_eq!(told, ["0s", "59s", "1m", "59m", "2h", "47h", "2d"]);
    }

    #[test]
    fn colours_are_shown_only_where_they_are_wanted() {
        let mut look = samples::plain();
        assert_eq!(look.stage_word(Stage::Watch), "watch");
        look.colours = true;
        assert_eq!(look.stage_word(Stage::Watch), "\u{1b}[36mwatch\u{1b}[0m");
        let mut table = look.table(&["stage"]);
        table.add_row([look.stage(Stage::Banned)]);
        assert!(lines(&table).contains('\u{1b}'));
    }
}
