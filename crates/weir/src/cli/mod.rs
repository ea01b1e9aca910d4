//! What can be asked of the binary.

pub(crate) mod connect;
pub(crate) mod operate;
pub(crate) mod outreach;
pub(crate) mod rejects;
pub(crate) mod see;
pub(crate) mod steer;
pub(crate) mod token;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use model::Millis;
use sendgrid::webhook::CustomerRule;

use self::connect::{ConnectOptions, DisconnectOptions};
use self::operate::{Asking, Author, OperateCommand};
use self::outreach::OutreachCommand;
use self::token::TokenCommand;

/// Finds the customers whose mail harms the others, and moves them out of the way at SendGrid.
///
/// SendGrid tells by a signed webhook what happens to each mail. Weir keeps every event, measures each customer's
/// bounces, blocks and complaints, decides by a policy file who is watched, throttled, quarantined or suspended, and makes
/// SendGrid so.
///
/// To see it work:        weir demo
/// To write a config:     weir config default > weir.toml
/// To set SendGrid up:    weir connect --config weir.toml --url URL
/// To see what is wrong:  weir config check --config weir.toml
/// To run it:             weir run --config weir.toml
/// To see what happens:   weir top
/// To stop enforcement:   weir enforce pause --by ann --reason "looks like a false alarm"
/// To take a rule back:   weir undo --rule spam-reports --since 2h --by ann --reason "a false alarm"
/// To let one go:         weir release acme --by ann --reason "they have cleaned their list"
/// To try a policy:       weir backtest --policy policy.toml --events events.ndjson.zst
///
/// Exit codes: 0 done, 1 failed, 2 the command line makes no sense, 3 no such thing, 4 refused, 5 Weir does not answer.
#[derive(Debug, Parser)]
#[command(version, verbatim_doc_comment)]
pub(crate) struct Cli {
    /// Write logs as JSON, one object a line. WEIR_LOG=debug shows more of them.
    #[arg(long, global = true)]
    pub(crate) json_log: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run Weir until SIGTERM or Ctrl-C.
    Run(RunOptions),
    /// Have SendGrid post to Weir: makes the webhooks, has them sign, writes the sources, and waits for a test event.
    Connect(ConnectOptions),
    /// Undo exactly what `weir connect` did.
    Disconnect(DisconnectOptions),
    /// Show an hour of a simulated platform's life in a minute: real webhooks, a simulated SendGrid, real verdicts.
    Demo(DemoOptions),
    /// Say why a decision was made: derived again from the log, counted again, and in words that its customer can be sent.
    Explain(ExplainOptions),
    /// Judge a policy: whom it finds in a simulated month, how soon, and whom it touches for nothing.
    Judge(JudgeOptions),
    /// Say what a policy would have decided over recorded events, or over the log.
    Backtest(BacktestOptions),
    /// Say what SendGrid counted that Weir does not have, day by day, and the hours of which events are missing.
    Completeness(CompletenessOptions),
    /// Print or check configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Put another policy in force without a restart.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Classify mail servers' replies, one per line of standard input.
    Reply(ReplyOptions),
    /// Print the reference of all metrics, as Markdown.
    Metrics,
    #[command(flatten)]
    Operate(OperateCommand),
    /// Make tokens for whoever is to be let in at the operators' API and pages.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Write out the templates of what customer success and customers are told, and see what they say.
    #[command(subcommand)]
    Outreach(OutreachCommand),
    /// Make the topics that Weir needs in Kafka.
    #[command(subcommand)]
    Topics(TopicsCommand),
    /// Print the completions of a shell; `docs/cli.md` says where each looks for them.
    Completions {
        /// Which shell's.
        shell: Shell,
    },
    /// Write man pages, one a command.
    Man {
        /// Into this folder; it is made where it is missing.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RunOptions {
    /// The configuration file; without it, all defaults and no source.
    #[arg(long, value_name = "FILE", env = "WEIR_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Which parts to run.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "receiver,scorer,enforcer,console")]
    pub(crate) roles: Vec<Role>,
}

/// A part of Weir.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Role {
    /// Takes SendGrid's POSTs.
    Receiver,
    /// Counts and decides.
    Scorer,
    /// Acts at SendGrid.
    Enforcer,
    /// Serves the operators' API.
    Console,
}

/// Which parts run.
pub(crate) type Roles = BTreeSet<Role>;

