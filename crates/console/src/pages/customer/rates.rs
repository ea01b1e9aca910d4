//! A customer's rates against the policy's limits, and by mailbox provider.

use maud::{Markup, html};
use model::figures::thousands;
use model::{Counter, CustomerView, Provider, Window};
use policy::{Fraction, Policy, Rule, Signal};

use crate::pages::{parts, words};

/// The signals of the table by provider.
const SHOWN: [Signal; 4] = [Signal::HardBounce, Signal::Block, Signal::Deferral, Signal::SpamReport];
/// The kinds of events that are counted out.
const COUNTED: [Counter; 6] = [
    Counter::Processed,
    Counter::Delivered,
    Counter::HardBounce,
    Counter::Block,
    Counter::FirstDeferral,
    Counter::SpamReport,
];

/// A customer's rate of a signal over a window.
fn seen(view: &CustomerView, signal: Signal, window: Window) -> Fraction {
    let parts = view.providers.iter().filter_map(|(provider, windows)| {
        let counts = windows.get(&window)?;
        Some(signal.fraction(*provider, counts))
    });
    parts.fold(Fraction::default(), Fraction::plus)
}

/// A line for each rule that asks about the customer.
pub(super) fn against_limits(view: &CustomerView, policy: &Policy) -> Markup {
    let line = |rule: &Rule| (seen(view, rule.signal, rule.window), rule.clone());
    let lines: Vec<_> = policy.rules_for(view.standing.phase).iter().map(line).collect();
    let table = html! {
        table class="figures" {
            caption { "A rate above the limit convicts only once there is enough mail to be sure of it" }
            thead { tr {
                th scope="col" { "Rule" } th scope="col" { "Looks at" } th scope="col" { "Window" }
                th scope="col" class="number" { "Seen" } th scope="col" class="number" { "Of mails" }
                th scope="col" class="number" { "In above" } th scope="col" class="number" { "Out below" } th scope="col" { "Leads to" }
            } }
            tbody { @for (seen, rule) in lines { tr {
                th scope="row" { bdi { (rule.name) } }
                td { (words::signal(rule.signal)) }
                td { (rule.window.name()) }
                td class={ "number" @if seen.rate() > rule.enter { " high" } } { (words::rate(seen)) }
                td class="number" { (thousands(seen.hits)) " of " (thousands(seen.mails)) }
                td class="number" { (words::percent(rule.enter)) }
                td class="number" { (words::percent(rule.exit)) }
                td { (parts::stage(rule.stage)) }
            } } }
        }
    };
    parts::scrolling("Rates against the limits", &table)
}

/// What became of its mail, by window.
pub(super) fn counts(view: &CustomerView) -> Markup {
    let table = html! {
        table class="figures" {
            caption { "Events in the windows that end at the last tick" }
            thead { tr {
                th scope="col" { "Events" }
                @for window in Window::ALL { th scope="col" class="number" { (window.name()) } }
            } }
            tbody { @for counter in COUNTED { tr {
                th scope="row" { (counter.name().replace('_', " ")) }
                @for window in Window::ALL { (parts::number(view.windows.get(&window).map_or(0, |counts| counts[counter]))) }
            } } }
        }
    };
    parts::scrolling("Events by window", &table)
}

/// Its mail of the last day, by mailbox provider.
pub(super) fn by_provider(view: &CustomerView) -> Markup {
    let of_day = |(provider, windows): (&Provider, &std::collections::BTreeMap<Window, model::Counts>)| {
        let counts = *windows.get(&Window::Day)?;
        (counts.attempted() > 0).then_some((*provider, counts))
    };
    let mut rows: Vec<_> = view.providers.iter().filter_map(of_day).collect();
    rows.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.attempted()));
    if rows.is_empty() {
        return parts::nothing("No mail in the last 24 hours.");
    }
    let table = html! {
        table class="figures" {
            caption { "The last 24 hours" }
            thead { tr {
                th scope="col" { "Provider" } th scope="col" class="number" { "Mails" }
                @for signal in SHOWN { th scope="col" class="number" { (words::signal(signal)) } }
            } }
            tbody { @for (provider, counts) in rows { tr {
                th scope="row" { (words::provider(provider)) }
                (parts::number(counts.attempted()))
                @for signal in SHOWN { td class="number" { (words::rate(signal.fraction(provider, &counts))) } }
            } } }
        }
    };
    parts::scrolling("By mailbox provider", &table)
}
