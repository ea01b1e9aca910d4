//! What an operator asks of a Weir that runs, by its API: how enforcement is, the switch, approvals, taking a rule back.

use std::collections::BTreeMap;

use model::{CaseView, EnforcerModes, HeldWhy, Stage, Switch, Timestamp};
use serde::Deserialize;
use serde_json::json;

use crate::cli::operate::{AnswerOptions, Author, EnforceCommand, SwitchOptions, UndoOptions, Where};
use crate::cli::print;
use crate::running_weir::RunningWeir;

/// Customers that one step of an undo takes back.
const STEP: usize = 100;

#[derive(Deserialize)]
struct Status {
    modes: Option<EnforcerModes>,
    paused: bool,
    switch: Option<Switch>,
    breaker: Option<model::Broken>,
    missing_scopes: BTreeMap<String, Vec<String>>,
    held_back: BTreeMap<HeldWhy, usize>,
    in_force: usize,
}

impl Status {
    /// Why nothing is changed at SendGrid just now, in words.
    fn stopped_by(&self) -> Option<String> {
        let switch = self.switch.as_ref().filter(|switch| switch.paused);
        let pause = switch.map(|Switch { by, reason, .. }| {
            format!("{by} has paused enforcement ({reason}): SendGrid is not changed until it is resumed")
        });
        let broken = || {
            self.breaker
                .as_ref()
                .map(|broken| format!("SendGrid fails just now ({}): it is done once it answers", broken.reason))
        };
        pause.or_else(broken)
    }
}

#[derive(Deserialize)]
struct Held {
    held_back: Vec<CaseView>,
    next: Option<usize>,
}

/// Answers `weir enforce`.
pub(crate) async fn enforce(command: EnforceCommand) -> anyhow::Result<()> {
    match command {
        EnforceCommand::Status(at) => status(&RunningWeir::named(at)?).await,
        EnforceCommand::Pause(options) => switch(options, "pause", "Enforcement is paused").await,
        EnforceCommand::Resume(options) => switch(options, "resume", "Enforcement goes on").await,
    }
}

async fn switch(SwitchOptions { author, at }: SwitchOptions, path: &str, done: &str) -> anyhow::Result<()> {
    let weir = RunningWeir::named(at)?;
    let Author { by, reason } = author;
    let request = weir.post_to(&["v1", "enforcer", path])?.json(&json!({ "by": by, "reason": reason }));
    let _accepted: serde_json::Value = weir.answer(request).await?;
    print(&format!("{done}, by {by}: {reason}."));
    Ok(())
}

async fn status(weir: &RunningWeir) -> anyhow::Result<()> {
    let status: Status = weir.answer(weir.get("/v1/enforcer")).await?;
    let mut text = match &status.modes {
        Some(modes) => format!("mode: {modes}\n"),
        None => "No enforcer has told how it is: does one run?\n".to_owned(),
    };
    if let Some(Switch { by, reason, at, .. }) = &status.switch {
        let state = if status.paused { "PAUSED" } else { "resumed" };
        text += &format!("{state} by {by} at {at}: {reason}\n");
    }
    if let Some(broken) = &status.breaker {
        text += &format!("SendGrid fails since {}: {}\n", broken.since, broken.reason);
    }
    for (use_, scopes) in &status.missing_scopes {
        text += &format!("the API key lacks for {use_}: {}\n", scopes.join(", "));
    }
    text += &format!("{} customers are where Weir has put them\n", status.in_force);
    for (why, customers) in &status.held_back {
        text += &format!("held back for {}: {customers}\n", why.name());
    }
    print(&text);
    let mut next = Some(0);
    while let Some(after) = next {
        let request = weir.get("/v1/enforcer/held").query(&[("after", after)]);
        let page: Held = weir.answer(request).await?;
        page.held_back.iter().filter_map(|case| Some((case, case.held.as_ref()?))).for_each(|(case, held)| {
            print(&format!("  {} ({}), since {}: {}", case.customer, case.stage, held.since, held.reason));
        });
        next = page.next;
    }
    Ok(())
}

#[derive(Deserialize)]
struct Approvals {
    approvals: Vec<Approval>,
}

