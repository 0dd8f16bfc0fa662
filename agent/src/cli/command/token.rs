//! `teal token`: who may do what with flags, through the agent's socket.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::access::Role;
use crate::api::{TokenInfo, TokenMade, TokenRequest, timestamp};
use crate::cli::context::Context;
use crate::cli::{CliError, Exit};
use crate::config::parse_duration;

/// Arguments of `teal token`.
#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum Args {
    /// Make a token. It is shown once.
    Create(Create),
    /// Those there are.
    List {
        /// Also those that were revoked.
        #[arg(long)]
        all: bool,
    },
    /// End a token, and the streams that it holds.
    Revoke {
        /// Its name or id.
        #[arg(value_name = "NAME")]
        token: String,
        /// Why, for the audit log.
        #[arg(long, default_value = "")]
        reason: String,
    },
}

/// Arguments of `teal token create`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Create {
    /// What people call it; it stands in the audit log.
    name: String,
    /// What it may do: sdk, client, observer, viewer, editor, deployer or admin. May be given again.
    #[arg(long = "role", required = true, value_name = "ROLE")]
    roles: Vec<Role>,
    /// Where, as in prod; everywhere unless said. May be given again.
    #[arg(long = "environment", value_name = "E")]
    environments: Vec<String>,
    /// For how long, as in 90d; until it is revoked unless said.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    expires: Option<Duration>,
    /// Let it name the person whom it acts for, in the header X-Teal-User.
    #[arg(long)]
    may_name_people: bool,
    /// Why, for the audit log.
    #[arg(long, default_value = "")]
    reason: String,
    /// Write it to this file (0600) instead of showing it.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

pub(in crate::cli) async fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    match args {
        Args::Create(create) => made(context, create).await,
        Args::List { all } => list(context, *all).await,
        Args::Revoke { token, reason } => {
            let gone = context.agent()?.revoke_token(token, reason).await?;
            context.terminal().json(&gone);
            context
                .terminal()
                .print(&format!("ok  {} ({}) is revoked; streams that it held have ended", gone.name, gone.id));
            Ok(Exit::Done)
        }
    }
}

async fn made(context: &Context, create: &Create) -> Result<Exit, CliError> {
    // Before there is a token that nobody could read.
    let file = create.to.as_deref().map(new_file).transpose()?;
    let made = context.agent()?.create_token(&request(create)).await?;
    let TokenMade { token, info } = &made;
    if let (Some(mut file), Some(path)) = (file, &create.to) {
        let failed = |error| CliError::failed(format!("cannot write {}: {error}; revoke {}", path.display(), info.id));
        writeln!(file, "{token}").map_err(failed)?;
        context.terminal().json(&serde_json::json!({"wrote": path, "id": info.id, "name": info.name}));
        context.terminal().print(&format!("ok  {}\n    the token is in {}", described(info), path.display()));
        return Ok(Exit::Done);
    }
    let mut json = serde_json::to_value(info).unwrap_or_default();
    json["token"] = token.as_str().into();
    context.terminal().json(&json);
    context.terminal().print(&format!(
        "ok  {}\n    it is shown this once: keep it where only its user can read it\n{token}",
        described(info)
    ));
    Ok(Exit::Done)
}

fn request(create: &Create) -> TokenRequest {
    let until = |expires: Duration| timestamp(time::OffsetDateTime::now_utc() + expires);
    TokenRequest {
        name: create.name.clone(),
        roles: create.roles.iter().map(|role| role.name().to_owned()).collect(),
        environments: create.environments.clone(),
        expires_at: create.expires.map(until),
        may_name_people: create.may_name_people,
        reason: create.reason.clone(),
    }
}

/// A file that was not there, for its owner alone.
fn new_file(path: &Path) -> Result<std::fs::File, CliError> {
    let mut options = std::fs::OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(0o600).open(path);
    opened.map_err(|error| CliError::usage(format!("cannot write {}: {error}", path.display())))
}

async fn list(context: &Context, all: bool) -> Result<Exit, CliError> {
    let mut tokens = context.agent()?.tokens().await?;
    tokens.retain(|token| all || token.revoked_at.is_none());
    context.terminal().json(&serde_json::json!({ "tokens": tokens }));
    context.terminal().print(&table(&tokens));
    Ok(Exit::Done)
}

/// `ci (3f9a...) for editor in staging, until 2026-12-01`
fn described(token: &TokenInfo) -> String {
    let until = token.expires_at.as_deref().map(|at| format!(", until {}", day(at))).unwrap_or_default();
    format!("{} ({}) for {} in {}{until}", token.name, token.id, token.roles.join(", "), places(token))
}

fn places(token: &TokenInfo) -> String {
    if token.environments.is_empty() { "all environments".to_owned() } else { token.environments.join(", ") }
}

fn day(moment: &str) -> &str {
    moment.split('T').next().unwrap_or_default()
}

fn table(tokens: &[TokenInfo]) -> String {
    if tokens.is_empty() {
        return "no tokens".to_owned();
    }
    let state = |token: &TokenInfo| match (&token.revoked_at, &token.expires_at) {
        (Some(at), _) => format!("revoked {}", day(at)),
        (None, Some(at)) => format!("until {}", day(at)),
        (None, None) => "no end".to_owned(),
    };
    let used = |token: &TokenInfo| {
        token.last_used_at.as_deref().map_or("never used", |at| at.get(..16).unwrap_or(at)).replace('T', " ")
    };
    let rows: Vec<[String; 6]> = tokens
        .iter()
        .map(|token| {
            [token.name.clone(), token.id.clone(), token.roles.join(", "), places(token), state(token), used(token)]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..6).map(width).collect();
    let line = |row: &[String; 6]| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_a_table_in_which_no_secret_is() {
        let token = |name: &str, environments: &[&str]| TokenInfo {
            id: "0123456789ab".into(),
            name: name.into(),
            roles: vec!["sdk".into()],
            environments: environments.iter().map(|name| (*name).to_owned()).collect(),
            ..TokenInfo::default()
        };
        let used = TokenInfo { last_used_at: Some("2026-11-28T09:10:00Z".into()), ..token("api", &["prod"]) };
        let gone = TokenInfo { revoked_at: Some("2026-11-27T09:10:00Z".into()), ..token("old-api", &[]) };
        assert_eq!(
            table(&[used, gone]),
            "api      0123456789ab  sdk  prod              no end              2026-11-28 09:10\n\
             old-api  0123456789ab  sdk  all environments  revoked 2026-11-27  never used"
        );
        assert_eq!(table(&[]), "no tokens");
    }

    #[test]
    fn a_file_that_is_there_is_left_alone_before_a_token_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.token");
        drop(new_file(&path).unwrap());
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(new_file(&path).unwrap_err().exit, Exit::Usage);
    }
}
