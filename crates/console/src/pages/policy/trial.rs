//! How a policy that was tried differs from the one in force.

use maud::{Markup, html};
use model::Stage;
use model::figures::{count, thousands};

use crate::api::backtest::{Differing, Found, Tried};
use crate::pages::{parts, words};

/// Customers that are named.
const NAMED: usize = 200;

pub(super) fn trial(tried: &Tried) -> Markup {
    html! {
        section aria-labelledby="tried" {
            h2 id="tried" { "Tried" }
            (compared(tried))
            @if tried.differ == 0 {
                p { strong { "It would have made no difference: " } "nobody would have been held back by only one of them, at another time or further, or would stand elsewhere." }
            } @else {
                p { strong { (count(tried.differ, "customer differs", "customers differ")) ": " } (tally(tried)) "." }
                (parts::scrolling("Whom it would judge otherwise", &table(tried)))
                @if tried.differ > NAMED {
                    p class="soft" { "The first " (NAMED) " by name of " (thousands(tried.differ)) "; " code { "POST /v1/policy/backtest" } " tells a thousand, and " code { "weir backtest --log" } " all." }
                }
            }
        }
    }
}

/// What was held against what, over what.
fn compared(tried: &Tried) -> Markup {
    html! {
        p class="soft" {
            "This policy (" code title=(tried.digest) { (words::digest(&tried.digest)) } ") beside the one in force ("
            code title=(tried.in_force) { (words::digest(&tried.in_force)) } "), each over all that the log has"
            @if let (Some(from), Some(until)) = (tried.from, tried.until) { ", " (words::moment(from)) " to " (words::moment(until)) }
            ": " (count(tried.records, "record", "records")) ", of them " (count(tried.events, "event", "events")) " of "
            (count(tried.seen, "customer", "customers")) ". The one in force moves somebody " (count(tried.moves_in_force, "time", "times"))
            ", this one " (count(tried.moves_tried, "time", "times")) "."
        }
        @if tried.is_cut { p class="soft" { "Older records are no longer kept: both begin as if nobody had done anything before." } }
        p class="soft" { "What a customer would have done otherwise, had it been held back, is not guessed." }
    }
}

fn tally(tried: &Tried) -> String {
    let of = |wanted: fn(&Differing) -> bool| tried.customers.iter().filter(|one| wanted(one)).count();
    let kinds = [
        (of(|one| one.in_force.is_none() && one.tried.is_some()), "held back by this one only"),
        (of(|one| one.in_force.is_some() && one.tried.is_none()), "held back by the one in force only"),
        (of(|one| one.ends_tried > one.ends_in_force), "stricter in the end"),
        (of(|one| one.ends_tried < one.ends_in_force), "milder in the end"),
    ];
    let told: Vec<_> =
        kinds.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let of_the_first = if tried.differ > tried.customers.len() { "; of the first thousand" } else { "" };
    if told.is_empty() {
        "held back by both, at another time or further".to_owned()
    } else {
        format!("{}{of_the_first}", told.join(", "))
    }
}

fn table(tried: &Tried) -> Markup {
    html! {
        table {
            caption { "Whom it would judge otherwise" }
            thead {
                tr { th scope="col" rowspan="2" { "Customer" } th scope="colgroup" colspan="2" { "In force" } th scope="colgroup" colspan="2" { "This policy" } }
                tr { @for _ in 0..2 { th scope="col" { "Held back" } th scope="col" { "In the end" } } }
            }
            tbody { @for one in tried.customers.iter().take(NAMED) { tr {
                th scope="row" { (parts::customer(&one.customer)) }
                (judged(one.in_force.as_ref(), one.ends_in_force))
                (judged(one.tried.as_ref(), one.ends_tried))
            } } }
        }
    }
}

fn judged(found: Option<&Found>, ends: Stage) -> Markup {
    html! {
        td { @match found {
            None => span class="soft" { "never" },
            Some(found) => {
                span class="rule" { bdi { (found.rule) } } " " span class="soft" { (words::moment(found.at)) }
                @if found.strictest > ends { ", up to " (parts::stage(found.strictest)) }
            },
        } }
        td { (parts::stage(ends)) }
    }
}
