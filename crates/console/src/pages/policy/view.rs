//! The policy as HTML.

use maud::{Markup, html};
use model::figures::count;
use model::{Mode, PolicyOrigin};
use policy::Policy;

use super::changes::{Change, Kind};
use super::{Draft, InForce, Outcome, Then, Worked, faults, trial};
use crate::access::Role;
use crate::pages::visit::Visit;
use crate::pages::{forms, parts, words};
use crate::problem::Problem;

pub(super) fn policy(in_force: &InForce, visit: &Visit) -> Markup {
    let draft = Draft { text: in_force.text().to_owned(), instead_of: in_force.tag.clone(), ..Draft::default() };
    html! {
        h1 { "Policy" }
        (facts(in_force, visit))
        p class="jumps" { a href="#words" { "In words" } " · " a href="#change" { "Its text, to change it" } }
        (in_words(&in_force.policy))
        (editor(&draft, visit, None))
    }
}

pub(super) fn worked(worked: &Worked, visit: &Visit) -> Markup {
    html! {
        h1 { "Another policy" }
        @if worked.is_overtaken { (overtaken(&worked.in_force, visit)) }
        (outcome(worked))
        (editor(&worked.draft, visit, Some(&worked.outcome)))
        p { a href="/policy" { "Leave the policy as it is" } }
    }
}

/// Which one is in force, and who put it there.
fn facts(in_force: &InForce, visit: &Visit) -> Markup {
    let (view, policy) = (&in_force.view, &in_force.policy);
    html! {
        dl class="facts" {
            div { dt { "Digest" } dd { code title=(view.digest) { (words::digest(&view.digest)) } } }
            @if let Some(record) = &view.record {
                div { dt { "In force since" } dd { (parts::moment(record.since, visit.now)) } }
                div { dt { "Put there by" } dd { bdi { (record.change.by) } @if record.change.origin == PolicyOrigin::File { " " span class="soft" { "from its file" } } } }
                div { dt { "Because" } dd { q { bdi { (record.change.reason) } } } }
            } @else { div { dt { "In force since" } dd { "Weir was started" } } }
            div { dt { "Rules" } dd { (policy.rules().len()) " " span class="soft" { "and " (count(policy.limits().len(), "limit", "limits")) } } }
            @if let Some(before) = &in_force.before {
                div { dt { "Instead of" } dd { code title=(before) { (words::digest(before)) } " " a href=(back(before)) { "Put the one before back" } } }
            }
            @if policy.mode() == Mode::Shadow { div { dt { "Mode" } dd { "Shadow: only said" } } }
        }
    }
}

/// Where the text of a policy that was replaced is looked at, and can be put in force again.
pub(in crate::pages) fn back(digest: &str) -> String {
    format!("/policy?back={}", words::encoded(digest))
}

fn in_words(policy: &Policy) -> Markup {
    html! {
        section aria-labelledby="words" {
            h2 id="words" { "In words" }
            div class="rules" { @for paragraph in policy.in_words() {
                section { h3 { bdi { (paragraph.about) } } ul { @for sentence in &paragraph.sentences { li { bdi { (sentence) } } } } }
            } }
        }
    }
}

fn overtaken(in_force: &InForce, visit: &Visit) -> Markup {
    html! {
        div class="banner alarm" role="alert" {
            p { strong { "Another policy came in force since you began. " }
                @if let Some(record) = &in_force.view.record {
                    bdi { (record.change.by) } " put " code title=(in_force.view.digest) { (words::digest(&in_force.view.digest)) } " in force "
                    (parts::moment(record.since, visit.now)) ": " q { bdi { (record.change.reason) } } ". "
                }
                "Your text is below as you left it; what follows holds it against the one that is in force now. Look at that, and decide anew."
            }
            p { a href="/policy" { "The policy in force" } }
        }
    }
}

