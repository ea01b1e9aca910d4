//! A SendGrid with faults and an enforcer that is killed, and what has to hold in the end and at every moment.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use enforcer::{Action, Outcome};
use log::Log;
use model::Standing;
use rand::RngExt;
use simulator::sendgrid::{Budget, Call, Faults, Moment, Options, SendGrid, World};

use super::fleet::{self, Customer};
use super::history;
use super::process::{self, Process, Settings};
use super::standings::Standings;
use super::wanted::wrong;

/// A minute of SendGrid's, for which it may show what was: here everything that takes a minute takes a hundredth of it.
pub(crate) const MINUTE: Duration = Duration::from_millis(600);
/// How long anything may take that must come about.
const PATIENCE: Duration = Duration::from_secs(120);
/// Kills after which everybody must be right again.
pub(crate) const KILLS: usize = 20;
pub(crate) const PENDING: &str = "weir_enforcer_pending_customers";
/// How long an IP may be in two pools: some failures in a row, of which each is followed by a longer wait, and a wait for the rate
/// limit.
pub(crate) const TORN: Duration = Duration::from_secs(15);
/// How long a life lasts in which the call is not made at which it would end.
const LIFE: Duration = Duration::from_secs(2);

pub(crate) fn faults() -> Faults {
    Faults {
        fail_before: 0.02,
        fail_after: 0.02,
        cut: 0.5,
        unauthorised: 0.002,
        too_many_share: 0.001,
        reset_in: Duration::from_millis(200),
        latency: Duration::from_millis(1),
        stale: MINUTE,
        ..Faults::default()
    }
}

pub(crate) fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |number| number.parse().unwrap())
}

/// A SendGrid with its customers, and an enforcer that makes it what they should be.
pub(crate) struct Run {
    pub(crate) seed: u64,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) sendgrid: SendGrid,
    pub(crate) customers: Vec<Customer>,
    pub(crate) standings: Standings,
    pub(crate) settings: Settings,
    pub(crate) process: Option<Process>,
    /// Not yet heard for sure.
    pub(crate) to_say: VecDeque<Standing>,
    pub(crate) kills: usize,
}

impl Run {
    pub(crate) async fn new(seed: u64) -> Self {
        eprintln!("WEIR_FAULTS_SEED={seed}");
        let (folder, customers) = (tempfile::tempdir().unwrap(), fleet::customers());
        let budget = Budget { calls: 60, per: Duration::from_secs(1) };
        let world = World::of(&fleet::accounts(&customers));
        let sendgrid = SendGrid::start_with(world, Options { budget, seed }).await.unwrap();
        fleet::set_up(&process::client(&sendgrid.base_url(), sendgrid.api_key()), &customers).await;
        sendgrid.world().faults = faults();
        let settings = Settings {
            folder: folder.path().to_owned(),
            base_url: sendgrid.base_url(),
            key: sendgrid.api_key().to_owned(),
            settling: MINUTE,
            sweep_interval: MINUTE * 5,
            ahead: Duration::ZERO,
        };
        let (standings, to_say) = (Standings::new(seed), VecDeque::new());
        Self { seed, folder, sendgrid, customers, standings, settings, process: None, to_say, kills: 0 }
    }

    /// A process takes the place of the one before.
    pub(crate) async fn start(&mut self) {
        self.start_after(&[]).await;
    }

    /// The same, once these standings are on the log.
    pub(crate) async fn start_after(&mut self, said: &[Standing]) {
        self.kill();
        let mut process = Process::start(&self.settings).await;
        assert!(process.say(said).await);
        self.sendgrid.world().change_client();
        process.act().await;
        self.process = Some(process);
    }

    pub(crate) fn kill(&mut self) {
        self.process.take().into_iter().for_each(Process::kill);
    }

