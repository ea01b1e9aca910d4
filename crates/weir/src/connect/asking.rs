//! Asking whether it shall be done.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

/// Whether whoever sits there says yes.
pub(super) fn agreed(is_agreed: bool) -> anyhow::Result<bool> {
    if is_agreed {
        return Ok(true);
    }
    let stdin = std::io::stdin();
    anyhow::ensure!(stdin.is_terminal(), "nothing was done: nobody is there to say yes, so say it with --yes");
    let mut out = std::io::stdout();
    write!(out, "Do this? Type yes: ")?;
    out.flush()?;
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}
