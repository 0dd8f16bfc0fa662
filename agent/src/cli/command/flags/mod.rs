//! `teal flags`: the flag service from the command line, one file a subcommand.
//!
//! ```text
//! target.rs: which service, with what token --> client::flags::FlagClient
//! subcommand --> FlagClient --> render/flags (pure) --> terminal
//! ```

mod audit;
mod check;
mod compare;
mod create;
mod delete;
mod document;
mod export;
mod fields;
mod get;
mod import;
mod known;
mod list;
mod set;
mod stale;
mod target;
mod users;

use crate::cli::context::Context;
use crate::cli::{CliError, Exit};
use target::Target;

/// Arguments of `teal flags`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// All flags, or those that are looked for.
    List(list::Args),
    /// One flag, with all that decides who gets it.
    Get(get::Args),
    /// Make a flag; it is off unless you say otherwise.
    Create(create::Args),
    /// Change a flag; shows what was, what is, and how many users it touches.
    Set(set::Args),
    /// Delete a flag for good; `set --archive` keeps it for the record.
    Delete(delete::Args),
    /// Who changed a flag, when, what and why.
    Audit(audit::Args),
    /// What a flag answers to somebody, or to how many of many.
    Check(check::Args),
    /// Who would change side if this service answered instead of another one.
    Compare(compare::Args),
    /// Flags that can go: nobody asks for them, or they are the same for all.
    Stale(stale::Args),
    /// All flags and segments as a file that can be read again exactly.
    Export(export::Args),
    /// Bring in flags from a file: Teal's own, Unleash's or flagd's. Shows a plan first.
    Import(import::Args),
}

pub(in crate::cli) async fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let Args { target, command } = args;
    let service = target.service(context)?;
    match command {
        Command::List(args) => list::run(context, &service, args).await,
        Command::Get(args) => get::run(context, &service, args).await,
        Command::Create(args) => create::run(context, &service, args).await,
        Command::Set(args) => set::run(context, &service, args).await,
        Command::Delete(args) => delete::run(context, &service, args).await,
        Command::Audit(args) => audit::run(context, &service, args).await,
        Command::Check(args) => check::run(context, &service, args).await,
        Command::Compare(args) => compare::run(context, target, &service, args).await,
        Command::Stale(args) => stale::run(context, &service, args).await,
        Command::Export(args) => export::run(context, &service, args).await,
        Command::Import(args) => import::run(context, &service, args).await,
    }
}

/// The moment, as this machine's clock has it.
pub(super) fn now() -> teal_flags::model::Timestamp {
    let millis = time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000;
    teal_flags::model::Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

/// The command as it was given, for a shell.
fn again() -> String {
    let words = std::env::args().skip(1).map(|word| quoted(&word));
    std::iter::once("teal".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

/// Another command to the same service, for a shell: with the options that say which.
fn teal(rest: &str) -> String {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let options = target_options(&words).map(quoted);
    let words = ["teal".to_owned(), "flags".to_owned()].into_iter().chain(options).chain([rest.to_owned()]);
    words.collect::<Vec<_>>().join(" ")
}

/// Those of these words that say which service is meant, and how it is asked.
fn target_options(words: &[String]) -> impl Iterator<Item = &str> {
    const WITH_VALUE: [&str; 4] = ["--url", "--token-file", "--ca-file", "--config"];
    let mut is_value = false;
    words.iter().map(String::as_str).take_while(|word| *word != "--").filter(move |word| {
        let was_option = std::mem::replace(&mut is_value, WITH_VALUE.contains(word));
        let with_value = word.split_once('=').is_some_and(|(option, _)| WITH_VALUE.contains(&option));
        was_option || is_value || with_value || *word == "--plain-http"
    })
}

/// In quotes where a shell would take it for more than a word.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// Beside the answer, so that it does not stand in what a script reads.
fn warn(text: &str) {
    let yellow = anstyle::AnsiColor::Yellow.on_default().bold();
    anstream::eprintln!("{yellow}warning{yellow:#}: {text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_asks_the_same_service() {
        let check = |given: &[&str], expected: &[&str]| {
            let words: Vec<String> = given.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(target_options(&words).collect::<Vec<_>>(), expected, "{given:?}");
        };
        check(&["flags", "set", "a", "--on"], &[]);
        check(&["--config", "a.toml", "flags", "set", "a"], &["--config", "a.toml"]);
        check(&["flags", "--url=http://x", "set", "a", "--plain-http", "--on"], &["--url=http://x", "--plain-http"]);
        check(
            &["flags", "set", "--token-file", "t", "a", "--ca-file", "c", "--on"],
            &["--token-file", "t", "--ca-file", "c"],
        );
        check(&["flags", "set", "a", "--reason=--url x", "--", "--url", "y"], &[]);
    }

    #[test]
    fn a_command_can_be_given_again_as_it_is_shown() {
        let check = |word: &str, expected: &str| assert_eq!(quoted(word), expected);
        check("--rollout=12.5", "--rollout=12.5");
        check("a quarter", "'a quarter'");
        check("it's", "'it'\\''s'");
        check("", "''");
    }
}
