//! A simulated platform's hour in a minute: real signed webhooks in, real verdicts out, and a simulated SendGrid that obeys. Then
//! the platform goes on, so that a visitor can look around and try things.

mod mailer;
mod prompt;
mod report;
mod screen;
mod settings;
mod trials;
mod watch;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use model::Millis;
use simulator::platform::{FAILING, Platform, Scenario};
use simulator::sendgrid::{Poster, Retries, SendGrid, Signer, World};

use crate::cli::{DemoOptions, Role, print};
use crate::clock::{self, SimulatedClock};
use crate::running::Running;
use crate::shutdown::{Signals, nobody_reads};
use mailer::Mailer;
use prompt::Prompt;
use screen::{Screen, minutes};
use settings::{Parts, SOURCE};
use trials::Trials;
use watch::Watch;

/// How often the platform advances.
const STEP: Duration = Duration::from_millis(50);
/// Simulated time after the last mail of an hour, for the events that come late.
const AFTER: Millis = Millis::minutes(4);
/// How many times as fast as real time the platform goes on after its first hour: fast enough to see the effect of a trial within
/// a minute, slow enough to leave the machine alone.
const LATER_SPEED: u32 = 10;

/// Runs the first hour, prints its table, and continues until a signal ends the demo.
pub(crate) async fn run(options: DemoOptions) -> anyhow::Result<ExitCode> {
    crate::limits::set();
    let mut signals = Signals::listen().context("signals can't be listened for")?;
    let folder = tempfile::tempdir().context("no folder for the demo's data")?;
    let started = tokio::select! {
        started = Demo::start(&options, folder.path()) => started?,
        () = signals.next() => return Ok(ExitCode::SUCCESS),
    };
    let Started { mut demo, mut running } = started;
    let shown = tokio::select! {
        shown = demo.show(&options) => shown,
        failed = running.failed() => Err(failed),
        () = signals.next() => Ok(()),
        () = nobody_reads() => Ok(()),
    };
    let stopped = tokio::select! {
        stopped = running.stop() => stopped,
        // A second signal ends the demo at once.
        () = signals.next() => Ok(()),
    };
    shown.and(stopped)?;
    Ok(ExitCode::SUCCESS)
}

/// A demo, and the Weir that it shows.
struct Started {
    demo: Demo,
    running: Running,
}

/// A platform and its SendGrid, beside a Weir.
struct Demo {
    /// The hour that the platform is in.
    scenario: Scenario,
    clock: SimulatedClock,
    sendgrid: SendGrid,
    mailer: Mailer,
    trials: Trials,
}

impl Demo {
    async fn start(options: &DemoOptions, folder: &Path) -> anyhow::Result<Started> {
        let hour = Scenario::hour(options.seed, (clock::system())());
        // The simulated time catches up with the system's, so that commands tell ages right.
        let start = hour.start - (hour.length + AFTER);
        let scenario = Scenario { customers: usize::from(options.customers), start, ..hour };
        let platform = Platform::new(&scenario);
        let sendgrid = SendGrid::start(World::of(platform.accounts())).await?;
        let signer = Arc::new(Signer::generate()?);
        let settings = settings::settings(&Parts {
            folder,
            sendgrid: &sendgrid,
            signer: &signer,
            accounts: platform.accounts(),
            speed: options.speed,
        })?;
        // The simulated time begins once everything else is there.
        let clock = SimulatedClock::new(start, options.speed);
        let roles = [Role::Receiver, Role::Scorer, Role::Enforcer, Role::Console].into();
        let running = Running::start(settings, &roles, clock.reader()).await?;
        let (receiver, admin) = running.receiver.zip(running.admin).context("the demo's listeners did not start")?;
        let webhook = format!("http://{receiver}/webhooks/sendgrid/{SOURCE}");
        let poster = Poster::new(&webhook, signer, Retries::default(), clock.reader())?;
        let watch = Watch::start(admin, platform.accounts())?;
        let mailer = Mailer::new(platform, poster, watch);
        let trials = Trials::at(&format!("http://{admin}"))?;
        Ok(Started { demo: Self { scenario, clock, sendgrid, mailer, trials }, running })
    }

