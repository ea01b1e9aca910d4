//! A simulated platform's hour in a minute: real signed webhooks in, real verdicts, a simulated SendGrid that obeys.

mod mailer;
mod report;
mod watch;

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use enforcer::{PlacementRule, Placements};
use indicatif::{ProgressBar, ProgressStyle};
use log::{PartitionCount, embedded};
use model::{CustomerId, EnforcerMode, EnforcerModes, PoolName};
use policy::Policy;
use receiver::{CustomerRule, Source, SourceName};
use scorer::PolicyFile;
use sendgrid::webhook::{VerificationKey, Verifier};
use simulator::platform::{Account, Placement, Platform, Scenario};
use simulator::sendgrid::{HOME, Poster, QUARANTINE, Retries, SendGrid, Signer, World};

use crate::cli::{DemoOptions, Role, print};
use crate::clock::{self, Clock};
use crate::config::{AccessSettings, GateSettings, LogSettings, Settings, StateSettings, enforcers_api};
use crate::running::Running;
use mailer::Mailer;
use watch::Watch;

/// The name of the only source.
const SOURCE: &str = "demo";
/// How often the platform goes on.
const STEP: Duration = Duration::from_millis(50);
/// Simulated time after the last mail, for the events that come late.
const AFTER: model::Millis = model::Millis::minutes(4);

/// Shows it all, and ends in a table.
pub(crate) async fn run(options: DemoOptions) -> anyhow::Result<ExitCode> {
    let start = (clock::system())();
    let scenario = Scenario { customers: usize::from(options.customers), ..Scenario::hour(options.seed, start) };
    let platform = Platform::new(&scenario);
    let sendgrid = SendGrid::start(World::of(platform.accounts())).await?;
    let folder = tempfile::tempdir().context("no folder for the demo's data")?;
    let signer = Arc::new(Signer::generate()?);
    // The simulation's time begins when everything stands.
    let clock = clock::fast(start, options.speed);
    let settings = settings(folder.path(), &sendgrid, &signer, (platform.accounts(), options.speed))?;
    let roles = [Role::Receiver, Role::Scorer, Role::Enforcer, Role::Console].into();
    let running = Running::start(settings, &roles, Arc::clone(&clock)).await?;
    let (receiver, admin) = running.receiver.zip(running.admin).context("the demo's listeners did not start")?;
    introduce(&options, platform.accounts(), receiver, admin);

    let url = format!("http://{receiver}/webhooks/sendgrid/{SOURCE}");
    let poster = Poster::new(&url, signer, Retries::default(), Arc::clone(&clock))?;
    let watch = Watch::start(admin, platform.accounts())?;
    let mut mailer = Mailer::new(platform, poster, watch);
    play(&mut mailer, &scenario, &sendgrid, &clock).await?;
    let stayed = mailer.finish().await?;
    print(&report::report(&stayed, &sendgrid));
    running.stop().await?;
    Ok(ExitCode::SUCCESS)
}

/// Lets the platform live until its last event has come.
async fn play(mailer: &mut Mailer, scenario: &Scenario, sendgrid: &SendGrid, clock: &Clock) -> anyhow::Result<()> {
    let end = scenario.start + scenario.length + AFTER;
    let bar = progress_bar(scenario.length + AFTER)?;
    loop {
        let now = clock().min(end);
        mailer.go_on(now, sendgrid, &bar).await?;
        let minutes = now.since(scenario.start).get() / 60_000;
        bar.set_position(u64::try_from(minutes).unwrap_or(0));
        bar.set_message(mailer.summary());
        if now == end {
            bar.finish_and_clear();
            return Ok(());
        }
        tokio::time::sleep(STEP).await;
    }
}

fn progress_bar(length: model::Millis) -> anyhow::Result<ProgressBar> {
    let bar = ProgressBar::new(u64::try_from(length.get() / 60_000).unwrap_or(0));
    bar.set_style(ProgressStyle::with_template("{bar:30} minute {pos}/{len}  {msg}")?);
    Ok(bar)
}

fn introduce(options: &DemoOptions, accounts: &[Account], receiver: SocketAddr, admin: SocketAddr) {
    let bad = accounts.iter().filter(|account| !account.truth.is_good()).count();
    print(&format!(
        "A platform with {} customers, {bad} of them bad (seed {}), an hour of its life at {} times its speed.\n\
         Signed webhooks go to http://{receiver}; the console is http://{admin}/ meanwhile.\n",
        accounts.len(),
        options.seed,
        options.speed
    ));
}

fn settings(
    folder: &Path,
    sendgrid: &SendGrid,
    signer: &Signer,
    (accounts, speed): (&[Account], u32),
) -> anyhow::Result<Settings> {
    let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let key = VerificationKey::from_base64(&signer.public_key())?;
    let customer = CustomerRule::CustomArg("customer_id".to_owned());
    let policy = Policy::parse(policy::DEFAULT)?;
    let partitions = NonZeroU32::new(4).context("four partitions")?;
    let api = enforcers_api(sendgrid.base_url(), sendgrid.api_key());
    let modes = EnforcerModes::all(EnforcerMode::Enforce);
    let mut enforcer =
        enforcer::Config::new(modes, placements(accounts), PoolName::new(HOME), PoolName::new(QUARANTINE));
    enforcer.sweep_interval = Duration::from_secs(10);
    // A simulated minute, as of the real one.
    enforcer.settling = Duration::from_secs(1);
    Ok(Settings {
        receiver: receiver::Config::new(local),
        sources: vec![Source { name: SourceName::new(SOURCE)?, verifier: Verifier::new(vec![key])?, customer }],
        admin: local,
        access: AccessSettings::default(),
        gate: GateSettings { listen: None, instance: "demo".to_owned() },
        log: LogSettings::Embedded(embedded::Config::new(folder.join("log"), PartitionCount::new(partitions))),
        state: StateSettings::at(folder.join("state")),
        // A tick each simulated minute.
        tick_interval: Duration::from_secs(60) / speed,
        policy_file: PolicyFile { text: policy::DEFAULT.to_owned(), digest: policy.digest().to_owned() },
        policy: Arc::new(policy),
        enforcer,
        sendgrid: Some(api),
        hooks: Vec::new(),
        // Its hour is no day.
        completeness: None,
        traces: None,
        outreach: None,
    })
}

fn placements(accounts: &[Account]) -> Placements {
    let rule = |placement: &Placement| match placement {
        Placement::Subuser(name) => PlacementRule::Subuser(Some(name.clone())),
        Placement::DedicatedIps(ips) => PlacementRule::DedicatedIps(ips.clone()),
        Placement::Route => PlacementRule::Route,
    };
    let placed = |account: &Account| (CustomerId::clone(&account.id), rule(&account.placement));
    Placements { default: PlacementRule::Route, by_customer: accounts.iter().map(placed).collect() }
}
