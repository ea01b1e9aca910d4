//! A person's orders about a customer.

use model::Order;
use serde_json::{Value, json};

use super::open;
use crate::cli::operate::Author;
use crate::cli::steer::{ExemptOptions, HoldOptions, PhaseOptions, ReleaseOptions, SetStageOptions, SteerOptions};
use crate::rendering::{moment, printable_text};

/// Leaves a customer where it is.
pub(crate) async fn hold(options: HoldOptions) -> anyhow::Result<()> {
    let HoldOptions { steer: options, until } = options;
    let end = until.map_or_else(|| "it is released".to_owned(), moment);
    let told = format!("is left where it is until {end}");
    steer(options, Order::Hold { until }, &told).await
}

/// Takes a customer one stage down, or puts it back to healthy.
pub(crate) async fn release(options: ReleaseOptions) -> anyhow::Result<()> {
    let ReleaseOptions { steer: options, fully } = options;
    let told = if fully { "goes back to healthy" } else { "goes one stage down" };
    steer(options, Order::Release { fully }, told).await
}

/// Puts a customer into another phase of its life.
pub(crate) async fn phase(options: PhaseOptions) -> anyhow::Result<()> {
    let PhaseOptions { steer: options, phase } = options;
    let told = format!("goes into the phase {phase}");
    steer(options, Order::SetPhase { phase }, &told).await
}

/// Writes something into a customer's history.
pub(crate) async fn note(options: SteerOptions) -> anyhow::Result<()> {
    steer(options, Order::Note, "has it in its history").await
}

/// Puts a customer to a stage.
pub(crate) async fn set_stage(options: SetStageOptions) -> anyhow::Result<()> {
    let SetStageOptions { steer: options, stage } = options;
    let told = format!("goes to {stage}, and is held there");
    steer(options, Order::SetStage { stage }, &told).await
}

/// Lets no rule move a customer up for a time.
pub(crate) async fn exempt(options: ExemptOptions) -> anyhow::Result<()> {
    let ExemptOptions { steer: options, until } = options;
    let told = format!("is moved up by no rule until {}", moment(until));
    steer(options, Order::Exempt { until }, &told).await
}

async fn steer(options: SteerOptions, order: Order, told: &str) -> anyhow::Result<()> {
    let SteerOptions { customer, author, asking } = options;
    let (weir, output) = open(&asking)?;
    let mut wish = serde_json::to_value(order)?;
    sign(&mut wish, &author);
    let request = weir.post_to(&["v1", "customers", &customer, "commands"])?.json(&wish);
    let answer: Value = weir.answer(request).await?;
    let stopped = if asking.json { None } else { super::enforcement::stopped_by(&weir).await };
    output.show(answer, |_: &Value, _| {
        let note = stopped.filter(|_| order != Order::Note).map(|why| format!("Note: {why}.\n")).unwrap_or_default();
        format!("{} {told}: {}\n{note}", printable_text(&customer), printable_text(&author.reason))
    })
}

/// Writes the author into what is asked: a token's owner need not be named again.
pub(super) fn sign(wish: &mut Value, Author { by, reason }: &Author) {
    wish["reason"] = json!(reason);
    if let Some(by) = by {
        wish["by"] = json!(by);
    }
}
