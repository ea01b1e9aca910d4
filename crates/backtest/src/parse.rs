//! From pieces of text to events that can be handed from thread to thread.

use std::ops::Range;

use log::{PartitionCount, partition_of};
use model::{Counter, CustomerId, Digest, Event, EventKind, PartitionId, Provider, Timestamp};
use sendgrid::webhook::{CustomerRule, WebhookEvent};

use crate::lines::Block;

/// Whose events are those that name no customer.
const NOBODY: &str = "backtest";
/// Faults that are told of one block.
const FAULTS_TOLD: usize = 10;
/// How much of a reason is told: a parser's own words may quote what it found.
const REASON_CHARACTERS: usize = 160;

/// How events become a customer's and a partition's.
#[derive(Debug)]
pub(crate) struct Parser {
    customer: CustomerRule,
    partitions: PartitionCount,
    nobody: CustomerId,
}

/// An event, as it arrived.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) customer: CustomerId,
    pub(crate) partition: PartitionId,
    pub(crate) at: Timestamp,
    /// When it arrived, as far as the events themselves tell.
    pub(crate) appended: Timestamp,
    kind: EventKind,
    facet: Option<Counter>,
    sent_at: Option<Timestamp>,
    accepted_at: Option<Timestamp>,
    send_at: Option<Timestamp>,
    provider: Provider,
    pool: Option<Range<usize>>,
    id: Range<usize>,
    digests: [Digest; 2],
}

/// A piece of text that is no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) recording: usize,
    pub(crate) line: usize,
    pub(crate) reason: String,
}

/// The events of one block, in their order.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    pub(crate) arrivals: Vec<Arrival>,
    /// Ids and pools, one behind the other: one allocation for a block instead of two for an event.
    texts: String,
    /// How many pieces are no events.
    pub(crate) faulty: usize,
    /// The first of them.
    pub(crate) faults: Vec<Fault>,
}

impl Parser {
    pub(crate) fn new(customer: CustomerRule, partitions: PartitionCount) -> Self {
        Self { customer, partitions, nobody: CustomerId::unattributed(NOBODY) }
    }

    /// The events of a block.
    pub(crate) fn parse(&self, block: &Block) -> Parsed {
        let mut parsed = Parsed::default();
        for piece in &block.pieces {
            let fault = |reason| Fault { recording: block.recording, line: piece.line, reason };
            match (piece.damage, block.text.get(piece.range.clone())) {
                (None, Some(element)) => self.element(element, &mut parsed, &fault),
                (Some(damage), _) => parsed.leave_out(fault(damage.to_string())),
                (None, None) => {}
            }
        }
        parsed
    }

    fn element(&self, text: &[u8], parsed: &mut Parsed, fault: &impl Fn(String) -> Fault) {
        match WebhookEvent::parse(text) {
            Ok(event) => {
                let named = self.customer.customer(&event).and_then(|name| CustomerId::new(&name).ok());
                let customer = named.unwrap_or_else(|| self.nobody.clone());
                let partition = partition_of(customer.as_str().as_bytes(), self.partitions);
                parsed.take(customer, partition, &event.to_event());
            }
            Err(error) => parsed.leave_out(fault(error.to_string().chars().take(REASON_CHARACTERS).collect())),
        }
    }
}

impl Parsed {
    fn take(&mut self, customer: CustomerId, partition: PartitionId, event: &Event<'_>) {
        let arrival = Arrival {
            customer,
            partition,
            at: event.at,
            appended: event.at,
            kind: event.kind,
            facet: event.facet,
            sent_at: event.sent_at,
            accepted_at: event.accepted_at,
            send_at: event.send_at,
            provider: event.provider,
            pool: event.pool.map(|pool| self.keep(pool)),
            id: self.keep(event.id),
            digests: [event.id_digest, event.content_digest],
        };
        self.arrivals.push(arrival);
    }

    fn keep(&mut self, text: &str) -> Range<usize> {
        let start = self.texts.len();
        self.texts.push_str(text);
        start..self.texts.len()
    }

    fn leave_out(&mut self, fault: Fault) {
        self.faulty += 1;
        if self.faults.len() < FAULTS_TOLD {
            self.faults.push(fault);
        }
    }

    /// The event of an arrival of this block.
    pub(crate) fn event(&self, arrival: &Arrival) -> Event<'_> {
        let [id_digest, content_digest] = arrival.digests;
        Event {
            kind: arrival.kind,
            facet: arrival.facet,
            at: arrival.at,
            sent_at: arrival.sent_at,
            accepted_at: arrival.accepted_at,
            send_at: arrival.send_at,
            provider: arrival.provider,
            pool: arrival.pool.clone().and_then(|pool| self.texts.get(pool)),
            id: self.texts.get(arrival.id.clone()).unwrap_or_default(),
            id_digest,
            content_digest,
        }
    }
}
