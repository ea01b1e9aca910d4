//! One person who asks for one thing after the other.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::Value;

use crate::connection::Connection;
use crate::cores::{Core, on_core};
use crate::timing::median;

/// Times that each thing is asked for.
const ROUNDS: usize = 20;
const REQUESTS: usize = 25;

/// What is asked for, and how long it took.
#[derive(Clone)]
pub(crate) struct Row {
    name: String,
    request: Vec<u8>,
    /// How long the answer is, in bytes.
    length: usize,
    /// While nothing changes.
    pub(crate) still: Vec<Duration>,
    /// While standings come in.
    pub(crate) changing: Vec<Duration>,
}

impl Row {
    pub(crate) fn new(name: &str, path: &str) -> Self {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\naccept: text/html\r\n\r\n").into_bytes();
        Self { name: name.to_owned(), request, length: 0, still: Vec::new(), changing: Vec::new() }
    }

    pub(crate) fn head() -> Vec<String> {
        let head = [
            "one connection",
            "KiB",
            "p50",
            "p99",
            "p50, × the floor",
            "changing: p50",
            "changing: p99",
            "wanted: p50",
        ];
        head.map(str::to_owned).to_vec()
    }

    /// What is shown of it, beside the floor.
    pub(crate) fn cells(&self, floor: &Self, wanted: Duration) -> Vec<String> {
        let shown = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1e3);
        let p99 = |times: &[Duration]| {
            let mut times = times.to_vec();
            times.sort_unstable();
            times.get(times.len() * 99 / 100).copied().unwrap_or_default()
        };
        let (still, changing) = (median(self.still.clone()), median(self.changing.clone()));
        let ratio = still.as_secs_f64() / median(floor.still.clone()).as_secs_f64();
        let holds = if still.max(changing) <= wanted { "holds" } else { "does not hold" };
        vec![
            self.name.clone(),
            format!("{:.1}", crate::timing::count(self.length) / 1_024.0),
            shown(still),
            shown(p99(&self.still)),
            format!("{ratio:.1}"),
            shown(changing),
            shown(p99(&self.changing)),
            format!("≤ {} ms: {holds}", wanted.as_millis()),
        ]
    }
}

/// Asks for each thing in turn, round after round, and keeps how long it took where `kept` says.
pub(crate) fn ask_rounds(
    server: SocketAddr,
    rows: &mut Vec<Row>,
    kept: fn(&mut Row) -> &mut Vec<Duration>,
) -> anyhow::Result<()> {
    let mut asked = rows.clone();
    let work = on_core(Core::Askers, async move {
        let mut connection = Connection::open(server).await?;
        for number in 0..ROUNDS * asked.len() {
            let number = number % asked.len();
            let Some(row) = asked.get_mut(number) else { continue };
            for _ in 0..REQUESTS {
                let began = Instant::now();
                let answer = connection.ask(&row.request).await.with_context(|| row.name.clone())?;
                kept(row).push(began.elapsed());
                row.length = answer.len();
            }
        }
        Ok(asked)
    });
    *rows = work.join().map_err(|_| anyhow::anyhow!("who asks panicked"))??;
    Ok(())
}

/// The cursor behind the first `customers`, as whoever reads page after page comes to it.
pub(crate) fn deep_cursor(server: SocketAddr, customers: usize) -> anyhow::Result<String> {
    let work = on_core(Core::Askers, async move {
        let mut connection = Connection::open(server).await?;
        let (mut after, mut seen) = (String::new(), 0);
        while seen < customers {
            let path = if after.is_empty() { String::new() } else { format!("?after={after}") };
            let request = format!("GET /v1/customers{path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
            let page: Value = serde_json::from_slice(&connection.ask(request.as_bytes()).await?)?;
            seen += page["customers"].as_array().context("a page has customers")?.len();
            after = page["next"].as_str().context("there are more")?.to_owned();
        }
        Ok(after)
    });
    work.join().map_err(|_| anyhow::anyhow!("who asks panicked"))?
}
