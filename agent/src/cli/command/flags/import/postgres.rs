//! `teal flags import --from-postgres`: what an application keeps in tables of its own, carried over with ids and history.
//!
//! ```text
//! its PostgreSQL --foreign--> flags, history, what is left out --yes--> one request --> the service: all of it or nothing
//! ```

use std::path::Path;

use serde_json::json;

use crate::cli::command::flags::target::Service;
use crate::cli::confirm::confirm;
use crate::cli::context::Context;
use crate::cli::{CliError, Exit};
use crate::foreign::{self, ForeignError};

pub(super) async fn run(
    context: &Context,
    service: &Service,
    dsn: &Path,
    args: &super::Args,
) -> Result<Exit, CliError> {
    let found = foreign::read(dsn, args.schema.as_deref()).await.map_err(|error| {
        let exit = match error {
            ForeignError::Sql(_) | ForeignError::Slow { .. } => Exit::Unreachable,
            _ => Exit::Usage,
        };
        CliError::new(exit, error.to_string())
    })?;
    let mut terminal = context.terminal();
    let (flags, lines) = (found.flags.len(), found.history.len());
    terminal.print(&format!("{}: {flags} flags, {lines} lines of history", found.table));
    for left_out in &found.left_out {
        terminal.print(&format!("    left out: {left_out}"));
    }
    let told = |done: Option<&serde_json::Value>| json!({"table": found.table, "flags": flags, "history": lines, "left_out": found.left_out, "done": done});
    if args.dry_run || flags == 0 {
        terminal.json(&told(None));
        terminal.print(if args.dry_run { "--  dry run: nothing was changed" } else { "ok  nothing to do" });
        return Ok(Exit::Done);
    }
    confirm("import", &format!("carries over {flags} flags, all of them or none"), args.yes)?;
    let reason = args.reason.clone().unwrap_or_else(|| format!("carried over from {}", found.table));
    let done = service.client.import(&json!({"flags": found.flags, "history": found.history}), &reason).await?;
    terminal.json(&told(Some(&done)));
    let count = |field: &str| done[field].as_array().map_or(0, Vec::len);
    let summary = format!(
        "ok  {} new, {} in the place of default flags, {} there already; {} new lines of history",
        count("created"),
        count("replaced"),
        count("same"),
        done["history"]
    );
    terminal.print(&summary);
    Ok(Exit::Done)
}
