//! What a visitor can try while the platform goes on: a letter and Enter, on standard input.

use std::io::BufRead as _;

use tokio::sync::mpsc::{Receiver, channel};

/// Something to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trial {
    /// Show the worst customer.
    ShowWorst,
    /// Undo what Weir did to the customer that was shown, or else to the worst.
    Release,
    /// Make one provider refuse nearly all mail, or accept it again.
    ToggleOutage,
}

impl Trial {
    fn of_line(line: &str) -> Option<Self> {
        match line.trim() {
            "w" => Some(Self::ShowWorst),
            "u" => Some(Self::Release),
            "m" => Some(Self::ToggleOutage),
            _ => None,
        }
    }
}

/// The lines of standard input.
#[derive(Debug)]
pub(crate) struct Prompt(Receiver<String>);

impl Prompt {
    /// Begins to read standard input.
    pub(crate) fn start() -> Self {
        // One line at a time: the others wait in the terminal.
        let (sender, receiver) = channel(1);
        // Not tokio's standard input: the runtime could not end while that waits for a line. This thread ends with the process.
        std::thread::spawn(move || {
            let lines = std::io::stdin().lock().split(b'\n').map_while(Result::ok);
            lines.map(|line| String::from_utf8_lossy(&line).into_owned()).all(|line| sender.blocking_send(line).is_ok())
        });
        Self(receiver)
    }

    /// Returns the next trial, or `None` for a line that names none. Pends for ever once standard input has ended.
    pub(crate) async fn next(&mut self) -> Option<Trial> {
        match self.0.recv().await {
            Some(line) => Trial::of_line(&line),
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_names_a_trial() {
        let trials = ["w", " u ", "m\r", "", "wu", "W"].map(Trial::of_line);
        let [show, release, toggle, nothing @ ..] = trials;
        assert_eq!(show, Some(Trial::ShowWorst));
        assert_eq!(release, Some(Trial::Release));
        assert_eq!(toggle, Some(Trial::ToggleOutage));
        assert_eq!(nothing, [None; 3]);
    }
}
