//! `teal leave`: the way out of Teal.

use std::path::PathBuf;

use crate::cli::context::Context;
use crate::cli::engine::{self, Leave};
use crate::cli::new_file::NewFile;
use crate::cli::{CliError, Exit};
use crate::config::{Form, Loaded};

/// Arguments of `teal leave`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Where.
    #[arg(value_name = "ENV")]
    environment: String,
    /// Where the configuration is written; an existing file is never overwritten.
    #[arg(value_name = "FILE", default_value = "haproxy-static.cfg")]
    file: PathBuf,
}

pub(in crate::cli) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let loaded = context.load()?;
    let name = args.environment.as_str();
    let left = context.block_on(engine::leave(&loaded, name))?;
    let file = NewFile::beside(&args.file, 0o644, "teal leave ENV OTHER-FILE   writes another one")?;
    file.keep(&left.text)
        .map_err(|error| CliError::failed(format!("cannot write {}: {error}", args.file.display())))?;
    let refused = matches!(left.checked, Some(Err(_)));
    let exit = if refused { Exit::Failed } else { Exit::Done };
    context.terminal().json(&serde_json::json!({
        "environment": name, "wrote": args.file, "serves": left.serves, "processes": left.processes,
        "remove": left.remove, "exit": exit.code(),
    }));
    let form = loaded.config.environment(name)?.edge.form;
    context.terminal().print(&steps(&loaded, name, args, form, &left));
    Ok(exit)
}

fn steps(loaded: &Loaded, name: &str, args: &Args, form: Form, left: &Leave) -> String {
    let file = args.file.display();
    let serves: Vec<String> = left.serves.iter().map(|(component, colour)| format!("{component} {colour}")).collect();
    let mut lines = vec![format!("ok  wrote {file}: {} for good", serves.join(", "))];
    match &left.checked {
        Some(Ok(())) => lines.push("ok  HAProxy takes it".to_owned()),
        Some(Err(said)) => lines.push(format!("!!  HAProxy does not take it:\n{said}")),
        None => lines.push("--  not checked by HAProxy".to_owned()),
    }
    let check = match form {
        Form::Whole => format!("haproxy -c -f {file}"),
        Form::Fragment => format!("haproxy -c -f YOURS -f {file}"),
    };
    lines.push("\nNothing was changed. In this order, so that no request is lost:".to_owned());
    let place = match form {
        Form::Whole => "put it in the place of HAProxy's configuration",
        Form::Fragment => "put it in the place of Teal's fragment",
    };
    lines.push(format!("1. {check}, {place}, and reload HAProxy"));
    let others: Vec<&str> =
        loaded.config.environments.keys().map(String::as_str).filter(|other| *other != name).collect();
    lines.push(if others.is_empty() {
        "2. sudo systemctl disable --now teal   # what serves does not notice".to_owned()
    } else {
        format!(
            "2. take [environments.{name}] out of {} and reload the agent; it still has {}",
            loaded.path.display(),
            others.join(", ")
        )
    });
    if !left.processes.is_empty() {
        lines.push(
            "3. these run under Teal's shims until the machine restarts; start what serves by your own means before:"
                .to_owned(),
        );
        lines.extend(left.processes.iter().map(|process| format!("     {process}")));
    }
    if loaded.config.flags.is_some() && others.is_empty() {
        lines.push(
            "!! [flags] ends with the agent: applications go on with what they have on disk, and hear of no change"
                .to_owned(),
        );
    }
    lines.push(format!("{}. then remove:", if left.processes.is_empty() { 3 } else { 4 }));
    lines.extend(left.remove.iter().map(|path| format!("     {}", path.display())));
    lines.join("\n")
}