#[derive(Debug, Args)]
pub(crate) struct DemoOptions {
    /// Everything random follows from it.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many customers the platform has.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u16).range(20..=5_000))]
    pub(crate) customers: u16,
    /// How many times as fast as real time the first hour passes.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=240))]
    pub(crate) speed: u32,
    /// End after the first hour. Without it, the platform goes on and the console stays up until Ctrl-C.
    #[arg(long)]
    pub(crate) once: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReplyOptions {
    /// Print JSON, one object a line: `cause`, `charged_to`, `rule`, `means`, and the `template` of an unknown one.
    #[arg(long)]
    pub(crate) json: bool,
    /// Use this table instead of the one that Weir ships (`docs/replies.md`).
    #[arg(long, value_name = "FILE")]
    pub(crate) table: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainOptions {
    /// The decision's id: 32 hexadecimal digits, as the decisions and a customer's reasons show it.
    pub(crate) id: String,
    /// Which Weir is asked. The configuration also names the log and the policy, for where no Weir runs here, or the log is too
    /// long for it; with --admin the log is left alone.
    #[command(flatten)]
    pub(crate) asking: Asking,
}

#[derive(Debug, Args)]
pub(crate) struct CompletenessOptions {
    /// How many days back; today is not over, and not compared yet.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=92))]
    pub(crate) days: u32,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

#[derive(Debug, Args)]
pub(crate) struct JudgeOptions {
    /// The policy file; without it, the one that Weir comes with.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// How many customers the platform has.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    pub(crate) customers: u32,
    /// How many days it is watched.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(4..=366))]
    pub(crate) days: u32,
    /// Everything random follows from it.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Print JSON instead of tables, with every good customer that was touched and why.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Send a policy file to a running Weir, which puts it on the log: each record behind it is judged by it.
    Apply(PolicyOptions),
}

#[derive(Debug, Args)]
pub(crate) struct PolicyOptions {
    /// The policy file.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) author: Author,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("input").required(true).args(["events", "log"])))]
pub(crate) struct BacktestOptions {
    /// The policy file to try; given twice, the second one is held against the first.
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) policy: Vec<PathBuf>,
    /// Files of SendGrid's events in the order of their arrival: one a line, posted arrays as they came, objects one behind the
    /// other, or indented; plain, gzip or zstd. `-` is standard input.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) events: Vec<PathBuf>,
    /// Take what the configured log has, with its ticks and commands, and show beside it what was decided in life. An embedded
    /// log can be read while Weir is stopped.
    #[arg(long)]
    pub(crate) log: bool,
    /// The configuration file: it says where the log is, and for --events how an event tells its customer (by its sources) and
    /// how often time ticks.
    #[arg(long, value_name = "FILE", env = "WEIR_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// How an event tells its customer: custom_arg:NAME, category_prefix:PREFIX, pool, or fixed:CUSTOMER. Without it as the
    /// configuration's sources have it, and without those by custom_arg:customer_id.
    #[arg(long, value_name = "HOW", conflicts_with = "log")]
    pub(crate) customer: Option<CustomerRule>,
    /// How often the events' own time ticks. Without it as the configuration has it, and without that every 30s.
    #[arg(long, value_name = "SPAN", conflicts_with = "log")]
    pub(crate) tick: Option<Millis>,
    /// Write the decisions of all policies as JSON, one a line, as they would stand on weir.decisions.
    #[arg(long)]
    pub(crate) json: bool,
    /// Write the report as a page, too.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TopicsCommand {
    /// Make those that are missing; those that are there are left as they are.
    Create {
        /// The configuration file.
        #[arg(long, value_name = "FILE", env = "WEIR_CONFIG")]
        config: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print the documented defaults.
    Default {
        /// Those of a policy: `standard` unless another one is named.
        #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "standard", value_parser = policy_names())]
        policy: Option<String>,
    },
    /// Say what is wrong with a configuration and its policy, with line and column, or else what the policy will do.
    Check {
        /// The configuration file.
        #[arg(long, value_name = "FILE", env = "WEIR_CONFIG")]
        config: Option<PathBuf>,
        /// Look at this policy file only, and at no configuration.
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
    },
}

fn policy_names() -> PossibleValuesParser {
    policy::PROFILES.map(|(name, _)| name).into()
}

/// Writes to standard output.
pub(crate) fn print(text: &str) {
    // Whoever closes the pipe has read enough.
    let _written = try_print(text).is_ok();
}

/// Writes to standard output, for who has more to say and has to know whether anybody still reads.
pub(crate) fn try_print(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", text.trim_end())?;
    out.flush()
}
