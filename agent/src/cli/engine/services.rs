//! Services that are an edge, without an agent: read and moved through the API server.

use std::path::Path;

use teal_rollout::colour::Share;
use teal_rollout::policy::Policy;
use teal_rollout::settings::Mode;

use super::edge::Force;
use crate::break_glass::{Site, author};
use crate::cli::{CliError, Exit};
use crate::cluster::client::{Settings, connect};
use crate::config::{Environment, Loaded};
use crate::proxy::moves::{Move, Why};
use crate::proxy::selector::force::{ForceError, Forced, Moved, Reached, Trouble};
use crate::runtime::wiring;

/// The Services of an environment, by the configuration's way or by another kubeconfig; with the server's address.
async fn reach(
    loaded: &Loaded,
    environment: &Environment,
    kubeconfig: Option<&Path>,
) -> Result<(Reached, String), String> {
    let configured = wiring::cluster_settings(&loaded.config.platform);
    let settings = match kubeconfig {
        Some(path) => Settings { kubeconfig: Some(path.to_owned()), context: None },
        None => configured,
    };
    // Fails only when a provider is installed already, which then is the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cluster = connect(&settings).await.map_err(|error| error.to_string())?;
    let url = cluster.url.trim_end_matches('/').to_owned();
    Ok((Reached::new(&cluster.client, wiring::selector_settings(environment)), url))
}

/// The policy by which they route; why that is not known.
pub(super) async fn routed(loaded: &Loaded, environment: &Environment) -> Result<Option<Policy>, String> {
    let (reached, _) = reach(loaded, environment, None).await?;
    // What is said of moves is not said of a look.
    let because = |error: ForceError| error.to_string().trim_start_matches("nothing was moved: ").to_owned();
    reached.look().await.map_err(because)
}

/// Moves them by hand. The text says what was moved and what could not be.
pub(super) async fn force(loaded: &Loaded, wanted: &Force, what: &Move) -> Result<(Exit, String), CliError> {
    let environment = loaded.config.environment(&wanted.environment)?;
    let site = Site::new(&loaded.config, &wanted.environment, environment, Some(&loaded.path));
    let away = |error: &ForceError| failure(error, wanted, &site, loaded);
    let (reached, url) = reach(loaded, environment, wanted.kubeconfig.as_deref()).await.map_err(|because| {
        let other = format!("teal edge force {} ... --kubeconfig FILE   with your own", wanted.environment);
        away(&ForceError::Away(because)).hint(other)
    })?;
    let names: Vec<&str> = environment.components.keys().map(String::as_str).collect();
    let author = author(&loaded.config, &wanted.environment, environment);
    let why = Why { reason: &wanted.reason, by: &wanted.by, anyway: wanted.anyway };
    let forced = reached.force(&names, &author, what, &why).await.map_err(|error| away(&error))?;
    let Forced { from, to, services, pods } = forced;

    let before = from.map_or_else(|| "nothing that is known".to_owned(), |policy| policy.to_string());
    let mut lines = vec![format!("through the API server {url}"), format!("was  {before}"), format!("now  {to}")];
    lines.extend(pods.map(|pods| format!("note {pods}")));
    for moved in &services {
        lines.push(line(moved));
        if let (Err(_), Some(colour), Some(cluster)) = (&moved.result, moved.to, &site.cluster) {
            lines.push(format!("     {}", cluster.points(&moved.service, colour)));
        }
    }
    let moves_back = to.routes.iter().all(|route| route.share == Share::NONE);
    lines.push(match (environment.mode, moves_back) {
        (Mode::Observe | Mode::Advise, _) => "note an agent only watches these Services and leaves the move alone".into(),
        (Mode::Act, true) => "note an agent that runs, or comes back, takes it for a rollback by hand".into(),
        (Mode::Act, false) => format!(
            "note an agent that runs, or comes back, puts back a move to an unproven colour; `teal pause {}` first to keep its \
             hands off",
            wanted.environment
        ),
    });
    Ok((exit(&services), lines.join("\n")))
}

fn line(moved: &Moved) -> String {
    let Moved { service, from, to, result } = moved;
    let selected = from.map_or("neither colour", |colour| colour.as_str());
    match (result, to) {
        (Ok(()), None) => format!("ok   {service} is left on {selected}"),
        (Ok(()), Some(to)) if Some(*to) == *from => format!("ok   {service} selects {to}, as before"),
        (Ok(()), Some(to)) => format!("ok   {service} selects {to}; it was {selected}"),
        (Err(because), None) => {
            format!("!!   {service} is left on {selected}, and does not say what it belongs to: {because}")
        }
        (Err(because), Some(to)) => format!("!!   {service} may still select {selected} and not {to}: {because}"),
    }
}

fn exit(services: &[Moved]) -> Exit {
    let troubles: Vec<&Trouble> = services.iter().filter_map(|moved| moved.result.as_ref().err()).collect();
    match troubles.iter().all(|trouble| matches!(trouble, Trouble::Away(_))) {
        _ if troubles.is_empty() => Exit::Done,
        true => Exit::Unreachable,
        false => Exit::Failed,
    }
}

fn failure(error: &ForceError, wanted: &Force, site: &Site, loaded: &Loaded) -> CliError {
    let Force { environment, colour, .. } = wanted;
    let exit = match error {
        ForceError::Component(_) | ForceError::NoWayBack | ForceError::Missing { .. } => Exit::Usage,
        ForceError::Nowhere(_) | ForceError::Dead(_) => Exit::Refused,
        ForceError::Refused(_) => Exit::Failed,
        ForceError::Away(_) => Exit::Unreachable,
    };
    let failure = CliError::new(exit, error.to_string());
    match (error, &site.cluster) {
        (ForceError::Nowhere(nowhere), _) => failure.hint(match nowhere.other {
            Some(colour) => format!("teal edge force {environment} {colour} --reason WHY"),
            None => format!("teal edge force {environment} COLOUR --component NAME --reason WHY"),
        }),
        (ForceError::Dead(_), _) => {
            let goal = colour.map_or("back", |colour| colour.as_str());
            failure
                .hint(format!("teal edge force {environment} {goal} --reason WHY --anyway   moves there all the same"))
        }
        (ForceError::Refused(_) | ForceError::Away(_), Some(cluster)) => {
            let failure = failure.hint(
                "on a machine that reaches the API server, by somebody who may patch Services (a control-plane node has \
                 /etc/kubernetes/admin.conf):",
            );
            let Some(colour) = *colour else {
                let page = crate::break_glass::path(&loaded.config.state, environment);
                return failure.hint(format!("the lines of kubectl for the last good colour: cat {}", page.display()));
            };
            let named = site.components.iter().zip(&cluster.services);
            let named = named.filter(|(name, _)| wanted.components.is_empty() || wanted.components.contains(name));
            named.fold(failure, |failure, (_, service)| failure.hint(cluster.points(service, colour)))
        }
        _ => failure,
    }
}
