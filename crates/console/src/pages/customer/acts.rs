//! What a person can do about a customer, as forms.

use maud::{Markup, html};
use model::Stage;

use super::Customer;
use super::acting::LONGEST;
use crate::access::Role;
use crate::pages::forms::{self, AnsweredOn, Form};
use crate::pages::parts;
use crate::pages::visit::Visit;

/// The acts that the visitor may do.
pub(super) fn acts(customer: &Customer, visit: &Visit) -> Markup {
    if !visit.may(Role::Operator) {
        return html! { p class="soft" { "To change anything takes the role operator." } };
    }
    let to = |act: &str| format!("{}/{act}", customer.standing.customer.page_path());
    html! {
        section aria-labelledby="acts" {
            h2 id="acts" { "Act" }
            (one(visit, "Hold", "Hold it where it is: no rule moves it, for some days or until it is released", &to("hold"), &hold_days()))
            (one(visit, "Release", "One stage down, or back to healthy, with windows that begin now; ends a hold, not an exemption", &to("release"), &how_far()))
            (one(visit, "Set stage", "Put it somewhere, and hold it there until it is released", &to("stage"), &stages(visit)))
            (one(visit, "Exempt", "No rule moves it up for some days. It ends by itself, or by another exemption that ends sooner", &to("exempt"), &days()))
            (one(visit, "Set phase", "Another phase of its life", &to("phase"), &phases(customer)))
            (one(visit, "Add note", "Words for the history: nobody is moved", &to("note"), &html! {}))
        }
    }
}

fn one(visit: &Visit, button: &str, what: &str, act: &str, fields: &Markup) -> Markup {
    let why = if button == "Add note" { "Note" } else { "Reason" };
    html! {
        details class="act" {
            summary { (button) " " span class="soft" { (what) } }
            (forms::form(visit, &Form { act, button, looks: "strong", why }, fields))
        }
    }
}

fn stages(visit: &Visit) -> Markup {
    let may = |stage: &Stage| *stage != Stage::Banned || visit.may(Role::Approver);
    html! {
        label class="field" { span { "Stage" } select name="stage" required {
            // None is chosen beforehand: whoever only sends the form, or may not choose where it stands, would release it.
            option value="" { "choose" }
            @for stage in Stage::ALL.into_iter().filter(may) { option value=(stage.name()) { (stage.name()) } }
        } }
    }
}

fn phases(customer: &Customer) -> Markup {
    html! {
        label class="field" { span { "Phase" } select name="phase" required {
            option value="" { "choose" }
            @for phase in customer.standing.phase.next() { option value=(phase.name()) { (phase.name()) } }
        } }
    }
}

fn hold_days() -> Markup {
    html! { label class="field" { span { "Days (empty: until released)" } input type="number" name="days" min="1" max=(LONGEST); } }
}

fn how_far() -> Markup {
    html! { label class="field" { span { "Back to healthy at once" } input type="checkbox" name="fully" value="true"; } }
}

fn days() -> Markup {
    html! { label class="field" { span { "Days" } input type="number" name="days" min="1" max=(LONGEST) value="7" required; } }
}

/// What waits for a person about it.
pub(super) fn waiting(customer: &Customer, visit: &Visit) -> Markup {
    let Some((decision, held)) = &customer.waiting else { return html! {} };
    html! {
        section aria-labelledby="waiting" class="card" {
            h2 id="waiting" { "Waits for approval" }
            p { (held.reason) }
            p class="soft" {
                "since " (parts::ago(held.since, customer.now))
                @if let Some(expires) = held.expires { ", expires " (parts::ago(expires, customer.now)) }
                " · " a href={ "/decisions/" (decision) } { "Why" }
            }
            @if visit.may(Role::Approver) {
                (forms::answer(visit, &customer.standing.customer, decision, AnsweredOn::Customer))
            } @else { p class="soft" { "To answer takes the role approver." } }
        }
    }
}
