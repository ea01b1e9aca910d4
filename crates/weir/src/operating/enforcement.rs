//! How enforcement is, the switch, approvals, and taking a rule back.

use serde::Deserialize;
use serde_json::{Value, json};

use super::steering::sign;
use super::{cursor, open, read};
use crate::cli::operate::{AnswerOptions, Asking, EnforceCommand, SwitchOptions, UndoOptions};
use crate::rendering::enforcement::{self as shown, Status};
use crate::rendering::printable_text;
use crate::running_weir::RunningWeir;

/// Customers that one step of an undo takes back.
const STEP: usize = 100;

/// Answers `weir enforce`.
pub(crate) async fn enforce(command: EnforceCommand) -> anyhow::Result<()> {
    match command {
        EnforceCommand::Status(asking) => status(asking).await,
        EnforceCommand::Pause(options) => switch(options, "pause", "Enforcement is paused").await,
        EnforceCommand::Resume(options) => switch(options, "resume", "Enforcement goes on").await,
    }
}

async fn switch(SwitchOptions { author, asking }: SwitchOptions, path: &str, done: &str) -> anyhow::Result<()> {
    let (weir, output) = open(&asking)?;
    let mut wish = json!({});
    sign(&mut wish, &author);
    let answer: Value = weir.answer(weir.post_to(&["v1", "enforcer", path])?.json(&wish)).await?;
    output.show(answer, |_: &Value, _| {
        let by = author.by.as_ref().map(|by| format!(", by {}", printable_text(by))).unwrap_or_default();
        format!("{done}{by}: {}.", printable_text(&author.reason))
    })
}

/// Why nothing is changed at SendGrid just now, in words; nothing where that can't be told: what was asked for is done all the same.
pub(super) async fn stopped_by(weir: &RunningWeir) -> Option<String> {
    let status: Value = weir.answer(weir.get("/v1/enforcer")).await.ok()?;
    read::<Status>(status).ok()?.stopped_by()
}

#[derive(Deserialize)]
struct Held {
    held_back: Vec<Value>,
    next: Option<Value>,
}

async fn status(asking: Asking) -> anyhow::Result<()> {
    let (weir, output) = open(&asking)?;
    let mut status: Value = weir.answer(weir.get("/v1/enforcer")).await?;
    let (mut held, mut after) = (Vec::new(), None);
    loop {
        let request = weir.get("/v1/enforcer/held").query(&after.map(|after| ("after", after)).as_slice());
        let mut page: Held = weir.answer(request).await?;
        held.append(&mut page.held_back);
        after = cursor(page.next);
        if after.is_none() {
            break;
        }
    }
    status["held"] = Value::Array(held);
    output.show(status, shown::status)
}

#[derive(Deserialize)]
struct Approvals {
    approvals: Vec<Value>,
}

/// Lists what waits for a person.
pub(crate) async fn approvals(asking: Asking) -> anyhow::Result<()> {
    let (weir, output) = open(&asking)?;
    let Approvals { approvals } = weir.answer(weir.get("/v1/approvals")).await?;
    output.list(approvals, shown::approvals)
}

/// What was answered.
#[derive(Deserialize)]
struct Answered {
    stage: model::Stage,
    decision: String,
}

/// Approves or rejects what waits about a customer.
pub(crate) async fn answer(options: AnswerOptions, is_approved: bool) -> anyhow::Result<()> {
    let AnswerOptions { customer, decision, author, asking } = options;
    let (weir, output) = open(&asking)?;
    let verdict = if is_approved { "approve" } else { "reject" };
    let mut word = json!({ "answer": verdict, "decision": decision });
    sign(&mut word, &author);
    let answer: Value = weir.answer(weir.post_to(&["v1", "approvals", &customer])?.json(&word)).await?;
    let stopped = if asking.json || !is_approved { None } else { stopped_by(&weir).await };
    output.show(answer, |Answered { stage, decision }: &Answered, _| {
        let customer = printable_text(&customer);
        if !is_approved {
            return format!("{customer}: rejected, and left as it is.\n  not to {stage}, decision {decision}");
        }
        let so_far = stopped.map_or_else(|| ", and carried out now".to_owned(), |why| format!("; {why}"));
        format!("{customer}: approved{so_far}.\n  to {stage}, decision {decision}")
    })
}

/// A step of an undo.
#[derive(Deserialize)]
struct Step {
    undone: Vec<Value>,
    pending: Vec<Pending>,
    left: usize,
    held: Vec<Value>,
    moved_on: Vec<Value>,
}

#[derive(Deserialize)]
struct Pending {
    customer: String,
}

/// Takes back what a rule decided, step by step.
pub(crate) async fn undo(options: UndoOptions) -> anyhow::Result<()> {
    let UndoOptions { rule, since, dry_run, author, asking } = options;
    let (weir, output) = open(&asking)?;
    let mut wish = json!({ "rule": rule, "since": since, "limit": STEP, "dry_run": dry_run });
    sign(&mut wish, &author);
    let mut undone = Vec::new();
    loop {
        let mut step: Step = weir.answer(weir.post_to(&["v1", "undo"])?.json(&wish)).await?;
        undone.append(&mut step.undone);
        check_that_they_go(&step.pending, undone.len())?;
        if dry_run || step.left == 0 {
            let is_any = !undone.is_empty();
            let Step { held, moved_on, .. } = step;
            let stopped = if asking.json || !is_any { None } else { stopped_by(&weir).await };
            let whole = json!({ "dry_run": dry_run, "undone": undone, "held": held, "moved_on": moved_on });
            return output.show(whole, |whole, _| {
                let done = if dry_run { "would go back" } else { "went back" };
                let note = stopped.map(|why| format!("Note: {why}.\n")).unwrap_or_default();
                shown::undone(whole, done) + &note
            });
        }
    }
}

/// Those who were told to go back are seen to do it, or else it ends here.
fn check_that_they_go(pending: &[Pending], sum: usize) -> anyhow::Result<()> {
    let names: Vec<_> = pending.iter().map(|back| printable_text(&back.customer)).collect();
    anyhow::ensure!(
        names.is_empty(),
        "{} customers were told to go back and are not seen to be yet ({}): does their scorer run? {sum} are back; the same \
         command goes on",
        names.len(),
        names.join(", ")
    );
    Ok(())
}
