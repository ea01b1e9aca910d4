//! Faults and kills, and what SendGrid is like in the end and was like at every moment.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use enforcer::{Action, Outcome};
use log::Log;
use model::{Stage, Standing};
use rand::RngExt;
use simulator::sendgrid::{Budget, Call, Faults, Moment, Options, SendGrid, World};

use crate::fleet::{self, Before, Customer};
use crate::history;
use crate::process::{self, Process, Settings};
use crate::standings::Standings;
use crate::wanted::wrong;

/// A minute of SendGrid's, for which it may show what was: here everything that takes a minute takes a hundredth of it.
const MINUTE: Duration = Duration::from_millis(600);
/// How long anything may take that must come about.
const PATIENCE: Duration = Duration::from_secs(120);
/// Kills after which everybody must be right again.
const KILLS: usize = 20;
const PENDING: &str = "weir_enforcer_pending_customers_count";
/// How long an IP may be in two pools: some failures in a row, of which each is followed by a longer wait, and a wait for the rate
/// limit.
const TORN: Duration = Duration::from_secs(15);
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

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |number| number.parse().unwrap())
}

/// A SendGrid with its customers, and an enforcer that makes it what they should be.
struct Run {
    seed: u64,
    folder: tempfile::TempDir,
    sendgrid: SendGrid,
    customers: Vec<Customer>,
    standings: Standings,
    settings: Settings,
    process: Option<Process>,
    /// Not yet heard for sure.
    to_say: VecDeque<Standing>,
    kills: usize,
}

