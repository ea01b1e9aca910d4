//! What shells and `man` are told of the command line: made from the same definition that parses it.

use std::path::Path;

use anyhow::Context;
use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::{Cli, print};

const NAME: &str = "weir";

/// Prints a shell's completions.
pub(crate) fn completions(shell: Shell) {
    print(&String::from_utf8_lossy(&completions_of(shell)));
}

fn completions_of(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), NAME, &mut script);
    script
}

/// Writes a man page for each command into the folder.
pub(crate) fn man(out: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(out).with_context(|| format!("{} can't be made", out.display()))?;
    // What is left out would be a page of `help` for each command.
    let command = Cli::command().disable_help_subcommand(true);
    clap_mangen::generate_to(command, out)
        .with_context(|| format!("man pages can't be written to {}", out.display()))?;
    print(&format!("The man pages are in {}; try: man {}/{NAME}.1", out.display(), out.display()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_help(command: &clap::Command) -> bool {
        command.get_name() == "help"
    }

    /// Each command below this one, by the words that name it.
    fn walk(command: &clap::Command, path: &[String], visit: &mut impl FnMut(&clap::Command, &[String])) {
        visit(command, path);
        for below in command.get_subcommands().filter(|below| !is_help(below)) {
            let path: Vec<_> = path.iter().cloned().chain([below.get_name().to_owned()]).collect();
            walk(below, &path, visit);
        }
    }

    fn options(command: &clap::Command) -> Vec<String> {
        command.get_arguments().filter_map(|argument| argument.get_long()).map(|long| format!("--{long}")).collect()
    }

    /// An option as a shell's completions have it.
    fn written(shell: Shell, option: &str) -> String {
        if shell == Shell::Fish { option.replace("--", "-l ") } else { option.to_owned() }
    }

    #[test]
    fn every_command_and_option_is_in_the_man_pages() {
        let folder = tempfile::tempdir().unwrap();
        man(folder.path()).unwrap();
        let mut command = Cli::command();
        command.build();
        let mut commands = 0;
        walk(&command, &[NAME.to_owned()], &mut |command, path| {
            commands += 1;
            let page = std::fs::read_to_string(folder.path().join(format!("{}.1", path.join("-")))).unwrap();
            let plain = page.replace('\\', "");
            assert!(plain.contains(&path.join("-")), "{path:?}");
            for option in options(command) {
                assert!(plain.contains(&option), "{option} of {path:?}");
            }
        });
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), commands);
        assert!(commands > 30, "{commands}");
    }

    #[test]
    fn every_command_and_option_is_completed() {
        let scripts: Vec<_> = [Shell::Bash, Shell::Zsh, Shell::Fish]
            .map(|shell| (shell, String::from_utf8(completions_of(shell)).unwrap()))
            .into();
        let mut command = Cli::command();
        command.build();
        walk(&command, &[NAME.to_owned()], &mut |command, path| {
            for (shell, script) in &scripts {
                assert!(script.contains(path.last().unwrap()), "{path:?} in {shell}");
                for option in options(command).iter().map(|option| written(*shell, option)) {
                    assert!(script.contains(&option), "{option} of {path:?} in {shell}");
                }
            }
        });
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_says_what_it_does() {
        walk(&Cli::command(), &[NAME.to_owned()], &mut |command, path| {
            assert!(command.get_about().is_some(), "{path:?}");
            for argument in command.get_arguments().filter(|argument| argument.get_id() != "help") {
                assert!(argument.get_help().is_some(), "{} of {path:?}", argument.get_id());
            }
        });
    }
}
