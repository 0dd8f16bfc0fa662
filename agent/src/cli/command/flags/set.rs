//! `teal flags set`: changes a flag, and shows what was, what is, and how many users that touches.
//!
//! What was shown is what is changed: the request goes with the entity tag of the flag that was read. When somebody was faster,
//! nothing is changed, and the answer says who it was.

use serde_json::{Map, Value, json};
use teal_flags::model::{Flag, Percentage};

use super::fields::Fields;
use super::target::Service;
use super::{again, known, now, teal};
use crate::cli::context::Context;
use crate::cli::render::flags::{audit, diff, touch};
use crate::cli::{CliError, Exit};
use crate::client::flags::Fetched;

/// Arguments of `teal flags set`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Its name or number.
    flag: String,
    #[command(flatten)]
    fields: Fields,
    /// Out of use, kept for the record.
    #[arg(long, conflicts_with = "unarchive")]
    archive: bool,
    /// In use again.
    #[arg(long)]
    unarchive: bool,
    /// Why, for the audit log.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,
    /// Show what would be different, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Change it also when somebody else did meanwhile.
    #[arg(long)]
    overwrite: bool,
}

pub(super) async fn run(context: &Context, service: &Service, args: &Args) -> Result<Exit, CliError> {
    let mut fields = args.fields.json()?;
    if args.archive || args.unarchive {
        fields.insert("archived".to_owned(), args.archive.into());
    }
    if fields.is_empty() {
        let missing = CliError::usage("what is to be different?");
        return Err(
            missing.hint("--on, --off, --rollout 25, --environment prod, ...   teal flags set --help lists them")
        );
    }
    let before = known::flag(service, &args.flag).await?;
    if !args.fields.environment.is_empty()
        && let Ok(listing) = service.client.list().await
    {
        known::environments(service, &listing.document, &args.fields.environment);
    }
    let preview = preview(&before, &fields)?;
    if diff::diff(&before.json, &preview.json).is_empty() {
        tell(context, &before, &before, args.dry_run);
        return Ok(Exit::Done);
    }
    if args.dry_run {
        tell(context, &before, &preview, true);
        return Ok(Exit::Done);
    }
    let only_if = before.tag.as_deref().filter(|_| !args.overwrite);
    match service.client.patch(&before.flag.name, &Value::Object(fields), &args.reason, only_if).await {
        Ok(after) => {
            tell(context, &before, &after, false);
            Ok(Exit::Done)
        }
        Err(error) if error.is_stale() => Err(outrun(service, &before.flag).await),
        Err(error) => Err(error.into()),
    }
}

/// The flag as it would be.
fn preview(before: &Fetched, fields: &Map<String, Value>) -> Result<Fetched, CliError> {
    let mut json = before.json.clone();
    // As the service does.
    json_patch::merge(&mut json, &Value::Object(fields.clone()));
    let flag = Flag::from_value(json).map_err(|error| CliError::usage(error.to_string()))?;
    Ok(Fetched { json: flag.to_value(), flag, tag: None })
}

/// What was, what is, and whom it touches.
fn tell(context: &Context, before: &Fetched, after: &Fetched, dry_run: bool) {
    let changes = diff::diff(&before.json, &after.json);
    let touched = touch::touched(&before.flag, &after.flag);
    let mut terminal = context.terminal();
    terminal.json(&json!({
        "flag": after.json,
        "changes": diff::json(&changes),
        "touched": touch::json(&touched),
        "changed": !dry_run && !changes.is_empty(),
    }));
    let name = &after.flag.name;
    if changes.is_empty() {
        terminal.print(&format!("ok  {name} is so already: nothing was changed"));
        return;
    }
    terminal.print(&diff::changes(&changes, 4));
    for sentence in touch::sentences(&touched) {
        terminal.print(&format!("    {sentence}"));
    }
    if dry_run {
        terminal.print(&format!("--  dry run: {name} is as it was"));
        return;
    }
    terminal.print(&format!("ok  {name} version {}", after.flag.version));
    if let Some(undo) = undo(&before.flag, &changes) {
        terminal.print(&format!("    undo: {}", teal(&undo)));
    }
}

/// The subcommand that takes it back, where a short one does.
fn undo(before: &Flag, changes: &[diff::Change]) -> Option<String> {
    let option = |change: &diff::Change| match change.field.as_str() {
        "enabled" => Some(if before.enabled { "--on".to_owned() } else { "--off".to_owned() }),
        "rollout_percentage" => Some(format!("--rollout {}", before.rollout_percentage)),
        "environments" if before.environments.is_empty() => Some("--everywhere".to_owned()),
        "environments" => Some(format!("--environment {}", before.environments.join(","))),
        "archived" => Some(if before.archived { "--archive".to_owned() } else { "--unarchive".to_owned() }),
        _ => None,
    };
    let options: Option<Vec<String>> = changes.iter().map(option).collect();
    Some(format!("set {} {}", before.name, options?.join(" ")))
}

/// Somebody changed it between reading and writing.
pub(super) async fn outrun(service: &Service, shown: &Flag) -> CliError {
    let name = &shown.name;
    let mut error = CliError::new(Exit::Refused, format!("{name} was changed meanwhile; nothing was done"));
    let entries = service.client.audit(name, None, 20).await.unwrap_or_default();
    let is_newer = |entry: &&crate::client::flags::Audit| {
        entry.flag_id == shown.id && entry.after["version"].as_u64().is_none_or(|version| version > shown.version)
    };
    for entry in entries.iter().take_while(is_newer) {
        error = error.hint(audit::brief(entry, now()));
    }
    error
        .hint(format!("{}   shows it as it is now", teal(&format!("get {name}"))))
        .hint(format!("{}   tries again", again()))
}

/// Nobody: for flags that are made.
pub(super) fn nothing(name: &str) -> Flag {
    Flag { enabled: false, rollout_percentage: Percentage::ALL, ..Flag::new(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_taken_back_by_a_short_command_says_so() {
        let check = |after: Value, expected: Option<&str>| {
            let before = Flag { environments: vec!["dev".into(), "prod".into()], ..Flag::new("f") };
            let mut json = before.to_value();
            json_patch::merge(&mut json, &after);
            assert_eq!(undo(&before, &diff::diff(&before.to_value(), &json)).as_deref(), expected, "{after}");
        };
        check(json!({"enabled": false}), Some("set f --on"));
        check(
            json!({"rollout_percentage": 5, "environments": null}),
            Some("set f --rollout 100 --environment dev,prod"),
        );
        check(json!({"enabled": false, "description": "x"}), None);
    }
}