impl Run {
    async fn new(seed: u64) -> Self {
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
    async fn start(&mut self) {
        self.start_after(&[]).await;
    }

    /// The same, once these standings are on the log.
    async fn start_after(&mut self, said: &[Standing]) {
        self.kill();
        let mut process = Process::start(&self.settings).await;
        assert!(process.say(said).await);
        self.sendgrid.world().change_client();
        process.act().await;
        self.process = Some(process);
    }

    fn kill(&mut self) {
        self.process.take().into_iter().for_each(Process::kill);
    }

    /// One life: it hears a part of what is to be said, and is killed at a call.
    async fn live(&mut self, share: usize) {
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
    async fn converge(&mut self) {
        self.start().await;
        let said: Vec<_> = self.to_say.drain(..).collect();
        assert!(self.process.as_mut().unwrap().say(&said).await);
        self.wait_until_right().await;
    }

    async fn wait_until_right(&mut self) {
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

    fn wrong(&self) -> Vec<(Customer, String)> {
        let world = self.sendgrid.world();
        let wrong = |customer| wrong(&world, customer, self.standings.last.get(&customer.id));
        self.customers.iter().filter_map(|customer| Some((customer.clone(), wrong(customer)?))).collect()
    }

    #[expect(clippy::panic, reason = "a helper of a test fails the test")]
    fn give_up(&mut self, wrong: &[(Customer, String)]) -> ! {
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
    fn assert_nothing_forbidden(&self) {
        let world = self.sendgrid.world();
        fleet::assert_nobody_was_ever_unassigned(&world, &self.customers);
        assert_eq!(world.overruns(), 0, "calls over the rate limit; seed {}", self.seed);
        let deltas = world.calls().iter().filter(|call| call.path.ends_with("/credits/remaining")).count();
        assert_eq!(deltas, 0, "differences of credits");
    }

    /// Waits until a metric has this value.
    async fn see(&mut self, metric: &str, value: f64) {
        let deadline = Instant::now() + PATIENCE;
        let process = self.process.as_mut().unwrap();
        while process.metric(metric).await != Some(value) {
            assert!(Instant::now() < deadline, "{metric} is not {value}; seed {}", self.seed);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Everybody is right, nothing is left to do, and nothing more is done, whatever a sweep finds.
    async fn assert_at_rest(&mut self) {
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
    fn assert_history(&mut self) -> Vec<Action> {
        self.kill();
        let log = process::open(self.folder.path());
        let actions = history::actions(&log as &dyn Log);
        history::assert_cases(&history::cases(&log), &self.customers, &self.standings.last);
        history::assert_ways_back(&actions, &self.customers);
        let drifted = actions.iter().find(|action| action.outcome == Outcome::Drifted);
        assert_eq!(drifted, None, "nobody else changed anything; seed {}", self.seed);
        actions
    }

    fn say_calls(&self, actions: &[Action], began: Instant) {
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

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_call_among_faults_it_converges_all_the_same() {
    let began = Instant::now();
    let seed = number("WEIR_FAULTS_SEED", rand::rng().random());
    let mut run = Run::new(seed).await;
    for sequence in 0..number("WEIR_FAULTS_SEQUENCES", 5) {
        // What is as it was is forgotten after an hour, and noted anew when it is moved again.
        run.settings.ahead += Duration::from_secs(7_200);
        run.to_say = run.standings.sequences(&run.customers).into();
        let share = run.to_say.len().div_ceil(KILLS);
        for _ in 0..KILLS {
            run.live(share).await;
        }
        run.converge().await;
        run.assert_nothing_forbidden();
        println!("sequence {sequence} of {}: converged after {:.1?}", run.customers.len(), began.elapsed());
    }
    run.assert_at_rest().await;
    let actions = run.assert_history();
    run.say_calls(&actions, began);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_released_is_back_exactly_where_it_was() {
    let began = Instant::now();
    let seed = number("WEIR_FAULTS_SEED", rand::rng().random());
    let mut run = Run::new(seed).await;
    run.to_say = run.standings.sequences(&run.customers).into();
    run.converge().await;
    run.to_say = run.standings.releases(&run.customers).into();
    run.converge().await;
    run.assert_at_rest().await;
    run.assert_nothing_forbidden();
    let world = run.sendgrid.world();
    let own_ips = run.customers.iter().filter_map(|customer| match &customer.before {
        Before::Ips { own, .. } => Some(own),
        Before::Subuser { .. } | Before::Routed => None,
    });
    let longest = own_ips.flatten().map(|ip| world.longest_in_two_pools(ip)).max().unwrap();
    drop(world);
    println!("an IP was in two pools for {longest:?} at most");
    assert!(longest < TORN, "an IP was in two pools for {longest:?}; seed {}", run.seed);
    let actions = run.assert_history();
    run.say_calls(&actions, began);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_was_cut_in_two_by_a_kill_is_finished() {
    for moment in [Moment::Before, Moment::After, Moment::Answered] {
        // The first of two calls that change something, and the second.
        for passing in 0..2 {
            let mut run = Run::new(7).await;
            run.sendgrid.world().faults = Faults { stale: MINUTE, ..Faults::default() };
            let with_ips = |customer: &&Customer| matches!(customer.before, Before::Ips { .. });
            let own = run.customers.iter().find(with_ips).unwrap().id.clone();
            let subuser = run.customers[1].id.clone();
            run.start().await;
            let caught = run.sendgrid.catch(passing, moment, Call::changes);
            let said = [&own, &subuser].map(|id| run.standings.stands(id, Stage::Quarantined, Some(5)));
            assert!(run.process.as_mut().unwrap().say(&said).await);
            caught.await.unwrap();
            run.converge().await;
            run.see("weir_enforcer_held_back_customers_count{why=\"not_possible\"}", 1.0).await;
            run.see(PENDING, 0.0).await;
            run.assert_nothing_forbidden();
            let actions = run.assert_history();
            assert!(actions.iter().any(|action| action.outcome == Outcome::Done));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_process_took_out_of_a_pool_and_is_still_shown_there_is_not_taken_out_of_the_other() {
    let mut run = Run::new(7).await;
    let with_ips = |customer: &&Customer| matches!(customer.before, Before::Ips { .. });
    let own: Vec<_> = run.customers.iter().filter(with_ips).map(|customer| customer.id.clone()).take(4).collect();
    for id in own {
        // For so long is the IP in both pools, which is shown for a while after it has left one of them.
        run.sendgrid.world().faults = Faults { stale: MINUTE, latency: MINUTE * 2 / 3, ..Faults::default() };
        run.start().await;
        let caught = run.sendgrid.catch(0, Moment::After, |call| call.method == "DELETE");
        let said = run.standings.stands(&id, Stage::Quarantined, None);
        assert!(run.process.as_mut().unwrap().say(&[said]).await);
        caught.await.unwrap();
        run.sendgrid.world().faults.latency = Duration::ZERO;
        let said = run.standings.stands(&id, Stage::Healthy, None);
        run.start_after(&[said]).await;
        run.wait_until_right().await;
        run.assert_nothing_forbidden();
    }
}
