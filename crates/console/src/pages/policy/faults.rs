//! What is wrong with a text, shown at its place.

use maud::{Markup, html};
use model::figures::count;
use policy::Fault;

/// Lines that are shown before and behind the one that is wrong.
const AROUND: usize = 2;

pub(super) fn faults(text: &str, wrong: &[Fault]) -> Markup {
    html! {
        div class="banner alarm" role="alert" id="faults" {
            p { strong { "It can't be put in force: " (count(wrong.len(), "fault", "faults")) ". " } "Nothing was changed." }
        }
        ol class="wrong" { @for fault in wrong { li {
            p { a href="#text" data-line=(fault.line) data-column=(fault.column) { "Line " (fault.line) ", column " (fault.column) } ": " bdi { (fault.message) } }
            (excerpt(text, fault))
        } } }
    }
}

/// The lines around a fault, with the place marked.
fn excerpt(text: &str, fault: &Fault) -> Markup {
    let first = fault.line.saturating_sub(AROUND).max(1);
    let lines = text.lines().enumerate().skip(first - 1).take(fault.line + AROUND + 1 - first);
    html! {
        pre class="excerpt" { @for (index, line) in lines {
            @let number = index + 1;
            @if number == fault.line { (wrong_line(number, line, fault.column)) }
            @else { span class="lineno" { (format!("{number:>4}")) } "  " (line) "\n" }
        } }
    }
}

fn wrong_line(number: usize, line: &str, column: usize) -> Markup {
    let at = line.char_indices().nth(column.saturating_sub(1)).map_or(line.len(), |(at, _)| at);
    let (before, rest) = line.split_at(at);
    html! {
        strong { span class="lineno" { (format!("{number:>4}")) } "  " (before) mark { @if rest.is_empty() { " " } @else { (rest) } } } "\n"
    }
}
