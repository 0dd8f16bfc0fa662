//! `teal completions`: the script by which a shell completes commands and options.

use crate::cli::context::Context;
use crate::cli::{Cli, CliError, Exit, stdout};

/// Arguments of `teal completions`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The shell that is to read it.
    #[arg(value_enum)]
    shell: Shell,
}

/// The shells of the systems that HAProxy runs on.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Shell {
    /// /usr/share/bash-completion/completions/teal.
    Bash,
    /// `_teal` in a folder of `$fpath`.
    Zsh,
    /// ~/.config/fish/completions/teal.fish.
    Fish,
}

pub(in crate::cli) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let script = script(args.shell);
    if context.json {
        context.terminal().json(&serde_json::json!({ "script": script }));
    } else {
        stdout(&script)?;
    }
    Ok(Exit::Done)
}

fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    clap_complete::generate(shell, &mut Cli::shown(), "teal", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shell_is_told_of_commands_options_and_words_and_of_nothing_hidden() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let script = script(shell);
            for word in ["break-glass", "reason", "fish"] {
                assert!(script.contains(word), "{shell:?}: {word}");
            }
            assert!(!script.contains("sample-app") && !script.contains("shim"), "{shell:?}");
        }
    }
}
