//! Mailers that ask over connections that stay open: as little work a request as can be, so that the server is what is measured.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tokio::task::JoinSet;

use crate::connection::Connection;
use crate::cores::{Core, on_core};

/// Connections, each with one request under way.
const CONNECTIONS: usize = 32;

/// Writes a request, chosen by chance.
pub(crate) type Ask = Arc<dyn Fn(&mut ChaCha8Rng, &mut Vec<u8>) + Send + Sync>;

/// How long it took to get all answers, and each of them in rising order.
pub(crate) struct Asked {
    pub(crate) took: Duration,
    pub(crate) waits: Vec<Duration>,
}

/// Asks so often, from a core of its own.
pub(crate) fn ask_all(server: SocketAddr, requests: usize, ask: &Ask) -> anyhow::Result<Asked> {
    let ask = Arc::clone(ask);
    let asked = on_core(Core::Askers, async move {
        let (began, mut mailers) = (Instant::now(), JoinSet::new());
        for number in 0..CONNECTIONS {
            let rng = ChaCha8Rng::seed_from_u64(u64::try_from(number)?);
            mailers.spawn(mailer(server, requests / CONNECTIONS, Arc::clone(&ask), rng));
        }
        let mut waits = Vec::with_capacity(requests);
        while let Some(done) = mailers.join_next().await {
            waits.extend(done??);
        }
        let took = began.elapsed();
        waits.sort_unstable();
        Ok(Asked { took, waits })
    });
    asked.join().map_err(|_| anyhow::anyhow!("the mailers panicked"))?
}

/// Asks once, for the answer's body.
pub(crate) fn ask_once(server: SocketAddr, request: Vec<u8>) -> anyhow::Result<Bytes> {
    let asked = on_core(Core::Askers, async move { Connection::open(server).await?.ask(&request).await });
    asked.join().map_err(|_| anyhow::anyhow!("the mailer panicked"))?
}

async fn mailer(server: SocketAddr, requests: usize, ask: Ask, mut rng: ChaCha8Rng) -> anyhow::Result<Vec<Duration>> {
    let mut connection = Connection::open(server).await?;
    let (mut request, mut waits) = (Vec::new(), Vec::with_capacity(requests));
    for _ in 0..requests {
        request.clear();
        ask(&mut rng, &mut request);
        let began = Instant::now();
        connection.ask(&request).await?;
        waits.push(began.elapsed());
    }
    Ok(waits)
}
