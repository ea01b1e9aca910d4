//! Where a key stands, for whoever has to find it.

use policy::Fault;

/// The text that spans are offsets into.
pub(super) enum Places {
    /// The file's own: a place in it is one that its author can go to.
    OfTheFile(String),
    /// The file's with the environment laid over it, written anew: nobody has seen its lines, so that the key must do.
    LaidOver(String),
}

impl Places {
    /// `message` with the place of what stands `at` this offset, where it stands anywhere.
    pub(super) fn told(&self, at: Option<usize>, message: &str) -> String {
        let place = match (self, at) {
            (Self::OfTheFile(text), Some(at)) => return Fault::new(text, at, message.to_owned()).to_string(),
            (Self::LaidOver(text), Some(at)) => key_at(text, at),
            (_, None) => None,
        };
        place.map_or_else(|| message.to_owned(), |key| format!("{key}: {message}"))
    }
}

/// The key whose value, or whose name, stands at this offset: `[log] max_age`. Written anew, each stands on a line of its own.
fn key_at(text: &str, at: usize) -> Option<String> {
    let before = text.get(..at)?;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = text.get(start..)?.lines().next()?;
    let section = before.lines().rev().find(|line| line.starts_with('[')).unwrap_or_default();
    match line.split_once('=') {
        _ if line.starts_with('[') => Some(line.to_owned()),
        Some((key, _)) => Some(format!("{section} {}", key.trim()).trim_start().to_owned()),
        None => Some(section.to_owned()),
    }
}
