//! `teal wait`: follows a release that was started elsewhere.

use crate::api::ReleaseId;
use crate::cli::context::{Context, client, environment};
use crate::cli::follow::follow;
use crate::cli::remote::Remote;
use crate::cli::{CliError, Exit};
use crate::client::ClientError;
use crate::config::Loaded;

/// Arguments of `teal wait`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The release, r-0043 or 43; else the current one.
    release: Option<ReleaseId>,
    /// Its environment, where there are several.
    #[arg(long, short, value_name = "ENV")]
    env: Option<String>,
}

pub(in crate::cli) async fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let loaded = context.load()?;
    if let Some((remote, release)) = elsewhere(&loaded, args).await? {
        return remote.follow(context, &loaded, release).await;
    }
    let (environment, release) = find(&loaded, args.env.as_deref(), args.release).await?;
    follow(context, &loaded, &environment, release).await
}

/// The way to a release on a cluster, where no agent runs on this machine.
async fn elsewhere(loaded: &Loaded, args: &Args) -> Result<Option<(Remote, ReleaseId)>, CliError> {
    let Ok(name) = environment(loaded, args.env.as_deref()) else { return Ok(None) };
    match client(loaded).status(name).await {
        Err(ClientError::NoSocket(_) | ClientError::NobodyListens(_)) => {}
        _ => return Ok(None),
    }
    let Some(remote) = Remote::of(loaded, name).await? else { return Ok(None) };
    let release = match args.release {
        Some(release) => release,
        None => remote.release().await?,
    };
    Ok(Some((remote, release)))
}

/// The environment and number of the release that is meant.
///
/// Numbers count within an environment, so a number alone may be found in several: then the operator says which.
pub(in crate::cli) async fn find(
    loaded: &Loaded,
    env: Option<&str>,
    release: Option<ReleaseId>,
) -> Result<(String, ReleaseId), CliError> {
    let client = client(loaded);
    let Some(release) = release else {
        let name = environment(loaded, env)?;
        let current = client.status(name).await?.release;
        let current = current.ok_or_else(|| CliError::usage(format!("nothing was released to {name} yet")))?;
        return Ok((name.to_owned(), current));
    };
    if env.is_some() || loaded.config.environments.len() == 1 {
        return Ok((environment(loaded, env)?.to_owned(), release));
    }
    let mut found = Vec::new();
    for name in loaded.config.environments.keys() {
        match client.explain(name, release).await {
            Ok(_) => found.push(name.clone()),
            Err(ClientError::Refused(problem)) if problem.status == 404 => {}
            Err(error) => return Err(error.into()),
        }
    }
    match found.as_slice() {
        [] => {
            Err(CliError::usage(format!("no environment has a release {release}"))
                .hint("teal history ENV   lists them"))
        }
        [name] => Ok((name.clone(), release)),
        names => Err(CliError::usage(format!("{} each have a release {release}: add --env", names.join(" and ")))),
    }
}
