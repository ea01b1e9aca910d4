//! `weir connect --check`: do the test events of what is connected arrive?

use std::process::ExitCode;

use sendgrid::api::Id;

use super::arrival::Arrival;
use super::receipt::{Receipt, WebhookRecord};
use super::testing::{self, Listener, Probe};
use super::{Standing, refuse_without, words};
use crate::cli::connect::ConnectOptions;
use crate::cli::print;
use crate::config::ConfiguredSource;

/// Has test events sent for everything in the receipt, and waits for them.
pub(super) async fn check(standing: Standing, options: &ConnectOptions) -> anyhow::Result<ExitCode> {
    let Standing { settings, client, places, mut receipt, scopes } = standing;
    let probes = probes(&receipt, &settings.sources);
    anyhow::ensure!(!probes.is_empty(), "nothing is connected: run `weir connect --url https://…` first");
    refuse_without(&scopes, ["user.webhooks.event.test.create"], &settings.key_env)?;
    let listener = Listener::find(settings.receiver.listen, settings.admin, options.to.as_deref()).await?;
    if options.dry_run {
        print(&format!("To do:\n  1. have SendGrid send {}, and wait", words::test_events(probes.len())));
        return Ok(ExitCode::SUCCESS);
    }
    let wait = options.longest_wait();
    let arrivals = testing::test(&client, (listener, settings.receiver), &probes, wait).await?;
    for (probe, arrival) in probes.iter().zip(&arrivals) {
        if let Some(record) = receipt.posting_to(&probe.user, &probe.url) {
            record.arrived = *arrival == Arrival::Verified;
        }
    }
    receipt.save(&places.receipt)?;
    Ok(tell(&probes, &arrivals))
}

/// Those of the receipt that are whole, with the keys that are configured.
fn probes(receipt: &Receipt, sources: &[ConfiguredSource]) -> Vec<Probe> {
    let keys = |name: &str| sources.iter().find(|source| source.name == name).map(|source| source.keys.clone());
    let probe = |record: &WebhookRecord| {
        let (user, source, url) = (record.user(), record.source.clone(), record.url.clone());
        Some(Probe { user, id: Id::new(record.id.clone()?), keys: keys(&source)?, source, url })
    };
    receipt.webhooks.iter().filter_map(probe).collect()
}

/// Says what arrived and what did not.
pub(super) fn tell(probes: &[Probe], arrivals: &[Arrival]) -> ExitCode {
    let mut missing = 0_usize;
    for (probe, arrival) in probes.iter().zip(arrivals) {
        let Probe { user, source, url, .. } = probe;
        match arrival {
            Arrival::Verified => print(&format!("arrived: the test event of {user}, at source {source:?}, signed")),
            Arrival::Missing(why) => {
                missing += 1;
                print(&format!("NOT arrived: the test event of {user}, posted to {url}: {why}"));
            }
        }
    }
    if missing == 0 {
        print("Connected: every webhook's signed POSTs arrive.");
        return ExitCode::SUCCESS;
    }
    print(
        "What was done stays, and SendGrid posts again for 24 hours what was not taken. Once that is mended, run `weir connect \
         --check`; to undo it all, `weir disconnect`.",
    );
    ExitCode::FAILURE
}
