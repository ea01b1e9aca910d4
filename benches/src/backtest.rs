//! A backtest, from a file's bytes to decisions, against parsing the same lines on one thread and nothing else.

use std::io::Cursor;
use std::sync::Arc;

use anyhow::Context;
use backtest::{Candidate, Reading, Recording, over_recordings};
use policy::Policy;
use sendgrid::webhook::WebhookEvent;

use crate::events;
use crate::timing::{median, rate, ratio, timed};

const ROUNDS: usize = 5;
/// What an event of a platform with some custom arguments and categories takes.
const EVENT_BYTES: usize = 700;

pub(crate) fn run() -> anyhow::Result<Vec<Vec<String>>> {
    let events = events::raw(1_000, 100_000);
    let lines = lines(&events);
    let packed = zstd::encode_all(Cursor::new(&lines), 3).context("packing the events")?;
    let (mut floors, mut ones, mut twos, mut unpacked) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        floors.push(timed(|| parse_all(&lines)).1);
        for (times, policies, bytes) in [(&mut ones, 1, &lines), (&mut twos, 2, &lines), (&mut unpacked, 1, &packed)] {
            let (candidates, recording) =
                (candidates(policies)?, Recording::reader("bench", Cursor::new(bytes.clone())));
            let (outcome, time) = timed(|| over_recordings(&candidates, vec![recording], &Reading::default()));
            anyhow::ensure!(outcome?.read.faulty == 0, "the simulator makes events");
            times.push(time);
        }
    }
    let row = |name: &str, times: &[_], wanted| {
        let figure = format!("{:.0}", rate(events.len(), median(times.to_vec())));
        vec![name.to_owned(), figure, wanted]
    };
    Ok(vec![
        vec![
            format!("{} events of {EVENT_BYTES} bytes", events.len()),
            "events/s".to_owned(),
            "of the floor".to_owned(),
        ],
        row("floor: parse, on one thread", &floors, String::new()),
        row("one policy", &ones, ratio(&floors, &ones, 0.5)),
        row("two policies", &twos, ratio(&floors, &twos, 0.35)),
        row("one policy, zstd", &unpacked, ratio(&floors, &unpacked, 0.45)),
    ])
}

fn candidates(policies: usize) -> anyhow::Result<Vec<Candidate>> {
    let policy = Arc::new(Policy::parse(policy::DEFAULT)?);
    let candidate = |number: usize| Candidate { name: number.to_string(), policy: Arc::clone(&policy) };
    Ok((0..policies).map(candidate).collect())
}

/// One event a line, each filled up to [`EVENT_BYTES`] with a custom argument.
fn lines(events: &[String]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(events.len() * (EVENT_BYTES + 1));
    for event in events {
        let open = event.strip_suffix('}').unwrap_or(event);
        let filling = "x".repeat(EVENT_BYTES.saturating_sub(event.len() + r#","note":"""#.len()));
        lines.extend(format!("{open},\"note\":\"{filling}\"}}\n").into_bytes());
    }
    lines
}

fn parse_all(lines: &[u8]) -> usize {
    let parsed = lines.split(|byte| *byte == b'\n').filter_map(|line| WebhookEvent::parse(line).ok());
    parsed.map(|event| std::hint::black_box(event.to_event()).id.len()).sum()
}
