//! Events to measure with, as the simulated platform makes them.

use std::sync::Arc;

use anyhow::Context;
use bytes::Bytes;
use log::{Headers, Record, RecordKind, Stored};
use model::{Offset, PartitionId, Position, Timestamp};
use sendgrid::webhook::WebhookEvent;
use simulator::platform::{Gate, Platform, Scenario};

/// When the simulated hours begin.
pub(crate) const START: Timestamp = Timestamp::from_seconds(1_790_000_000);

/// Raw events of a platform's hour, about three for each of `mails`, in the order of their arrival.
pub(crate) fn raw(customers: usize, mails: usize) -> Vec<String> {
    let scenario = Scenario { customers, good_mails: mails, ..Scenario::hour(1, START) };
    let mut platform = Platform::new(&scenario);
    let until = START + model::Millis::days(2);
    let arrivals = platform.advance(until, &mut |_| Gate::Send(Some("good-1".into())));
    arrivals.into_iter().map(|arrival| arrival.event).collect()
}

/// The records that a receiver makes of these events, in one partition.
pub(crate) fn records(raw: &[String]) -> anyhow::Result<Vec<Stored>> {
    let headers: Headers = Arc::new([(Box::from("source"), Bytes::from_static(b"bench"))]);
    let mut stored = Vec::with_capacity(raw.len());
    for (offset, event) in (0..).zip(raw) {
        let parsed = WebhookEvent::parse(event.as_bytes()).context("the simulator makes events")?;
        let customer = parsed.arg("customer_id").unwrap_or("unattributed:bench".into());
        let record = Record {
            kind: RecordKind::Event,
            at: parsed.timestamp,
            key: Bytes::from(customer.into_owned()),
            headers: Arc::clone(&headers),
            value: Bytes::from(event.clone()),
        };
        let position = Position { partition: PartitionId::new(0), offset: Offset::new(offset) };
        stored.push(Stored { position, record });
    }
    Ok(stored)
}
