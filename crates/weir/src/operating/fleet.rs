//! What all customers' mail does together, and pool by pool.

use serde_json::Value;

use super::open;
use crate::cli::operate::Asking;
use crate::rendering;

/// Shows the fleet.
pub(crate) async fn show(asking: Asking) -> anyhow::Result<()> {
    let (weir, output) = open(&asking)?;
    let answer: Value = weir.answer(weir.get("/v1/fleet")).await?;
    output.show(answer, rendering::fleet::page)
}

/// Shows the pools: the fleet's counts, pool by pool and window by window.
pub(crate) async fn pools(asking: Asking) -> anyhow::Result<()> {
    let (weir, output) = open(&asking)?;
    let answer: Value = weir.answer(weir.get("/v1/fleet")).await?;
    output.list(rendering::pools::of_fleet(&answer), rendering::pools::table)
}
