//! The documents are true: their commands parse, their links lead somewhere, and what is stored is listed.
//!
//! ```text
//! *.md -> `teal ...` in ```sh blocks (whole) and in `code` (at least a command's name) -> the real command line
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap::error::ErrorKind;
use teal_agent::cli::Cli;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Every document, with its text.
fn documents() -> Vec<(PathBuf, String)> {
    let folders = [".", "docs", "docs/runbooks", "docs/reference", "docs/decisions", "examples/config"]
        .map(|folder| root().join(folder));
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    let documents = files.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    documents.map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// A command line and whether it must be complete.
struct Written {
    line: String,
    whole: bool,
}

fn commands(text: &str) -> Vec<Written> {
    let mut found = Vec::new();
    for (index, part) in text.split("```").enumerate() {
        if index % 2 == 1 {
            let lines = part.strip_prefix("sh\n").unwrap_or_default().lines();
            let lines = lines.filter(|line| line.starts_with("teal "));
            found.extend(lines.map(|line| Written { line: line.to_owned(), whole: true }));
        } else {
            let code = part.split('`').skip(1).step_by(2).filter(|code| code.starts_with("teal "));
            found.extend(code.map(|code| Written { line: code.replace('\n', " "), whole: false }));
        }
    }
    found
}

/// Words as a shell makes them, up to a comment, a redirection or the end of the command.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in line.chars().chain([' ']) {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => match std::mem::take(&mut word) {
                end if ["#", ">", "&", "&&", "|", "||"].contains(&end.as_str()) => break,
                empty if empty.is_empty() => {}
                full => words.push(full),
            },
            c => word.push(c),
        }
    }
    words
}

fn mistake(Written { line, whole }: &Written) -> Option<String> {
    // Placeholders: what stands for a value has to be one.
    let stand_ins = [("ENV", "prod"), ("COLOUR", "blue"), ("RELEASE", "r-0001"), ("NAME", "app"), ("...", "v1")];
    let word = |word: String| {
        stand_ins.iter().find(|(name, _)| *name == word).map_or(word.clone(), |(_, value)| (*value).to_owned())
    };
    let error = Cli::command().try_get_matches_from(words(line).into_iter().map(word)).err()?;
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => None,
        // `teal edge force` in a sentence is a name.
        ErrorKind::MissingRequiredArgument
        | ErrorKind::MissingSubcommand
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            if !whole =>
        {
            None
        }
        _ => Some(format!("`{line}`: {}", error.render().to_string().lines().next().unwrap_or_default())),
    }
}

#[test]
fn every_command_in_the_documents_is_one() {
    let mut count = 0;
    let mut wrong = Vec::new();
    // The records and the log of changes may speak of what was or will be.
    for (path, text) in documents().into_iter().filter(|(path, _)| !path.ends_with("CHANGELOG.md")) {
        let commands = commands(&text);
        count += commands.len();
        wrong.extend(commands.iter().filter_map(mistake).map(|mistake| format!("{}: {mistake}", path.display())));
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    assert!(count > 25, "only {count} commands were found: are they written in another way?");
}

#[test]
fn a_command_that_is_none_is_found() {
    let check = |text: &str, mistakes: usize| {
        assert_eq!(commands(text).iter().filter_map(mistake).count(), mistakes, "{text}");
    };
    check("```sh\nteal status\nteal deploy prod v2 --plan   # shows\nteal agent &\n```", 0);
    check("```sh\nteal statsu\nteal deploy prod\nteal edge force prod red --reason \"a b\"\n```", 3);
    check("```\nteal prints this\n```", 0);
    check("Say `teal edge force`, `teal rollback ENV` or `teal edge force ENV COLOUR --reason \"why\"`.", 0);
    check("Say `teal roll`, `teal demo --fsat` or `teal rollback prod now`.", 3);
}

#[test]
fn every_link_leads_to_a_file() {
    let mut gone = Vec::new();
    for (path, text) in documents() {
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
        let local = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
        for target in local {
            // A link may be broken over two lines.
            let target = target.split('#').next().unwrap_or_default().replace('\n', "");
            if !path.parent().unwrap().join(&target).exists() {
                gone.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(gone.is_empty(), "\n{}\n", gone.join("\n"));
}

#[test]
fn every_code_of_the_exit_table_is_in_the_readme() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for code in 0..=8 {
        assert_eq!(readme.matches(&format!("\n| {code} | ")).count(), 1, "exit code {code}");
    }
}

#[test]
fn the_table_of_what_each_role_may_do_is_the_one_that_is_enforced() {
    let access = fs::read_to_string(root().join("docs/flag-access.md")).unwrap();
    let written: Vec<&str> =
        access.lines().filter(|line| line.contains("| `/api/") || line.contains("| `/ofrep/")).collect();
    let row = |rule: &teal_agent::access::Rule| format!("| `{}` | `{}` | {} |", rule.method, rule.path, rule.roles);
    let enforced: Vec<String> = teal_agent::access::RULES.iter().map(row).collect();
    assert_eq!(written, enforced);
}

/// `table.column` of each CREATE TABLE.
fn columns(sql: &str) -> Vec<String> {
    let mut table = None;
    let mut columns = Vec::new();
    for line in sql.lines().map(str::trim) {
        let altered = line.strip_prefix("ALTER TABLE ").and_then(|rest| rest.split_once(" ADD COLUMN "));
        if let Some((table, column)) = altered {
            let table = table.trim_start_matches("teal.");
            columns.extend(column.split(' ').next().map(|column| format!("{table}.{column}")));
        }
        let mut words = line.split_whitespace().map(|word| word.trim_end_matches(','));
        match (words.next(), words.next(), words.next()) {
            (Some("CREATE"), Some("TABLE"), Some(name)) => {
                assert!(name.starts_with(|c: char| c.is_lowercase()), "a table of what name? {line}");
                table = Some(name.strip_prefix("teal.").unwrap_or(name).to_owned());
            }
            (Some(")"), ..) => table = None,
            // Whatever its type is: constraints begin with a word in capitals.
            (Some(name), Some(_), _) if name.starts_with(|c: char| c.is_lowercase()) => {
                columns.extend(table.as_ref().map(|table| format!("{table}.{name}")));
            }
            _ => {}
        }
        if line.starts_with(')') {
            table = None;
        }
    }
    columns
}

#[test]
fn every_stored_column_is_in_the_record_of_what_is_stored() {
    let privacy = fs::read_to_string(root().join("docs/privacy.md")).unwrap();
    let mut count = 0;
    let folders = ["migrations/sqlite", "migrations/sqlite/flags", "migrations/postgres/flags"];
    let files = folders.into_iter().flat_map(|folder| fs::read_dir(root().join(folder)).unwrap());
    let files = files.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    for path in files {
        let sql = fs::read_to_string(path).unwrap();
        for column in columns(&sql) {
            assert!(privacy.contains(&format!("`{column}`")), "docs/privacy.md does not say what `{column}` holds");
            count += 1;
        }
    }
    assert!(count >= 70, "only {count} columns were found in migrations");
}
