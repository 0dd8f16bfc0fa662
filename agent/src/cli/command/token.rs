//! `teal token`: who may do what with flags, through the agent's socket.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::access::{FirstToken, Role, Token};
use crate::api::{TokenMade, TokenRequest, timestamp};
use crate::cli::command::flags::now;
use crate::cli::context::Context;
use crate::cli::new_file::NewFile;
use crate::cli::render::flags::tokens as render;
use crate::cli::{CliError, Exit};
use crate::config::parse_duration;

/// Arguments of `teal token`.
#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum Args {
    /// Make a token. It is shown once.
    Create(Create),
    /// Make the token that agents on nodes share, without a service: into a new file, with its digest for `[observers]`.
    Observers {
        /// The new file (0600).
        file: PathBuf,
    },
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
        Args::Observers { file } => observers(context, file),
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
    // Before there is a token that nobody could read. Where none is made, nothing is left of it.
    let file = create
        .to
        .as_deref()
        .map(|path| NewFile::beside(path, 0o600, "--to takes the name of a new file"))
        .transpose()?;
    let made = context.agent()?.create_token(&request(create)).await?;
    let TokenMade { token, info } = &made;
    if let (Some(file), Some(path)) = (file, &create.to) {
        let failed = |error| CliError::failed(format!("cannot write {}: {error}; revoke {}", path.display(), info.id));
        file.keep(&format!("{token}\n")).map_err(failed)?;
        context.terminal().json(&serde_json::json!({"wrote": path, "id": info.id, "name": info.name}));
        context.terminal().print(&format!("ok  {}\n    the token is in {}", render::described(info), path.display()));
        return Ok(Exit::Done);
    }
    let mut json = serde_json::to_value(info).unwrap_or_default();
    json["token"] = token.as_str().into();
    context.terminal().json(&json);
    context.terminal().print(&format!(
        "ok  {}\n    it is shown this once: keep it where only its user can read it\n{token}",
        render::described(info)
    ));
    Ok(Exit::Done)
}

fn observers(context: &Context, path: &Path) -> Result<Exit, CliError> {
    let token = Token::random().ok_or_else(|| CliError::failed("the system gives no random numbers"))?;
    let file = NewFile::beside(path, 0o600, "it takes the name of a new file")?;
    let failed = |error| CliError::failed(format!("cannot write {}: {error}", path.display()));
    file.keep(&format!("{}\n", token.reveal())).map_err(failed)?;
    let digest = FirstToken::from(&token).to_string();
    context.terminal().json(&serde_json::json!({ "wrote": path, "digest": digest }));
    context.terminal().print(&format!(
        "ok  the token is in {}: `token_file` of the observers\n    for teal.toml of the edges' agents:\n[observers]\ntokens = [\"{digest}\"]",
        path.display()
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

async fn list(context: &Context, all: bool) -> Result<Exit, CliError> {
    let mut tokens = context.agent()?.tokens().await?;
    tokens.retain(|token| all || token.revoked_at.is_none());
    context.terminal().json(&serde_json::json!({ "tokens": tokens }));
    context.terminal().print(&render::tokens(&tokens, now()));
    Ok(Exit::Done)
}
