//! What several pages show alike.

use maud::{Markup, html};
use model::figures::thousands;
use model::{CustomerId, Decision, Stage, Timestamp};

use super::words;

/// A stage: a mark whose shape tells it as well as its colour, and its name.
pub(crate) fn stage(stage: Stage) -> Markup {
    html! { span class={ "stage " (stage.name()) } { (stage.name()) } }
}

/// A customer's name, which leads to its page.
pub(crate) fn customer(customer: &CustomerId) -> Markup {
    html! { a class="customer" href=(customer.page_path()) { bdi { (customer) } } }
}

/// Whom SendGrid did something to: a customer, or the account that a source is of.
pub(crate) fn account(whom: &CustomerId) -> Markup {
    html! {
        @match whom.source_of_unattributed() {
            Some(source) => { "the account" span class="soft" { " (source " bdi { (source) } ")" } },
            None => (customer(whom)),
        }
    }
}

/// Words of ours, with commands in back quotes.
pub(crate) fn prose(text: &str) -> Markup {
    let parts = text.split('`').enumerate();
    html! { bdi { @for (number, part) in parts { @if number % 2 == 1 { code { (part) } } @else { (part) } } } }
}

/// A moment: the time of day, how long ago, and the whole of it for who points at it.
pub(crate) fn moment(at: Timestamp, now: Timestamp) -> Markup {
    html! {
        time datetime=(at) title=(words::moment(at)) { (words::clock(at, now)) " " span class="soft" { (words::ago(at, now)) } }
    }
}

/// A moment's distance alone.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> Markup {
    html! { time datetime=(at) title=(words::moment(at)) { (words::ago(at, now)) } }
}

/// A whole number in a table.
pub(crate) fn number(number: impl std::fmt::Display) -> Markup {
    html! { td class="number" { (thousands(number)) } }
}

/// A table that scrolls sideways where it is too wide, with the keyboard as well.
pub(crate) fn scrolling(label: &str, table: &Markup) -> Markup {
    html! { div class="scroll" role="region" aria-label=(label) tabindex="0" { (table) } }
}

/// What a decision changes.
pub(crate) fn step(decision: &Decision) -> Markup {
    html! {
        span class="step" {
            @if decision.from == decision.to {
                (stage(decision.to)) " " span class="soft" { "stays" }
            } @else {
                (stage(decision.from)) " " span class="arrow" aria-hidden="true" { "→" } span class="unseen" { "to" } " " (stage(decision.to))
            }
            @if let Some(mode) = words::mode(decision.mode) { " " span class="tag" { (mode) } }
        }
    }
}

/// Why a decision was made, in a line: the figures of a rule, or a person's words.
pub(crate) fn why(decision: &Decision) -> Markup {
    html! {
        @match (&decision.evidence, &decision.by, &decision.reason) {
            (Some(evidence), _, _) => {
                span class="rule" { (decision.rule) } " "
                (evidence.signal.replace('_', " ")) " " strong { (words::percent(evidence.rate.get())) }
                span class="soft" {
                    " (" (thousands(evidence.numerator)) " of " (thousands(evidence.denominator)) " in " (evidence.window.name())
                    "; limit " (words::percent(evidence.threshold.get())) ")"
                }
            }
            (None, Some(by), reason) => {
                span class="rule" { (decision.rule.strip_prefix("command:").unwrap_or(&decision.rule).replace('_', " ")) } " by " strong { bdi { (by) } }
                @if let Some(reason) = reason { ": " q { bdi { (reason) } } }
            }
            (None, None, _) => { span class="rule" { (decision.rule) } }
        }
    }
}

/// Decisions, the newest first; `all` of them name their customer.
pub(crate) fn decision_row(decision: &Decision, now: Timestamp) -> Markup {
    let href = decision_path(decision);
    html! {
        li class={ "decision " (if decision.to > decision.from { "up" } else { "down" }) } data-id=(decision.id) {
            a class="when" href=(href) { span class="unseen" { "Why: decision " } (ago(decision.at, now)) }
            span class="what" { (customer(&decision.customer)) " " (step(decision)) }
            span class="why" { (why(decision)) }
        }
    }
}

/// Where a decision is explained.
pub(crate) fn decision_path(decision: &Decision) -> String {
    format!("/decisions/{}", decision.id)
}

/// Nothing to show, and why that is.
pub(crate) fn nothing(text: &str) -> Markup {
    html! { p class="nothing" { (text) } }
}
