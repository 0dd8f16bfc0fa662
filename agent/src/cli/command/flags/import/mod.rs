//! `teal flags import`: shows what a file would change, and changes that after a yes.
//!
//! ```text
//! file --source--> document --plan--> create | change | same | refused --yes--> one request each, until one fails
//! ```
//! Nothing is overwritten that the plan did not show: a change goes with the entity tag of what the plan compared with. What is there
//! and not in the file stays. Done again, it does what is still to be done.

mod plan;
mod postgres;
mod source;

use std::path::PathBuf;

use serde_json::{Value, json};

use super::document::plain;
use super::target::Service;
use super::{now, warn};
use crate::cli::confirm::confirm;
use crate::cli::context::Context;
use crate::cli::render::flags::diff::diff;
use crate::cli::render::flags::plan::{self as render, Action, Item, Kind};
use crate::cli::{CliError, Exit};
use source::{Format, Source};

/// Arguments of `teal flags import`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file, JSON or YAML; - is the standard input.
    #[arg(value_name = "FILE", required_unless_present = "from_postgres")]
    file: Option<PathBuf>,
    /// Instead of a file, an application's own tables `feature_flags` and `feature_flag_audit_log` in the database whose address is in
    /// this file: with ids and history, all of it or nothing.
    #[arg(long, value_name = "DSN_FILE", conflicts_with_all = ["file", "format", "prefix"])]
    from_postgres: Option<PathBuf>,
    /// The schema of those tables, where there are several.
    #[arg(long, value_name = "NAME", requires = "from_postgres")]
    schema: Option<String>,
    /// Whose file it is; else guessed by its shape.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Put this before every name, so that nothing meets a name that is taken.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    prefix: String,
    /// Why, for the audit log; else the file's name.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Show the plan, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
}

pub(super) async fn run(context: &Context, service: &Service, args: &Args) -> Result<Exit, CliError> {
    let file = match (&args.from_postgres, &args.file) {
        (Some(dsn), _) => return postgres::run(context, service, dsn, args).await,
        (None, Some(file)) => file,
        (None, None) => return Err(CliError::usage("a file, or --from-postgres DSN_FILE, says what to import")),
    };
    let path = file.display().to_string();
    let source =
        source::source(file, args.format, &args.prefix).map_err(|what| CliError::usage(format!("{path}: {what}")))?;
    let there = service.client.snapshot().await?;
    for unread in &there.unreadable {
        warn(&format!("{} of the service is of a newer version", unread.name.as_deref().unwrap_or("something")));
    }
    let items = plan::plan(&source.document, &there, now());
    let Source { format, report, .. } = source;
    let mut terminal = context.terminal();
    let plan = render::plan(&items, &report);
    if !plan.is_empty() {
        terminal.print(&plan);
    }
    terminal.print(&format!("{path} ({}): {}{}", format.name(), render::summary(&items), render::findings(&report)));

    let to_do: Vec<&Item> =
        items.iter().filter(|item| !matches!(item.action, Action::Same | Action::Refused(_))).collect();
    let refused = items.iter().any(|item| matches!(item.action, Action::Refused(_)));
    let told = |applied: usize| {
        json!({
            "file": path,
            "plan": render::json(&items),
            "report": report.iter().map(|one| json!({"flag": one.flag, "what": one.what, "instead": one.instead})).collect::<Vec<_>>(),
            "applied": applied,
        })
    };
    let exit = if refused { Exit::Failed } else { Exit::Done };
    if args.dry_run || to_do.is_empty() {
        terminal.json(&told(0));
        terminal.print(if args.dry_run { "--  dry run: nothing was changed" } else { "ok  nothing to do" });
        return Ok(exit);
    }
    confirm("import", &format!("this changes {} of them", to_do.len()), args.yes)?;
    let reason = args.reason.clone().unwrap_or_else(|| format!("imported from {path}"));
    for (done, item) in to_do.iter().enumerate() {
        terminal.live(&format!("..  {done} of {}   {}", to_do.len(), item.name));
        if let Err(error) = apply(service, item, &reason).await {
            let kind = item.kind.name();
            let mut failed = CliError::new(error.exit, format!("{kind} {}: {error}", item.name));
            failed.hints.extend(error.hints);
            let what =
                format!("stopped here: {done} of {} are done and stay; given again, it does the rest", to_do.len());
            return Err(failed.hint(what));
        }
    }
    terminal.json(&told(to_do.len()));
    let left = if refused { "; what was refused is left out" } else { "" };
    terminal.print(&format!("ok  {} done{left}", to_do.len()));
    Ok(exit)
}

/// Does what the plan says of one.
async fn apply(service: &Service, item: &Item, reason: &str) -> Result<(), CliError> {
    let Item { kind, name, json, action } = item;
    let client = &service.client;
    match (action, kind) {
        (Action::Same | Action::Refused(_), _) => {}
        (Action::Create, Kind::Flag) => {
            client.create(json, reason).await?;
        }
        (Action::Create, Kind::Segment) => client.create_segment(json, reason).await?,
        (Action::Change(planned), _) => {
            let (before, tag) = match kind {
                Kind::Flag => {
                    let fetched = client.flag(name).await?;
                    (fetched.json, fetched.tag)
                }
                Kind::Segment => client.segment(name).await?,
            };
            if diff(&before, json) != *planned {
                return Err(CliError::new(
                    Exit::Refused,
                    "it was changed since the plan was made; nothing of it was done",
                ));
            }
            let patch = Value::Object(plan::patch(&plain(before), json));
            match kind {
                Kind::Flag => {
                    client.patch(name, &patch, reason, tag.as_deref()).await?;
                }
                Kind::Segment => client.patch_segment(name, &patch, reason, tag.as_deref()).await?,
            }
        }
    }
    Ok(())
}
