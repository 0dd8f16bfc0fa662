//! `teal flags export`: all flags and segments as a file that can be read again exactly.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::document::{Format, exported, text};
use super::target::Service;
use super::warn;
use crate::cli::context::Context;
use crate::cli::{CliError, Exit};

/// Arguments of `teal flags export`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How it is written; else as the file's name says, or JSON.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Where to, readable by its owner alone; else the standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) async fn run(context: &Context, service: &Service, args: &Args) -> Result<Exit, CliError> {
    let prints_json = context.json && args.output.is_none();
    if prints_json && args.format() == Format::Yaml {
        return Err(CliError::usage(
            "--json prints JSON: leave out one of --json and --format yaml, or name an --output",
        ));
    }
    let document = service.client.snapshot().await?;
    for unread in &document.unreadable {
        warn(&format!("{} is of a newer version and goes out as it is", unread.name.as_deref().unwrap_or("something")));
    }
    let named: usize = document.segments.iter().map(|segment| segment.include.len() + segment.exclude.len()).sum();
    if named > 0 {
        warn(&format!("segments list {named} ids of users: keep the file as you keep those"));
    }
    let format = if prints_json { Format::Line } else { args.format() };
    let text = text(&exported(&document), format).map_err(CliError::failed)?;
    let Some(path) = &args.output else {
        // Not through the terminal: it is data, and a pipe that closes early is no mistake.
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
        return Ok(Exit::Done);
    };
    write(path, &text).map_err(|error| CliError::failed(format!("cannot write {}: {error}", path.display())))?;
    let (flags, segments) = (document.flags.len(), document.segments.len());
    context
        .terminal()
        .json(&json!({"wrote": path, "flags": flags, "segments": segments, "revision": document.revision}));
    context.terminal().print(&format!(
        "ok  {}: {flags} flags, {segments} segments, revision {}",
        path.display(),
        document.revision
    ));
    Ok(Exit::Done)
}

impl Args {
    fn format(&self) -> Format {
        let end = self.output.as_deref().and_then(Path::extension).and_then(|end| end.to_str());
        self.format.unwrap_or(if matches!(end, Some("yaml" | "yml")) { Format::Yaml } else { Format::Json })
    }
}

/// Whole or not at all: another file is never left half written.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}
