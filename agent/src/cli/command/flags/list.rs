//! `teal flags list`: all flags, or those that are looked for.

use serde_json::{Value, json};
use teal_flags::model::Flag;

use super::target::Service;
use super::{known, now, warn};
use crate::cli::context::Context;
use crate::cli::{CliError, Exit, render};

/// Arguments of `teal flags list`.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Args {
    /// Only those that are switched on.
    #[arg(long, conflicts_with = "disabled")]
    enabled: bool,
    /// Only those that are switched off.
    #[arg(long)]
    disabled: bool,
    /// Only those that apply in this environment.
    #[arg(long, short, value_name = "ENV")]
    environment: Option<String>,
    /// Only those with this in their name or description.
    #[arg(long, short, value_name = "TEXT")]
    search: Option<String>,
    /// Those that are out of use, instead of the others.
    #[arg(long)]
    archived: bool,
}

pub(super) async fn run(context: &Context, service: &Service, args: &Args) -> Result<Exit, CliError> {
    let listing = service.client.list().await?;
    known::environments(service, &listing.document, args.environment.as_slice());
    for unread in &listing.document.unreadable {
        let name = unread.name.as_deref().unwrap_or("a flag without a name");
        warn(&format!("{name} is not shown: {}; this teal is older than the service", unread.error));
    }
    let wanted: Vec<&Flag> = listing.document.flags.iter().filter(|flag| args.wants(flag)).collect();
    let hidden = if args.archived { 0 } else { listing.document.flags.iter().filter(|flag| flag.archived).count() };
    // As they came: with what this version does not know.
    let is_wanted = |json: &&Value| wanted.iter().any(|flag| json["name"] == flag.name.as_str());
    let json: Vec<&Value> = listing.json.iter().filter(is_wanted).collect();
    context.terminal().json(&json!({"flags": json, "total": listing.json.len(), "revision": listing.revision}));
    context.terminal().print(&render::flags::list::list(&wanted, hidden, now()));
    Ok(Exit::Done)
}

impl Args {
    fn wants(&self, flag: &Flag) -> bool {
        let is_there = |text: &String| {
            let text = text.to_lowercase();
            flag.name.contains(&text) || flag.description.to_lowercase().contains(&text)
        };
        flag.archived == self.archived
            && (!self.enabled || flag.enabled)
            && (!self.disabled || !flag.enabled)
            && self
                .environment
                .as_ref()
                .is_none_or(|name| flag.environments.is_empty() || flag.environments.contains(name))
            && self.search.as_ref().is_none_or(is_there)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_option_leaves_out_what_is_not_asked_for() {
        let on = Flag { environments: vec!["prod".into()], ..Flag::new("telehealth") };
        let off = Flag { enabled: false, description: "The App's".into(), ..Flag::new("mobile") };
        let old = Flag { archived: true, ..Flag::new("old") };
        let check = |args: Args, expected: &[&str]| {
            let names: Vec<_> =
                [&on, &off, &old].into_iter().filter(|flag| args.wants(flag)).map(|flag| &flag.name).collect();
            assert_eq!(names, expected, "{args:?}");
        };
        check(Args::default(), &["telehealth", "mobile"]);
        check(Args { enabled: true, ..Args::default() }, &["telehealth"]);
        check(Args { disabled: true, ..Args::default() }, &["mobile"]);
        check(Args { archived: true, ..Args::default() }, &["old"]);
        check(Args { environment: Some("dev".into()), ..Args::default() }, &["mobile"]);
        check(Args { search: Some("APP".into()), ..Args::default() }, &["mobile"]);
    }
}