    /// One life: it hears a part of what is to be said, and is killed at a call.
    pub(crate) async fn live(&mut self, share: usize) {
        self.start().await;
        // Short lives are as likely as long ones.
        let longest = 1_u64 << self.standings.rng.random_range(0..10);
        let passing = self.standings.rng.random_range(0..longest);
        let moment = [Moment::Before, Moment::After, Moment::Answered][self.standings.rng.random_range(0..3)];
        let caught = self.sendgrid.catch(passing, moment, |_| true);
        let said: Vec<_> = self.to_say.iter().take(share).cloned().collect();
        let mut process = self.process.take().unwrap();
        let live = async {
            if process.say(&said).await {
                self.to_say.drain(..said.len());
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = live => {}
            _ = caught => {}
            () = tokio::time::sleep(LIFE) => {}
        }
        process.kill();
        self.kills += 1;
    }

    /// Says all that is left to say, and waits until everybody is as the last standing wants.
    pub(crate) async fn converge(&mut self) {
        self.start().await;
        let said: Vec<_> = self.to_say.drain(..).collect();
        assert!(self.process.as_mut().unwrap().say(&said).await);
        self.wait_until_right().await;
    }

    pub(crate) async fn wait_until_right(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let wrong = self.wrong();
            if wrong.is_empty() {
                return;
            }
            if Instant::now() > deadline {
                self.give_up(&wrong);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) fn wrong(&self) -> Vec<(Customer, String)> {
        let world = self.sendgrid.world();
        let wrong = |customer| wrong(&world, customer, self.standings.last.get(&customer.id));
        self.customers.iter().filter_map(|customer| Some((customer.clone(), wrong(customer)?))).collect()
    }

    #[expect(clippy::panic, reason = "a helper of a test fails the test")]
    pub(crate) fn give_up(&mut self, wrong: &[(Customer, String)]) -> ! {
        self.kill();
        let actions = history::actions(&process::open(self.folder.path()));
        for (customer, why) in wrong.iter().take(3) {
            eprintln!("{}: {why}; {:?}", customer.id, self.standings.last.get(&customer.id));
            let of_it: Vec<_> = actions.iter().filter(|action| action.customer == customer.id).collect();
            of_it.iter().rev().take(15).rev().for_each(|action| eprintln!("  {action:?}"));
        }
        panic!("{} customers are not as they should be within {PATIENCE:?}; seed {}", wrong.len(), self.seed);
    }

    /// What must be so at every moment was so until now.
    pub(crate) fn assert_nothing_forbidden(&self) {
        let world = self.sendgrid.world();
        fleet::assert_nobody_was_ever_unassigned(&world, &self.customers);
        assert_eq!(world.overruns(), 0, "calls over the rate limit; seed {}", self.seed);
        let deltas = world.calls().iter().filter(|call| call.path.ends_with("/credits/remaining")).count();
        assert_eq!(deltas, 0, "differences of credits");
    }

    /// Waits until a metric has this value.
    pub(crate) async fn see(&mut self, metric: &str, value: f64) {
        let deadline = Instant::now() + PATIENCE;
        let process = self.process.as_mut().unwrap();
        while process.metric(metric).await != Some(value) {
            assert!(Instant::now() < deadline, "{metric} is not {value}; seed {}", self.seed);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Everybody is right, nothing is left to do, and nothing more is done, whatever a sweep finds.
    pub(crate) async fn assert_at_rest(&mut self) {
        self.sendgrid.world().faults = Faults::default();
        let deadline = Instant::now() + PATIENCE;
        let rests = Instant::now();
        // Every sweep lists the pools.
        let is_sweep = |call: &&Call| call.at > rests && call.path == "/v3/ips/pools";
        let sweeps = |world: &World| world.calls().iter().filter(is_sweep).count();
        while sweeps(&self.sendgrid.world()) < 3 {
            assert!(Instant::now() < deadline, "no sweeps; seed {}", self.seed);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(self.process.as_mut().unwrap().metric(PENDING).await, Some(0.0), "something is still to be done");
        let world = self.sendgrid.world();
        let changed: Vec<_> = world.calls().iter().filter(|call| call.at > rests && call.changes()).collect();
        assert!(changed.is_empty(), "changed at rest: {changed:?}; seed {}", self.seed);
    }

    /// What the log says in the end.
    pub(crate) fn assert_history(&mut self) -> Vec<Action> {
        self.kill();
        let log = process::open(self.folder.path());
        let actions = history::actions(&log as &dyn Log);
        history::assert_cases(&history::cases(&log), &self.customers, &self.standings.last);
        history::assert_ways_back(&actions, &self.customers);
        let drifted = actions.iter().find(|action| action.outcome == Outcome::Drifted);
        assert_eq!(drifted, None, "nobody else changed anything; seed {}", self.seed);
        actions
    }

    pub(crate) fn say_calls(&self, actions: &[Action], began: Instant) {
        let world = self.sendgrid.world();
        let calls = world.calls();
        let of_status = |statuses: std::ops::RangeInclusive<u16>| {
            calls.iter().filter(|call| statuses.contains(&call.status)).count()
        };
        eprintln!(
            "{:.0?}: {} kills, {} calls, {} of them changes; {} cut, {} answered 401, {} answered 429, {} answered 5xx; {} actions",
            began.elapsed(),
            self.kills,
            calls.len(),
            calls.iter().filter(|call| call.changes()).count(),
            of_status(0..=0),
            of_status(401..=401),
            of_status(429..=429),
            of_status(500..=599),
            actions.len(),
        );
    }
}
