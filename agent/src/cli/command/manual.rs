//! `teal manual`: the manual pages, one for each command, made of what `--help` is made of.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::cli::context::Context;
use crate::cli::{Cli, CliError, Exit, stdout};

/// Arguments of `teal manual`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Write a page for each command into this folder, for instance /usr/local/share/man/man1; older ones are replaced.
    #[arg(long, conflicts_with = "command")]
    dir: Option<PathBuf>,
    /// Whose page is shown, for instance `edge force`; else teal's own. Into a pipe it is written as `man -l -` reads it.
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
}

pub(in crate::cli) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    if let Some(folder) = &args.dir {
        let count = write(folder)?;
        context.terminal().json(&serde_json::json!({ "folder": folder, "pages": count }));
        context.terminal().print(&format!("ok  wrote {count} pages to {}", folder.display()));
        return Ok(Exit::Done);
    }
    let page = page(&args.command)?;
    if context.json {
        context.terminal().json(&serde_json::json!({ "page": page }));
    } else if std::io::stdout().is_terminal() {
        show(&page)?;
    } else {
        stdout(&page)?;
    }
    Ok(Exit::Done)
}

/// Every page as a file, `teal.1` to `teal-wait.1`; how many.
fn write(folder: &Path) -> Result<usize, CliError> {
    let failed = |path: &Path, error| CliError::failed(format!("cannot write {}: {error}", path.display()));
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let mut all = vec![built()];
    let mut count = 0;
    while let Some(command) = all.pop() {
        let path = folder.join(format!("{}.1", name(&command)));
        render(&command).and_then(|page| std::fs::write(&path, page)).map_err(|error| failed(&path, error))?;
        all.extend(command.get_subcommands().cloned());
        count += 1;
    }
    Ok(count)
}

/// One page as roff.
fn page(words: &[String]) -> Result<String, CliError> {
    let all = built();
    let mut command = &all;
    for word in words {
        let unknown = || CliError::usage(format!("`teal {}` is no command", words.join(" "))).hint("teal --help");
        command = command.find_subcommand(word).ok_or_else(unknown)?;
    }
    let page = render(command).map_err(|error| CliError::failed(format!("cannot write the page: {error}")))?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// With the options that commands take from those above them.
fn built() -> clap::Command {
    let mut all = Cli::shown();
    all.build();
    all
}

/// `teal-edge-force`.
fn name(command: &clap::Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

fn render(command: &clap::Command) -> std::io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let man = Man::new(command.clone()).title(name(command)).source(format!("teal {}", env!("CARGO_PKG_VERSION")));
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    if command.get_arguments().any(|argument| !argument.is_hide_set()) {
        man.render_options_section(&mut page)?;
    }
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let mut codes = Roff::new();
    codes.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in Exit::all() {
        codes.control("TP", []);
        codes.text([roman(code.to_string())]);
        codes.text([roman(meaning)]);
    }
    codes.to_writer(&mut page)?;
    Ok(page)
}

/// As `man` shows it.
fn show(page: &str) -> Result<(), CliError> {
    let file = tempfile::Builder::new().prefix("teal-").suffix(".1").tempfile();
    let file = file.and_then(|file| std::fs::write(file.path(), page).map(|()| file));
    let file = file.map_err(|error| CliError::failed(format!("cannot write a temporary file: {error}")))?;
    match Command::new("man").arg("-l").arg(file.path()).status() {
        Ok(status) if status.success() => Ok(()),
        said => {
            let why = said.map_or_else(|error| error.to_string(), |status| status.to_string());
            Err(CliError::failed(format!("man does not show it: {why}"))
                .hint("teal manual --dir DIR   writes the pages")
                .hint("teal --help             says the same"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_has_a_page_and_what_is_hidden_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let count = write(folder.path()).unwrap();
        let mut names: Vec<String> =
            std::fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert_eq!(names.len(), count);
        assert!(names.contains(&"teal.1".to_owned()) && names.contains(&"teal-edge-force.1".to_owned()), "{names:?}");
        assert!(!names.iter().any(|name| name.contains("shim") || name.contains("sample")), "{names:?}");
        assert_eq!(write(folder.path()).unwrap(), count, "older pages are replaced");
    }

    #[test]
    fn a_page_is_found_by_the_words_of_its_command() {
        let check = |words: &str, expected: Result<&str, Exit>| {
            let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
            let found = page(&words).map_err(|error| error.exit);
            match expected {
                Ok(text) => assert!(found.as_ref().unwrap().contains(text), "{words:?}: {found:?}"),
                Err(exit) => assert_eq!(found, Err(exit), "{words:?}"),
            }
        };
        check("", Ok("EXIT STATUS"));
        check("edge force", Ok("\\-\\-reason"));
        check("egde", Err(Exit::Usage));
        check("shim", Err(Exit::Usage));
    }
}
