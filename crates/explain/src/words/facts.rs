//! The grounds of a decision, for operators: a sentence each.

use model::figures::count;
use model::{Blame, Cause, Decision, Evidence, Millis, Order, Phase, Test};
use policy::{Signal, Whole};

use super::figures::{above, capital, minute, percent, power, span};
use super::{Case, Step, Wording, figures, share};

/// Moves up within so long are counted together.
const REMEMBERED: Millis = Millis::days(30);

/// The grounds, in the order in which one would tell them.
pub(crate) fn grounds(case: &Case<'_>) -> Vec<String> {
    let mut facts = Vec::new();
    if let Some(evidence) = &case.decision.evidence {
        facts.push(figures_seen(evidence));
        if case.is_for_the_account() {
            facts.push(limit(case));
        }
        facts.push(test(case, evidence));
        if case.step() == Step::Up {
            facts.push(Wording::of(&evidence.signal).meaning.to_owned());
        }
        if case.step() == Step::Up && !case.is_for_the_account() {
            facts.push(rule(case));
        }
    }
    facts.extend(case.decision.blame.map(|blame| blamed_for(case, blame)));
    facts.extend(person(case));
    facts.extend(by_itself(case));
    facts.extend(changes(case.decision));
    facts.extend(repetition(case));
    facts
}

/// Where it stands on the log, and under which policy it was made.
pub(crate) fn record(decision: &Decision) -> String {
    let Decision { offset, policy, .. } = decision;
    format!("It was made at record {} of partition {}, by policy {policy}.", offset.offset, offset.partition)
}

fn figures_seen(evidence: &Evidence) -> String {
    let Wording { mails, name, .. } = Wording::of(&evidence.signal);
    let cohort = format!("sent from {} to before {}", minute(evidence.from), minute(evidence.until));
    let (share, rate) = (share(evidence), percent(evidence.rate.get()));
    format!("{}: {share} {mails} ({rate}), {cohort}.", capital(name))
}

fn test(case: &Case<'_>, evidence: &Evidence) -> String {
    let threshold = percent(evidence.threshold.get());
    if case.step() == Step::Down {
        let dwell = case.dwell(case.decision.from).map_or_else(|| "its dwell time".to_owned(), span);
        return format!(
            "That is below {threshold}, and of all rates that could hold the customer it is the nearest to its limit; all of \
             them had been below theirs for {dwell}."
        );
    }
    let (seen, needed) = (power(evidence.weight), power(evidence.needed));
    match evidence.test {
        Test::Bound => format!(
            "If the true rate were {threshold}, so many would happen by chance once in {seen} times; the rule moves at once \
             in {needed}. At that confidence the true rate is at least {}.",
            percent(evidence.bound.get())
        ),
        Test::Sequential => format!(
            "These mails, taken in the order in which they were sent, are {seen} times as likely from a sender well above \
             {threshold} (2 to 16 times as much) than from one with {threshold}; the rule moves at {needed} times.",
        ),
        Test::Budget => format!(
            "{} {customer}'s own {} are {} more than it allows for that many mails, and {customer} is among those that weigh \
             most: the fewest without whom the limit is kept.",
            together(case, evidence),
            share(evidence),
            above(evidence.weight),
            customer = case.decision.customer
        ),
    }
}

/// How far all mail together is above the limit, or that it will be.
fn together(case: &Case<'_>, evidence: &Evidence) -> String {
    let threshold = percent(evidence.threshold.get());
    if evidence.needed > 0.0 {
        let above = above(evidence.needed);
        return format!("All customers' mail there together has {above} bad events more than {threshold} allows.");
    }
    let ahead = case.limit().map(|limit| format!(" within {} h", limit.ahead_hours)).unwrap_or_default();
    format!(
        "All customers' mail there together is not above {threshold} yet, and will be{ahead} if every hour is like the last one."
    )
}

fn rule(case: &Case<'_>) -> String {
    match case.rule() {
        Some(rule) => format!(
            "The rule {} looks at {} over {} and leads to {}: in above {}, out below {}{}.",
            rule.name,
            Wording::of(rule.signal.name()).name,
            figures::over(rule.window),
            rule.stage,
            percent(rule.enter),
            percent(rule.exit),
            if case.phase() == Phase::Pilot { ", as a pilot customer" } else { "" }
        ),
        None => {
            format!("The policy at hand has no rule {}; the figures are those of the decision.", case.decision.rule)
        }
    }
}

/// The limit of the account that was crossed: over everybody's mail, and not a rule about one customer's.
fn limit(case: &Case<'_>) -> String {
    let Some(limit) = case.limit() else {
        return format!(
            "The policy at hand has no limit {}; the figures are those of the decision.",
            case.decision.rule
        );
    };
    let of = match limit.of {
        Whole::Account => "all mail of the account",
        Whole::Pool => "all mail from one pool",
        Whole::Provider => "all mail to one provider",
    };
    format!(
        "The limit {} keeps {} in {of} at or below {} over 24 hours, and leads those that weigh most to {}, at most {} at a time.",
        limit.name,
        Wording::of(limit.signal.name()).name,
        percent(limit.enter),
        limit.stage,
        count(limit.at_most, "customer", "customers")
    )
}

