//! The API on a port of this machine.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::budget::{Allowance, Budget};
use super::faults::Faults;
use super::record::Call;
use super::snapshot::Snapshot;
use super::trap::{Moment, Trap};
use super::world::World;
use super::{api, connections};

/// The port can't be had.
#[derive(Debug, thiserror::Error)]
#[error("the simulated SendGrid can't listen on this machine")]
pub struct SendGridError(#[from] std::io::Error);

/// How the server behaves, beyond its state.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// What each endpoint takes before it answers 429.
    pub budget: Budget,
    /// Which calls the faults by share hit follows from it, as long as calls come one at a time.
    pub seed: u64,
}

/// The state, shared between the API and whoever watches.
#[derive(Clone, Debug)]
pub(super) struct Shared(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    world: Mutex<World>,
    rng: Mutex<ChaCha8Rng>,
    trap: Mutex<Option<Trap>>,
    budget: Budget,
}

impl Shared {
    fn new(world: World, options: Options) -> Self {
        Self(Arc::new(Inner {
            world: Mutex::new(world),
            rng: Mutex::new(ChaCha8Rng::seed_from_u64(options.seed)),
            trap: Mutex::new(None),
            budget: options.budget,
        }))
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        // Every change is whole before the lock is given back.
        self.0.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a call off the endpoint's budget.
    pub(super) fn spend(&self, endpoint: &str, arrived: Instant) -> Allowance {
        self.world().budgets.spend(endpoint, self.0.budget, arrived)
    }

    /// The state as a read shows it, which may be late.
    pub(super) fn seen(&self) -> Arc<Snapshot> {
        let age = self.fault(|faults, rng| faults.age(rng));
        Arc::clone(self.world().seen(age))
    }

    /// The trap, where it is set for this call; a trap catches one.
    pub(super) fn trap(&self, call: &Call) -> Option<Trap> {
        self.0.trap.lock().unwrap_or_else(PoisonError::into_inner).take_if(|trap| trap.is_for(call))
    }

    /// Asks the faults to come.
    pub(super) fn fault<T>(&self, ask: impl FnOnce(&mut Faults, &mut ChaCha8Rng) -> T) -> T {
        let mut rng = self.0.rng.lock().unwrap_or_else(PoisonError::into_inner);
        ask(&mut self.world().faults, &mut rng)
    }
}

/// A running SendGrid; it ends when this is dropped.
#[derive(Debug)]
pub struct SendGrid {
    shared: Shared,
    address: SocketAddr,
    stop: CancellationToken,
}

/// The only key that the simulated SendGrid takes.
pub(super) const API_KEY: &str = "SG.simulated";

impl SendGrid {
    /// Serves `world` on a free port of this machine.
    ///
    /// # Errors
    ///
    /// [`SendGridError`].
    pub async fn start(world: World) -> Result<Self, SendGridError> {
        Self::start_with(world, Options::default()).await
    }

    /// The same, as `options` say.
    ///
    /// # Errors
    ///
    /// [`SendGridError`].
    pub async fn start_with(world: World, options: Options) -> Result<Self, SendGridError> {
        let shared = Shared::new(world, options);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        tokio::spawn(connections::serve(listener, api::router(shared.clone()), stop.clone()));
        Ok(Self { shared, address, stop })
    }

    /// Where its API is. It stays there, whatever clients come and go.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The key that it takes.
    pub const fn api_key(&self) -> &'static str {
        API_KEY
    }

    /// Its state. The API waits while this is held.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world()
    }

    /// Catches the call of those that `which` names that comes after `passing` more of them; resolves then. There is one trap:
    /// this takes the place of one that has caught nothing.
    pub fn catch(&self, passing: u64, moment: Moment, which: fn(&Call) -> bool) -> oneshot::Receiver<()> {
        let (caught, resolves) = oneshot::channel();
        let trap = Trap { moment, passing, which, caught };
        *self.shared.0.trap.lock().unwrap_or_else(PoisonError::into_inner) = Some(trap);
        resolves
    }

    /// The same as [`World::overruns`].
    pub fn overruns(&self) -> u64 {
        self.world().overruns()
    }
}

impl Drop for SendGrid {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
