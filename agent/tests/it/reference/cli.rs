//! `docs/reference/cli.md` is what the command line's own definitions say.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use clap::{Arg, ArgAction, Command};
use teal_agent::cli::{Cli, Exit};

use crate::said;
use crate::site::TEAL;

const BEGINNING: &str = "\
# The command line

Made by a test of what `teal --help` is made of; `teal manual` shows it in a terminal, `teal manual --dir DIR` writes pages for `man`,
`teal completions bash` (or `zsh`, `fish`) prints what a shell needs to complete it. Options stand anywhere after the command. An option goes
before its environment variable, and that before the configuration.

";

/// What is read of the environment beside the options' own variables.
const VARIABLES: [(&str, &str); 7] = [
    ("NO_COLOR", "set to anything: no colours"),
    ("PATH", "where `haproxy` is looked for, before the system's folders"),
    ("RUST_LOG", "what the agent logs, for instance `debug` or `teal_agent=debug,info`; `info` without it"),
    ("SUDO_USER", "who is on record for an order, with sudo; else `USER`, else `LOGNAME`"),
    ("TEAL_HAPROXY", "the HAProxy that checks configurations and runs the demo, instead of the one in `PATH`"),
    ("TEAL_TOKEN", "the token for `teal flags` and `teal token`, where no file is named"),
    ("TERM", "`dumb`: nothing is redrawn in place"),
];

/// Read, and set by the system.
const NOT_FOR_USERS: [&str; 2] = ["USER", "LOGNAME"];

fn page() -> String {
    let raw = Cli::shown();
    let mut built = raw.clone().term_width(100);
    built.build();
    let mut page = BEGINNING.to_owned();
    page.push_str("## Exit codes\nOf every command; [what to do then](../../README.md#exit-codes).\n\n| code | means |\n|---|---|\n");
    for (code, meaning) in Exit::all() {
        writeln!(page, "| {code} | {meaning} |").unwrap();
    }
    page.push_str("\n## Environment variables\nBeside those of options.\n\n| variable | meaning |\n|---|---|\n");
    for (name, meaning) in VARIABLES {
        writeln!(page, "| `{name}` | {meaning} |").unwrap();
    }
    page.push_str("\n## With every command\n");
    arguments(&mut page, &raw);
    for command in raw.get_subcommands() {
        section(&mut page, command, built.find_subcommand(command.get_name()).unwrap(), "teal");
    }
    page
}

/// `raw` has its own arguments only, `built` knows how it is called.
fn section(page: &mut String, raw: &Command, built: &Command, above: &str) {
    let name = format!("{above} {}", raw.get_name());
    let about = raw.get_long_about().or(raw.get_about()).map(ToString::to_string).unwrap_or_default();
    let usage = built.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").replace("\n       ", "\n");
    write!(page, "\n## {name}\n{}.\n```\n{usage}\n```\n", cell(&about).trim_end_matches('.')).unwrap();
    arguments(page, raw);
    for command in raw.get_subcommands() {
        section(page, command, built.find_subcommand(command.get_name()).unwrap(), &name);
    }
}

fn arguments(page: &mut String, command: &Command) {
    let all: Vec<&Arg> = command.get_arguments().filter(|argument| !argument.is_hide_set()).collect();
    if all.is_empty() {
        return;
    }
    let below = all.iter().any(|argument| argument.is_global_set()) && command.get_name() != "teal";
    let note = if below { "These options go with the commands below as well.\n\n" } else { "\n" };
    write!(page, "{note}| argument | meaning | default | variable |\n|---|---|---|---|\n").unwrap();
    for argument in all {
        let variable = argument.get_env().map_or(String::new(), |name| format!("`{}`", name.to_string_lossy()));
        let row = format!("| {} | {} | {} | {variable} |", name(argument), meaning(argument), default(argument));
        writeln!(page, "{row}").unwrap();
    }
}

/// `` `-y`, `--yes` ``, `` `--reason REASON` `` or `` `ENV` ``.
fn name(argument: &Arg) -> String {
    let values: Vec<String> = argument.get_value_names().unwrap_or_default().iter().map(ToString::to_string).collect();
    let takes = matches!(argument.get_action(), ArgAction::Set | ArgAction::Append);
    let values = if takes { values.join(" ") } else { String::new() };
    match (argument.get_short(), argument.get_long()) {
        (short, Some(long)) => {
            let short = short.map_or(String::new(), |short| format!("`-{short}`, "));
            format!("{short}`{}`", format!("--{long} {values}").trim_end())
        }
        (Some(short), None) => format!("`-{short}`"),
        (None, None) => format!("`{values}`"),
    }
}

