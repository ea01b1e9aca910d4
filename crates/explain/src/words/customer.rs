//! What a customer can be sent.

use model::figures::thousands;
use model::{Cause, Evidence, Order, Stage, Test};

use super::figures::{minute, percent, span};
use super::{Case, Step, Wording, is_free, share};

/// A few paragraphs to the customer: what happened, the figures, what it means for its mail, what helps, and how it ends.
/// Names no rule, no other customer and nobody who works here.
pub(crate) fn for_the_customer(case: &Case<'_>) -> String {
    let mut paragraphs = vec!["Hello,".to_owned()];
    match &case.decision.evidence {
        Some(evidence) if case.step() == Step::Up => {
            paragraphs.push(what_happened(evidence));
            paragraphs.push(consequence(case));
            paragraphs.push(Wording::of(&evidence.signal).advice.to_owned());
            paragraphs.extend(Some(end(case)).filter(|_| !case.is_shadow()));
            paragraphs.push(
                "If you think that this is wrong, please write to us: we can go through the mails with you.".to_owned(),
            );
        }
        Some(evidence) => {
            paragraphs.push(recovered(evidence));
            paragraphs.push(consequence(case));
        }
        None => paragraphs.extend(by_hand(case)),
    }
    paragraphs.join("\n\n")
}

fn what_happened(evidence: &Evidence) -> String {
    let (seen, limit) = (figures_seen(evidence), percent(evidence.threshold.get()));
    match evidence.test {
        Test::Bound | Test::Sequential => format!(
            "{seen} So that all senders' mail arrives, this has to stay below {limit}, and your figures are too far above it to \
             be chance."
        ),
        Test::Budget => format!(
            "{seen} All senders together have to stay below {limit}, and we have to ask those whose mail adds most to it to \
             hold back."
        ),
    }
}

fn recovered(evidence: &Evidence) -> String {
    let thanks = "Your figures have recovered and stayed well: thank you.";
    if evidence.denominator == 0 { thanks.to_owned() } else { format!("{thanks} {}", figures_seen(evidence)) }
}

fn figures_seen(evidence: &Evidence) -> String {
    let since = minute(evidence.from);
    let Wording { yours, happened, .. } = Wording::of(&evidence.signal);
    format!("Since {since} (UTC), {} {yours} ({}) {happened}.", share(evidence), percent(evidence.rate.get()))
}

/// What it means for the customer's mail.
fn consequence(case: &Case<'_>) -> String {
    let stage = case.decision.to;
    if case.is_shadow() && !is_free(stage) {
        return "Nothing has changed for your mail yet.".to_owned();
    }
    match stage {
        Stage::Healthy => match case.daily_cap() {
            Some(cap) => format!("You can send up to {} mails a day.", thousands(cap)),
            None => "You can send without limits.".to_owned(),
        },
        Stage::Watch => "Your mail goes out as before, and we keep an eye on these figures.".to_owned(),
        Stage::Throttled => match case.daily_cap() {
            Some(cap) => format!("For now, you can send up to {} mails a day.", thousands(cap)),
            None => "For now, you can send less than usual.".to_owned(),
        },
        Stage::Quarantined => {
            "For now, your mail goes out through separate servers, apart from other senders' mail.".to_owned()
        }
        Stage::Suspended => "Until this is cleared up, your mail is not sent.".to_owned(),
        Stage::Banned => "Your mail is no longer sent.".to_owned(),
    }
}

/// How it ends.
fn end(case: &Case<'_>) -> String {
    let Some(dwell) = case.dwell(case.decision.to) else {
        return "This does not end by itself: please write to us once you have found the cause.".to_owned();
    };
    let exit = case.rule().map(|rule| format!(" (here: below {})", percent(rule.exit))).unwrap_or_default();
    format!(
        "This ends by itself, step by step: once your figures have stayed well{exit} for {}, the next step is taken.",
        span(dwell)
    )
}

/// What a person's order means.
fn by_hand(case: &Case<'_>) -> Vec<String> {
    match (case.order, case.step()) {
        (Some(Order::Exempt { until }), _) => {
            vec![format!("Until {} (UTC) our automatic limits do not apply to you.", minute(until))]
        }
        (Some(Order::SetPhase { .. }), _) => vec!["The state of your account with us has changed.".to_owned()],
        (Some(Order::Note), _) => vec!["Nothing has changed for your mail.".to_owned()],
        _ if case.decision.cause == Some(Cause::Refused) => vec!["Nothing has changed for your mail.".to_owned()],
        _ if case.decision.cause == Some(Cause::PilotPassed) => {
            vec![format!("Your first mails have fared well: thank you. {}", consequence(case))]
        }
        (Some(Order::Release { fully: false }), Step::Down) => {
            vec![format!("We have looked at your account and eased what limited it by one step. {}", consequence(case))]
        }
        (_, Step::Stays) => {
            vec![format!("We have looked at your account and leave it as it is. {}", consequence(case))]
        }
        (_, Step::Down) => {
            vec![format!("We have looked at your account and lifted what limited it. {}", consequence(case))]
        }
        (_, Step::Up) => vec![
            format!("We have looked at your account and had to limit it. {}", consequence(case)),
            "Please write to us to clear this up.".to_owned(),
        ],
    }
}
