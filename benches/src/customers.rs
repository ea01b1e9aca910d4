//! What a customer costs: memory, disk, and whether many customers make an event dearer.
//!
//! A million events go before the measurement, each customer's first among them. Then a million are spread over the
//! customers by Zipf's law, as sizes are in life, and a million evenly, which is the hardest for every cache.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use log::{Headers, Record, RecordKind, Stored};
use model::{Offset, PartitionId, Position, Timestamp};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use scorer::PartitionTask;
use scorer::store::{Budget, RocksStore};

use crate::events::START;
use crate::fold::{POLL, fold_all, open};
use crate::timing::{count, timed};

const NUMBERS: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];
const EVENTS: usize = 1_000_000;
/// Enough for everyone: what is measured is the cost of customers, not of a small cache.
const BUDGET: Budget = Budget { customers: 2_000_000, digests: 16_000_000, write_buffer: 64 << 20 };

pub(crate) fn run() -> anyhow::Result<Vec<Vec<String>>> {
    let head = [
        "customers",
        "first event, µs",
        "event by Zipf, µs",
        "against 1,000",
        "event evenly, µs",
        "against 1,000",
        "memory/customer",
        "at rest/customer",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let mut least: Option<(f64, f64)> = None;
    for customers in NUMBERS {
        let cost = measure(customers)?;
        let (zipf, even) = (cost.zipf, cost.even);
        let (zipf_least, even_least) = *least.get_or_insert((zipf, even));
        rows.push(vec![
            customers.to_string(),
            format!("{:.2}", cost.first),
            format!("{zipf:.2}"),
            format!("{:.2}", zipf / zipf_least),
            format!("{even:.2}"),
            format!("{:.2}", even / even_least),
            format!("{:.0} B", cost.memory),
            format!("{:.0} B", cost.rest),
        ]);
    }
    Ok(rows)
}

/// Microseconds an event, bytes a customer.
struct Cost {
    first: f64,
    zipf: f64,
    even: f64,
    memory: f64,
    rest: f64,
}

fn measure(customers: usize) -> anyhow::Result<Cost> {
    let folder = tempfile::tempdir()?;
    let before = resident();
    let (mut task, log) = open(folder.path(), BUDGET)?;
    let mut source = Source { rng: ChaCha8Rng::seed_from_u64(1), next: 0, headers: Arc::new([]) };
    let first = source.fold(&mut task, customers, &mut |_, number| number)?;
    // As many events before the measurement whatever the number of customers: what they leave behind is the same.
    source.fold(&mut task, EVENTS - customers, &mut |_, number| number % customers)?;
    let memory = (resident() - before).max(0.0);
    let harmonic = count(customers).ln();
    let zipf = source.fold(&mut task, EVENTS, &mut |rng, _| {
        // The inverse of Zipf's distribution with exponent 1, continuous.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 1 and the number of customers"
        )]
        let rank = (rng.random_range(0.0..1.0) * harmonic).exp() as usize;
        rank.min(customers) - 1
    })?;
    let even = source.fold(&mut task, EVENTS, &mut |rng, _| rng.random_range(0..customers))?;
    drop((task, log));
    let opened = RocksStore::open(&folder.path().join("state"), PartitionId::new(0), BUDGET)?;
    let (bytes, number) = opened.store.size_at_rest()?;
    let per_event = |time: Duration, events: usize| time.as_secs_f64() * 1e6 / count(events);
    Ok(Cost {
        first: per_event(first, customers),
        zipf: per_event(zipf, EVENTS),
        even: per_event(even, EVENTS),
        memory: memory / count(customers),
        rest: count(usize::try_from(bytes)?) / count(usize::try_from(number)?.max(1)),
    })
}

/// Makes events one after the other, each a new one.
struct Source {
    rng: ChaCha8Rng,
    next: usize,
    headers: Headers,
}

impl Source {
    /// Folds `events` events of the customers that `whose` chooses; the time of the folding alone.
    fn fold(
        &mut self,
        task: &mut PartitionTask,
        events: usize,
        whose: &mut dyn FnMut(&mut ChaCha8Rng, usize) -> usize,
    ) -> anyhow::Result<Duration> {
        // Several polls at once, so that the commits come as they do in life.
        const AT_ONCE: usize = 250 * POLL;
        let (mut time, mut made) = (Duration::ZERO, 0);
        while made < events {
            let number = AT_ONCE.min(events - made);
            let records: Vec<_> = (made..made + number)
                .map(|number| {
                    let customer = whose(&mut self.rng, number);
                    self.record(customer)
                })
                .collect();
            let (folded, took) = timed(|| fold_all(task, &records));
            folded?;
            time += took;
            made += number;
        }
        Ok(time)
    }

    fn record(&mut self, customer: usize) -> Stored {
        let number = self.next;
        self.next += 1;
        let kind = ["processed", "delivered", "open"][number % 3];
        let domain = ["gmail.com", "outlook.com", "yahoo.com"][self.rng.random_range(0..3)];
        // Half a millisecond apart, so that a run spans some buckets.
        let at = START.seconds() + i64::try_from(number / 2_000).unwrap_or(0);
        let event = format!(
            r#"{{"email":"p{number}@{domain}","event":"{kind}","timestamp":{at},"sg_event_id":"id-{number}","sg_message_id":"{number}.recvd-5f54b5d587-pczjm-1-{at:08X}-6.0","smtp-id":"<{number}@geopod>","category":"newsletter","customer_id":"customer-{customer}"}}"#
        );
        let offset = Offset::new(u64::try_from(number).unwrap_or(u64::MAX));
        let record = Record {
            kind: RecordKind::Event,
            at: Timestamp::from_seconds(at),
            key: Bytes::from(format!("customer-{customer}")),
            headers: Arc::clone(&self.headers),
            value: Bytes::from(event),
        };
        Stored { position: Position { partition: PartitionId::new(0), offset }, record }
    }
}

/// Bytes of this process in memory, as the kernel counts them.
pub(crate) fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|number| number.trim().parse().ok());
    kilobytes.unwrap_or(0.0) * 1_024.0
}