fn blamed_for(case: &Case<'_>, blame: Blame) -> String {
    let customer = &case.decision.customer;
    let signal = case.decision.evidence.as_ref().and_then(|evidence| Signal::named(&evidence.signal));
    match (blame, signal) {
        (Blame::Customer, Some(signal)) if signal.trouble().is_some() => format!(
            "The others' mail to the same providers and from the same pool fared well: it is laid to {customer}."
        ),
        (Blame::Customer, Some(signal)) => {
            let name = capital(Wording::of(signal.name()).name);
            format!("{name} are no provider's and no pool's fault: they are laid to {customer}.")
        }
        (Blame::Customer, None) => format!("It is laid to {customer}."),
        (blame, _) => format!("Whose fault it is: {}.", blamed(blame)),
    }
}

/// Whose fault something is.
pub(super) const fn blamed(blame: Blame) -> &'static str {
    match blame {
        Blame::Provider => "the others' mail to this provider went wrong too, whatever pool it left from",
        Blame::Pool => "the others' mail from this pool went wrong too, and that of other pools did not",
        Blame::Customer => "the others' mail did not go wrong",
        Blame::Account => "nobody's alone; the account altogether would cross a limit",
    }
}

/// Why it came about without a rule or a person.
fn by_itself(case: &Case<'_>) -> Option<String> {
    let is_own = matches!(case.decision.cause, Some(Cause::PilotPassed | Cause::PinEnds | Cause::PinEnded));
    let reason = case.decision.reason.as_deref().filter(|_| is_own)?;
    Some(format!("{}.", capital(reason)))
}

/// What changed of the customer beside its stage.
fn changes(decision: &Decision) -> Vec<String> {
    let phase = decision.phase.map(|phase| format!("Its phase goes from {} to {}.", phase.from, phase.to));
    let sending = decision.sending.map(|sending| format!("It could send {}, and now {}.", sending.from, sending.to));
    phase.into_iter().chain(sending).collect()
}

fn person(case: &Case<'_>) -> Vec<String> {
    let Some(command) = case.command() else { return Vec::new() };
    let by = case.decision.by.as_deref().unwrap_or("A person");
    let reason = format!("The reason given: {}", case.decision.reason.as_deref().unwrap_or("none was given"));
    let meant = match case.order {
        _ if case.decision.cause == Some(Cause::Refused) => "it was not followed".to_owned(),
        Some(Order::Hold { until: None }) => "leave the customer where it is until it is released".to_owned(),
        Some(Order::Hold { until: Some(until) }) => format!("leave the customer where it is until {}", minute(until)),
        Some(Order::Release { fully: true }) => "back to healthy, with windows that begin anew".to_owned(),
        Some(Order::Release { fully: false }) => {
            format!("one stage down to {}, on probation, with windows that begin anew", case.decision.to)
        }
        Some(Order::SetStage { stage }) => format!("put the customer to {stage} and hold it there"),
        Some(Order::Undo { since, .. }) if case.step() == Step::Stays => {
            format!(
                "take back what a rule did since {}; a person held the customer, or it was no stricter by then, so that it \
                 stays where it is",
                minute(since)
            )
        }
        Some(Order::Undo { stage, since }) => {
            format!("take back what a rule did since {}: back to {stage}, with windows that begin anew", minute(since))
        }
        Some(Order::Exempt { until }) => format!("no rule moves the customer up until {}", minute(until)),
        Some(Order::SetPhase { phase }) => {
            format!("put the customer into the phase {phase}")
        }
        Some(Order::Register { .. }) => "let the customer begin".to_owned(),
        Some(Order::Note) => "only to be read in the customer's history".to_owned(),
        None => return vec![format!("{by} gave the command `{command}`."), reason],
    };
    vec![format!("{by} gave the command `{command}`: {meant}."), reason]
}

/// How often it came to this before.
fn repetition(case: &Case<'_>) -> Option<String> {
    let decision = case.decision;
    let is_rise = |earlier: &&Decision| {
        earlier.evidence.is_some() && earlier.to > earlier.from && earlier.at >= decision.at - REMEMBERED
    };
    let before = case.history.iter().filter(is_rise).count();
    let is_repeated = case.step() == Step::Up && decision.evidence.is_some() && before > 0;
    is_repeated.then(|| {
        let times = match before {
            1 => "once".to_owned(),
            2 => "twice".to_owned(),
            more => format!("{more} times"),
        };
        format!("Rules had moved {} up {times} in the {} before.", decision.customer, span(REMEMBERED))
    })
}