fn outcome(worked: &Worked) -> Markup {
    match &worked.outcome {
        Outcome::Faulty(wrong) => faults::faults(&worked.draft.text, wrong),
        Outcome::Sound { changes, fixed, then } => html! {
            @match (then, fixed) {
                (Then::Refused(problem), _) => (refused("It was not put in force", problem)),
                (_, Some(fixed)) => div class="banner warn" role="alert" { p { strong { "It is sound, and can't be put in force as Weir runs. " } (words::sentence(fixed)) } },
                (Then::Unseen, None) => div class="banner alarm" role="alert" { p { strong { "The text has changed since it was checked: " } "look at what it changes, then decide. Nothing was put in force." } },
                (Then::Checked, None) => p class="done" role="status" { "It is sound. Try it next: nothing is changed by that." },
                (Then::Tried(_), None) => p class="done" role="status" { "It is sound." },
            }
            @match then {
                Then::Tried(Ok(tried)) => (trial::trial(tried)),
                Then::Tried(Err(problem)) => (refused("It was not tried", problem)),
                Then::Checked | Then::Unseen | Then::Refused(_) => {},
            }
            (changed(changes, &worked.draft, &worked.in_force))
        },
    }
}

fn refused(what: &str, problem: &Problem) -> Markup {
    html! { div class="banner alarm" role="alert" { p { strong { (what) ". " } (words::sentence(problem.detail())) } } }
}

fn changed(changes: &[Change], draft: &Draft, in_force: &InForce) -> Markup {
    html! {
        section aria-labelledby="changes" {
            h2 id="changes" { "What it changes" }
            @if changes.is_empty() {
                (parts::nothing(if draft.text == in_force.text() { "Nothing: it is the policy in force." } else { "Nothing but the text: it does what the policy in force does." }))
            }
            div class="rules" { @for change in changes { section {
                h3 { bdi { (change.about) } @match change.kind {
                    Kind::Removed => { " " span class="tag" { "removed" } },
                    Kind::Added => { " " span class="tag" { "new" } },
                    Kind::Changed => {},
                } }
                ul {
                    @for sentence in &change.gone { li { del { span class="unseen" { "No longer: " } bdi { (sentence) } } } }
                    @for sentence in &change.new { li { ins { span class="unseen" { "Now: " } bdi { (sentence) } } } }
                }
            } } }
        }
    }
}

/// The text, and what can be done with it: nothing is put in force that was not looked at.
fn editor(draft: &Draft, visit: &Visit, outcome: Option<&Outcome>) -> Markup {
    let is_faulty = matches!(outcome, Some(Outcome::Faulty(_)));
    let is_sound = matches!(outcome, Some(Outcome::Sound { fixed: None, .. }));
    html! {
        section aria-labelledby="change" {
            h2 id="change" { "Text" }
            @if draft.text.is_empty() { p class="soft" { "No record of the log has the text of the policy in force: it is the file that Weir was started with." } }
            form class="editor" method="post" action="/policy/check" {
                (forms::csrf(visit))
                input type="hidden" name="instead_of" value=(draft.instead_of);
                input type="hidden" name="seen" value=(draft.seen);
                label class="field" for="text" { "The policy file" }
                textarea id="text" name="text" rows="28" wrap="off" spellcheck="false" autocapitalize="off" autocomplete="off" aria-invalid=[is_faulty.then_some("true")] aria-describedby=[is_faulty.then_some("faults")] { "\n" (draft.text) }
                div class="buttons" {
                    button type="submit" formnovalidate { "Check" }
                    @if visit.may(Role::Operator) { button class=(if is_sound { "" } else { "strong" }) type="submit" formaction="/policy/try" formnovalidate { "Try" } }
                    span class="soft" { "Check reads it; Try goes through what the log has, which can take a minute. Neither changes anything." }
                }
                @if is_sound && visit.may(Role::Approver) {
                    div class="act" {
                        (forms::sign(visit, "Why it is put in force", &draft.signature))
                        button class="strong danger" type="submit" formaction="/policy/activate" { "Put it in force" }
                    }
                } @else if is_sound { p class="soft" { "To put it in force needs the role approver." } }
            }
        }
    }
}