#[derive(Deserialize)]
struct Approval {
    customer: String,
    stage: Stage,
    decision: String,
    finding: Option<String>,
    sent_24h: u32,
    expires: Option<Timestamp>,
}

/// Lists what waits for a person.
pub(crate) async fn approvals(at: Where) -> anyhow::Result<()> {
    let weir = RunningWeir::named(at)?;
    let Approvals { approvals } = weir.answer(weir.get("/v1/approvals")).await?;
    if approvals.is_empty() {
        print("Nothing awaits approval.");
    }
    for Approval { customer, stage, decision, finding, sent_24h, expires } in approvals {
        let expires = expires.map(|expires| format!("; expires {expires}")).unwrap_or_default();
        let finding = finding.unwrap_or_default();
        print(&format!(
            "{customer}: to {stage}; {sent_24h} mails in 24 h{expires}\n  {finding}\n  decision {decision}"
        ));
    }
    Ok(())
}

/// Approves or rejects what waits about a customer.
pub(crate) async fn answer(options: AnswerOptions, is_approved: bool) -> anyhow::Result<()> {
    let AnswerOptions { customer, decision, author: Author { by, reason }, at } = options;
    let weir = RunningWeir::named(at)?;
    let verdict = if is_approved { "approve" } else { "reject" };
    let word = json!({ "answer": verdict, "decision": decision, "by": by, "reason": reason });
    let request = weir.post_to(&["v1", "approvals", &customer])?.json(&word);
    let Answered { stage, decision } = weir.answer(request).await?;
    if is_approved {
        let status: Status = weir.answer(weir.get("/v1/enforcer")).await?;
        let so_far = status.stopped_by().map_or_else(|| ", and carried out now".to_owned(), |why| format!("; {why}"));
        print(&format!("{customer}: approved{so_far}.\n  to {stage}, decision {decision}"));
    } else {
        print(&format!("{customer}: rejected, and left as it is.\n  not to {stage}, decision {decision}"));
    }
    Ok(())
}

/// What was answered.
#[derive(Deserialize)]
struct Answered {
    stage: Stage,
    decision: String,
}

#[derive(Deserialize)]
struct Undone {
    undone: Vec<Back>,
    pending: Vec<Back>,
    left: usize,
    held: Vec<String>,
    moved_on: Vec<String>,
}

#[derive(Deserialize)]
struct Back {
    customer: String,
    from: Stage,
    to: Stage,
}

/// Takes back what a rule decided, step by step.
pub(crate) async fn undo(options: UndoOptions) -> anyhow::Result<()> {
    let UndoOptions { rule, since, dry_run, author: Author { by, reason }, at } = options;
    let weir = RunningWeir::named(at)?;
    let wish = json!({
        "rule": rule, "since": since, "by": by, "reason": reason, "limit": STEP, "dry_run": dry_run,
    });
    let mut sum = 0;
    loop {
        let step: Undone = weir.answer(weir.post_to(&["v1", "undo"])?.json(&wish)).await?;
        for Back { customer, from, to } in &step.undone {
            print(&format!("{customer}: {from} -> {to}"));
        }
        sum += step.undone.len();
        if !step.pending.is_empty() {
            let names: Vec<_> = step.pending.iter().map(|back| back.customer.as_str()).collect();
            anyhow::bail!(
                "{} customers were told to go back and are not seen to be yet ({}): does their scorer run? {sum} are back; the \
                 same command goes on",
                names.len(),
                names.join(", ")
            );
        }
        if dry_run || step.left == 0 {
            tell_left_alone(&step);
            let done = if dry_run { "would go back" } else { "went back" };
            print(&format!("{sum} customers {done}."));
            let status: Status = weir.answer(weir.get("/v1/enforcer")).await?;
            if let Some(why) = status.stopped_by().filter(|_| sum > 0) {
                print(&format!("Note: {why}."));
            }
            return Ok(());
        }
    }
}

fn tell_left_alone(step: &Undone) {
    for customer in &step.held {
        print(&format!("{customer}: a person holds it where it is; release it by hand"));
    }
    for customer in &step.moved_on {
        print(&format!(
            "{customer}: another rule has moved it further up since; take that one back, or release it by hand"
        ));
    }
}
