//! Weir: stands between a sending platform and its SendGrid account.
//!
//! `cli` says what can be asked, `config` what can be set, `running` how the parts are wired, `demo` shows it all, `judging`
//! judges a policy, `connect` sets SendGrid up, `completeness` shows what is missing, `metrics` lists what is measured,
//! `reply` reads mail servers' replies. `operating`
//! asks a Weir that runs, which `running_weir` reaches, and `rendering` shows the answers. `shutdown` says what ends a command
//! that runs on.

mod applying;
mod backtest;
mod cli;
mod clock;
mod completeness;
mod config;
mod connect;
mod demo;
mod explain;
mod judging;
mod limits;
mod manual;
mod metrics;
mod opening;
mod operating;
mod outreaching;
mod parts;
mod reject_sources;
mod rendering;
mod reply;
mod running;
mod running_weir;
mod sendgrid_calls;
mod shutdown;
mod tokens;
mod traces;

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::Parser;
use cli::token::TokenCommand;
use cli::{Cli, Command, ConfigCommand, PolicyCommand, TopicsCommand};
use running_weir::Ending;

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_tracing(&cli);
    match answer(cli.command) {
        Ok(code) => code,
        Err(error) => {
            // The chain is told once, here, with every cause. Whoever closed the terminal does not hear it.
            let _told = writeln!(std::io::stderr(), "weir: {}", rendering::printable_error(&error)).is_ok();
            Ending::of(&error).into()
        }
    }
}

fn answer(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo(options) => return runtime()?.block_on(demo::run(options)),
        Command::Connect(options) => return runtime()?.block_on(connect::connect(options)),
        Command::Disconnect(options) => return runtime()?.block_on(connect::disconnect(options)),
        Command::Judge(options) => return judging::run(&options),
        Command::Config(ConfigCommand::Check { config, policy }) => {
            return Ok(config::check(config.as_deref(), policy.as_deref()));
        }
        Command::Config(ConfigCommand::Default { policy }) => cli::print(config::default_of(policy.as_deref())),
        Command::Backtest(options) => backtest::run(options, &runtime()?)?,
        Command::Run(options) => {
            let config = config::load(options.config.as_deref())?;
            runtime()?.block_on(running::run(config, options.roles))?;
        }
        Command::Reply(options) => reply::read(&options)?,
        Command::Metrics => cli::print(&metrics::reference()?),
        Command::Token(TokenCommand::New(options)) => tokens::new(&options)?,
        Command::Outreach(command) => runtime()?.block_on(outreaching::run(command))?,
        Command::Topics(TopicsCommand::Create { config }) => {
            let log = config::load_log(config.as_deref())?;
            runtime()?.block_on(opening::create_topics(&log))?;
        }
        Command::Explain(options) => runtime()?.block_on(explain::explain(options))?,
        Command::Completeness(options) => runtime()?.block_on(completeness::show(options))?,
        Command::Policy(PolicyCommand::Apply(options)) => runtime()?.block_on(applying::apply(options))?,
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { out } => manual::man(&out)?,
        Command::Operate(command) => runtime()?.block_on(operating::operate(command))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// Logs go to standard error; the demo is quiet unless asked, so that its picture stays whole.
fn start_tracing(cli: &Cli) {
    let quiet = !matches!(cli.command, Command::Run(_));
    let filter = tracing_subscriber::EnvFilter::try_from_env("WEIR_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(if quiet { "error" } else { "info" }));
    // Colours are for a terminal: in a file or a journal they are only noise.
    let is_colourful =
        std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(is_colourful).with_writer(std::io::stderr);
    if cli.json_log { subscriber.json().init() } else { subscriber.init() }
}
