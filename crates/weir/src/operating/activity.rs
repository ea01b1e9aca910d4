//! Activity.
use crate::cli::see::ActivityOptions;
pub(crate) async fn show(_: ActivityOptions) -> anyhow::Result<()> { Ok(()) }
