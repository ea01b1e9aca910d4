//! `weir top`: what happens, live in the terminal.

mod asking;
mod screen;

use std::io::IsTerminal as _;
use std::time::Duration;

use anyhow::ensure;
use ratatui::layout::Rect;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use self::asking::Asker;
use self::screen::{Keys, Screen};
use super::Output;
use crate::cli::print;
use crate::cli::see::TopOptions;
use crate::clock;
use crate::rendering::Look;
use crate::rendering::top::{News, Step, Top, as_text};
use crate::running_weir::RunningWeir;
use crate::shutdown::Signals;

/// The terminal that everybody has.
const SMALL: Rect = Rect::new(0, 0, 80, 24);
/// News that wait to be drawn; whoever has more waits with them.
const WAITING: usize = 16;

/// Shows it until it is told to end, or prints one frame of it.
pub(crate) async fn show(options: TopOptions) -> anyhow::Result<()> {
    let weir = RunningWeir::named(&options.at)?;
    let look = Output::new(false).look;
    let asker = Asker::new(weir, look);
    if options.once {
        let text = one_frame(&asker, look).await?;
        print(&text);
        return Ok(());
    }
    let is_terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    ensure!(is_terminal, "`weir top` needs a terminal; `weir top --once` prints one frame as text");
    watch(asker, look, Duration::from_secs(options.every)).await
}

async fn one_frame(asker: &Asker, look: Look) -> anyhow::Result<String> {
    let mut top = Top::new(asker.base().to_owned());
    top.take(asker.snapshot().await?);
    top.take(asker.latest_decisions().await?.0);
    let size = ratatui::crossterm::terminal::size().ok().filter(|_| look.width.is_some());
    let area = size.map_or(SMALL, |(width, height)| Rect::new(0, 0, width, height));
    Ok(as_text(&top, &look, area))
}

/// Draws whenever a key is pressed or something has come, until the end.
async fn watch(asker: Asker, look: Look, every: Duration) -> anyhow::Result<()> {
    let (sender, mut news) = mpsc::channel(WAITING);
    let mut top = Top::new(asker.base().to_owned());
    let mut tasks = JoinSet::new();
    tasks.spawn(asker.clone().look(every, sender.clone()));
    tasks.spawn(asker.clone().follow(sender.clone()));
    let mut screen = Screen::open()?;
    let mut keys = Keys::listen()?;
    // Ctrl-C is a key here, but another process may send its signal.
    let mut signals = Signals::listen()?;
    let mut refreshes = tokio::time::interval(every);
    loop {
        screen.draw(&top, &Look { now: clock::system()(), ..look })?;
        let step = tokio::select! {
            key = keys.next() => key.map_or(Step::Quit, |key| key.map_or(Step::Stay, |key| top.press(key))),
            Some(news) = news.recv() => took(&mut top, news),
            () = signals.next() => Step::Quit,
            _ = refreshes.tick() => top.opened().map_or(Step::Stay, |name| Step::Ask(name.to_owned())),
            Some(_ended) = tasks.join_next() => Step::Stay,
        };
        match step {
            Step::Stay => {}
            Step::Quit => return Ok(()),
            Step::Ask(name) => drop(tasks.spawn(asker.clone().customer(name, sender.clone()))),
        }
    }
}

fn took(top: &mut Top, news: News) -> Step {
    top.take(news);
    Step::Stay
}