fn meaning(argument: &Arg) -> String {
    let help = argument.get_long_help().or(argument.get_help()).map(ToString::to_string).unwrap_or_default();
    let mut meaning = cell(&help);
    let words: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|_| matches!(argument.get_action(), ArgAction::Set | ArgAction::Append))
        .map(|value| match value.get_help() {
            Some(help) => format!("`{}`: {}", value.get_name(), cell(&help.to_string())),
            None => format!("`{}`", value.get_name()),
        })
        .collect();
    if !words.is_empty() {
        write!(meaning, ". One of {}", words.join(", ")).unwrap();
    }
    if argument.is_required_set() {
        meaning.push_str(". Required");
    }
    if matches!(argument.get_action(), ArgAction::Append) {
        meaning.push_str(". May be repeated");
    }
    meaning
}

fn default(argument: &Arg) -> String {
    let values: Vec<String> =
        argument.get_default_values().iter().map(|value| format!("`{}`", value.to_string_lossy())).collect();
    let is_switch = matches!(argument.get_action(), ArgAction::SetTrue);
    if is_switch { "off".to_owned() } else { values.join(" ") }
}

/// Text that can stand in a table, without the dot at its end.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|").trim_end_matches('.').to_owned()
}

#[test]
fn the_page_of_the_command_line_is_the_committed_one() {
    super::committed("cli.md", &page());
}

#[test]
fn bash_completes_commands_by_the_script() {
    let script = "source <(\"$1\" completions bash); COMP_WORDS=(teal roll); COMP_CWORD=1; _teal teal roll teal; echo \"${COMPREPLY[@]}\"";
    let output = std::process::Command::new("bash").args(["-c", script, "bash", TEAL]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "rollback", "{output:?}");
}

#[test]
fn the_manual_is_one_page_or_a_folder_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let teal = |words: &[&str]| said::teal(folder.path(), words);
    teal(&["manual", "edge", "force"]).expect(0, &[".TH teal-edge-force 1", "EXIT STATUS"]);
    teal(&["manual", "--json"]).expect(0, &["{\"page\":", "TEAL_CONFIG"]);
    teal(&["manual", "--dir", "man1"]).expect(0, &["ok  wrote ", " pages to man1"]);
    assert!(folder.path().join("man1/teal-flags-set.1").is_file());
    teal(&["manual", "forc"]).expect(2, &["`teal forc` is no command"]);
}

#[test]
fn every_command_and_option_says_what_it_does() {
    let mut silent = Vec::new();
    let mut all = vec![("teal".to_owned(), Cli::shown())];
    while let Some((name, command)) = all.pop() {
        if command.get_about().is_none() {
            silent.push(name.clone());
        }
        let without =
            command.get_arguments().filter(|argument| !argument.is_hide_set() && argument.get_help().is_none());
        silent.extend(without.map(|argument| format!("{name}: {}", argument.get_id())));
        all.extend(command.get_subcommands().map(|below| (format!("{name} {}", below.get_name()), below.clone())));
    }
    assert!(silent.is_empty(), "{silent:#?}");
}

/// `NAME` of each `env::var("NAME")` and `env::var_os("NAME")` of the product.
fn variables(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() && entry.file_name().is_some_and(|name| name != "tests") {
            variables(&entry, found);
        } else if entry.extension().is_some_and(|extension| extension == "rs") && !entry.ends_with("tests.rs") {
            let text = fs::read_to_string(&entry).unwrap();
            let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            for call in ["env::var(\"", "env::var_os(\""] {
                found.extend(product.split(call).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
            }
        }
    }
}

#[test]
fn every_variable_that_is_read_is_in_the_page() {
    let mut found = BTreeSet::new();
    variables(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    let listed: BTreeSet<&str> = VARIABLES.iter().map(|(name, _)| *name).chain(NOT_FOR_USERS).collect();
    let missing: Vec<&String> = found.iter().filter(|name| !listed.contains(name.as_str())).collect();
    assert!(found.len() >= 4 && missing.is_empty(), "not in `VARIABLES`: {missing:?} of {found:?}");
}
