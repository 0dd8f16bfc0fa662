//! Asks before what cannot be undone by a key.

use std::io::{BufRead, IsTerminal, Write};

use super::CliError;

/// Asks to type `word`; `--yes` answers for the operator, and without a terminal nobody can.
pub(super) fn confirm(word: &str, question: &str, yes: bool) -> Result<(), CliError> {
    if yes {
        return Ok(());
    }
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        let message = format!("{question}: this asks to type {word}, and nobody is at the terminal");
        return Err(CliError::usage(message).hint("--yes   answers it"));
    }
    anstream::eprint!("{question}. Type {word} to go on: ");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    let read = stdin.lock().read_line(&mut answer);
    read.map_err(|error| CliError::failed(format!("cannot read the answer: {error}")))?;
    if answer.trim() == word { Ok(()) } else { Err(CliError::usage("not confirmed; nothing was done")) }
}