    async fn show(&mut self, options: &DemoOptions) -> anyhow::Result<()> {
        self.introduce(options);
        self.play_first_hour().await?;
        print(&report::report(&self.mailer, &self.scenario, &self.sendgrid));
        if options.once { Ok(()) } else { self.go_on().await }
    }

    fn introduce(&self, options: &DemoOptions) {
        let accounts = self.mailer.platform().accounts();
        let bad = accounts.iter().filter(|account| !account.truth.is_good()).count();
        print(&format!(
            "A simulated platform of {} customers, {bad} of them bad (seed {}), sends mail for an hour, {} times as fast\n\
             as real time. Its SendGrid posts signed webhooks to Weir, and Weir acts on that SendGrid.\n\n{}\n",
            accounts.len(),
            options.seed,
            options.speed,
            self.console_box()
        ));
    }

    /// The console's address, so that nobody misses it.
    fn console_box(&self) -> String {
        let line = format!("  Console:  {}/  ", self.trials.url());
        let bar = "═".repeat(line.len());
        format!("  ╔{bar}╗\n  ║{line}║\n  ╚{bar}╝")
    }

    /// Lets the platform live until the last event of its first hour has come.
    async fn play_first_hour(&mut self) -> anyhow::Result<()> {
        let length = self.scenario.length + AFTER;
        let end = self.scenario.start + length;
        let screen = Screen::new(length)?;
        let mut news = outage_news(self.mailer.platform()).into_iter().peekable();
        loop {
            let now = self.clock.now().min(end);
            while let Some((_, text)) = news.next_if(|(at, _)| *at <= now) {
                screen.say(&format!("minute {}: {text}", minutes(now.since(self.scenario.start))));
            }
            self.mailer.advance(now, &self.sendgrid, &screen).await?;
            screen.show_progress(now.since(self.scenario.start), self.mailer.summary());
            if now == end {
                self.mailer.finish_posts(&screen).await?;
                screen.remove_progress();
                return Ok(());
            }
            tokio::time::sleep(STEP).await;
        }
    }

    /// Goes on hour after hour, and runs the trials that the visitor asks for. Ends only with an error.
    async fn go_on(&mut self) -> anyhow::Result<()> {
        self.clock.set_speed(LATER_SPEED);
        print(&format!(
            "\nThe platform goes on, {LATER_SPEED} times as fast as real time; Ctrl-C ends the demo.\n\n{}\n\n{}",
            self.console_box(),
            self.trials.help().await
        ));
        let screen = Screen::without_progress();
        let mut prompt = Prompt::start();
        loop {
            tokio::select! {
                trial = prompt.next() => {
                    let now = self.clock.now();
                    self.trials.run(trial, self.mailer.platform_mut(), now).await;
                }
                () = tokio::time::sleep(STEP) => self.advance(&screen).await?,
            }
        }
    }

    /// Advances to the present; where an hour and its last events are over, into the next hour.
    async fn advance(&mut self, screen: &Screen) -> anyhow::Result<()> {
        let now = self.clock.now();
        if now > self.scenario.end() + AFTER {
            self.scenario = Scenario { seed: self.scenario.seed.wrapping_add(1), start: now, ..self.scenario.clone() };
            // The visitor alone begins and ends outages from here on.
            let outage = self.mailer.platform().outage();
            let platform = self.mailer.platform_mut();
            *platform = Platform::new(&self.scenario);
            platform.set_outage(outage);
        }
        self.mailer.advance(now, &self.sendgrid, screen).await
    }
}

/// When the outage begins and ends, and what to say then.
fn outage_news(platform: &Platform) -> [(model::Timestamp, String); 2] {
    let (begins, ends) = platform.outage();
    let provider = FAILING.name();
    [
        (begins, format!("outage: {provider} begins to refuse most mail, of good and bad customers alike")),
        (ends, format!("outage over: {provider} accepts mail again")),
    ]
}
