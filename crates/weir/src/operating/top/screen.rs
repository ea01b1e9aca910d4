//! The terminal, taken over for a while and given back whatever happens.

use std::mem::ManuallyDrop;
use std::time::Duration;

use anyhow::Context;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::rendering::Look;
use crate::rendering::top::{Key, Top, draw};

/// How long it is waited for a key before it is looked whether to end.
const WAITING: Duration = Duration::from_millis(100);
/// Keys that wait to be taken: a person types no faster.
const TYPED_AHEAD: usize = 16;

/// The terminal in another screen, without echo. Dropped, it is as it was; a panic gives it back first, so that what it says can
/// be read.
pub(super) struct Screen(ManuallyDrop<DefaultTerminal>);

impl Screen {
    pub(super) fn open() -> anyhow::Result<Self> {
        Ok(Self(ManuallyDrop::new(ratatui::try_init().context("the terminal can't be taken over")?)))
    }

    pub(super) fn draw(&mut self, top: &Top, look: &Look) -> anyhow::Result<()> {
        self.0
            .draw(|frame| draw(top, look, frame.area(), frame.buffer_mut()))
            .context("the terminal can't be drawn on")?;
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone can't be given back, nor can that be said on it. The library's own drop, which is left out,
        // would panic over it.
        let _shown = self.0.show_cursor().is_ok();
        let _given_back = ratatui::try_restore().is_ok();
    }
}

/// The keys that are pressed, read on a thread of its own. Nobody waits for that thread: where the terminal is gone, looking for
/// a key may never return.
pub(super) struct Keys {
    pressed: mpsc::Receiver<Option<Key>>,
    _end: DropGuard,
}

impl Keys {
    pub(super) fn listen() -> anyhow::Result<Self> {
        let (sender, pressed) = mpsc::channel(TYPED_AHEAD);
        let end = CancellationToken::new();
        let ended = end.clone();
        let thread = std::thread::Builder::new().name("keys".to_owned()).spawn(move || {
            while !ended.is_cancelled() {
                match next() {
                    Ok(None) => {}
                    Ok(Some(event)) if sender.blocking_send(meaning(&event)).is_ok() => {}
                    Ok(Some(_)) | Err(_) => return,
                }
            }
        });
        thread.context("no thread for the keys")?;
        Ok(Self { pressed, _end: end.drop_guard() })
    }

    /// The next key; inside, nothing where it means nothing or the terminal has another size. Nothing at all where no key can come
    /// any more.
    pub(super) async fn next(&mut self) -> Option<Option<Key>> {
        self.pressed.recv().await
    }
}

fn next() -> std::io::Result<Option<Event>> {
    if event::poll(WAITING)? { event::read().map(Some) } else { Ok(None) }
}

fn meaning(event: &Event) -> Option<Key> {
    let Event::Key(KeyEvent { code, modifiers, kind: KeyEventKind::Press | KeyEventKind::Repeat, .. }) = event else {
        return None;
    };
    match code {
        KeyCode::Char('c') if modifiers.contains(KeyModifiers::CONTROL) => Some(Key::Quit),
        KeyCode::Char('q') => Some(Key::Quit),
        KeyCode::Up | KeyCode::Char('k') => Some(Key::Up),
        KeyCode::Down | KeyCode::Char('j') => Some(Key::Down),
        KeyCode::PageUp => Some(Key::PageUp),
        KeyCode::PageDown => Some(Key::PageDown),
        KeyCode::Enter => Some(Key::Enter),
        KeyCode::Esc | KeyCode::Left | KeyCode::Backspace => Some(Key::Back),
        _ => None,
    }
}
