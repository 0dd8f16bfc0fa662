//! `teal flags delete`: no more of a flag; applications fall back to their defaults.

use serde_json::json;

use super::target::Service;
use super::{known, now, set, teal};
use crate::cli::confirm::confirm;
use crate::cli::context::Context;
use crate::cli::render::flags::show;
use crate::cli::{CliError, Exit};

/// Arguments of `teal flags delete`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Its name or number.
    flag: String,
    /// Why, for the audit log.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
    /// Delete it also when somebody changed it meanwhile.
    #[arg(long)]
    overwrite: bool,
}

pub(super) async fn run(context: &Context, service: &Service, args: &Args) -> Result<Exit, CliError> {
    let fetched = known::flag(service, &args.flag).await?;
    let name = &fetched.flag.name;
    let mut terminal = context.terminal();
    if !args.yes {
        terminal.print(&show::show(&fetched.flag, now()));
        let listing = service.client.list().await?;
        let needs = |other: &&teal_flags::model::Flag| other.prerequisites.iter().any(|one| one.flag == *name);
        let needing: Vec<&str> = listing.document.flags.iter().filter(needs).map(|other| other.name.as_str()).collect();
        if !needing.is_empty() {
            terminal.print(&format!("!!  needed by {}", needing.join(", ")));
        }
        if fetched.flag.enabled && !fetched.flag.archived {
            terminal.print("--  it is on: who has it gets the application's default");
        }
        confirm(name, &format!("this deletes {name} for good; `set --archive` would keep it"), false)?;
    }
    let only_if = fetched.tag.as_deref().filter(|_| !args.overwrite);
    match service.client.delete(name, &args.reason, only_if).await {
        Ok(()) => {}
        Err(error) if error.is_stale() => return Err(set::outrun(service, &fetched.flag).await),
        Err(error) => return Err(error.into()),
    }
    terminal.json(&json!({"deleted": name, "flag": fetched.json}));
    terminal.print(&format!("ok  {name} is deleted; {} still tells its story", teal(&format!("audit {name}"))));
    Ok(Exit::Done)
}
