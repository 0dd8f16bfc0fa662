//! What somebody's own HAProxy configuration needs beside the fragment, as a diff that HAProxy has been asked about.

use std::fs;
use std::path::Path;

use axum::http::Uri;

use crate::cli::{CliError, Exit};
use crate::config::{Form, Loaded};
use crate::proxy::haproxy::adopt::{self, AdoptError, Wanted};
use crate::runtime::wiring;

use super::proxy::proxy_check;

/// Lines of theirs that are shown before and after each change.
const CONTEXT: usize = 3;

/// What there is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Adoption {
    /// A unified diff; empty where nothing is missing.
    pub(in crate::cli) diff: String,
    /// The frontend that sends to the fragment.
    pub(in crate::cli) frontend: String,
    /// What HAProxy says of both files together, with the mark of it.
    pub(in crate::cli) checked: String,
    /// With what to exit: what HAProxy refuses is a mistake of one of the files.
    pub(in crate::cli) exit: Exit,
}

/// Reads `file` and says what it needs. Writes nothing but temporary files.
pub(in crate::cli) async fn adopt(
    loaded: &Loaded,
    environment: &str,
    file: &Path,
    frontend: Option<&str>,
) -> Result<Adoption, CliError> {
    let theirs = fs::read_to_string(file)
        .map_err(|error| CliError::usage(format!("cannot read {}: {error}", file.display())))?;
    let configured = loaded.config.environment(environment)?;
    let edge = wiring::render_config(environment, configured).map_err(|error| CliError::usage(error.to_string()))?;
    let uri: Option<Uri> = configured.url.as_ref().and_then(|url| url.parse().ok());
    let wanted = Wanted {
        environment,
        components: &edge.components,
        site: uri.as_ref().and_then(Uri::host),
        hard_stop_after: edge.timeouts.hard_stop_after,
        frontend,
    };
    let adopted = adopt::adopt(&theirs, &wanted)
        .map_err(|error: AdoptError| CliError::usage(format!("{}: {error}", file.display())))?;
    let name = file.display().to_string();
    let diff = similar::TextDiff::from_lines(&theirs, &adopted.text);
    let diff = diff.unified_diff().context_radius(CONTEXT).header(&name, &name).to_string();

    let folder = tempfile::tempdir().map_err(|error| CliError::failed(format!("no temporary folder: {error}")))?;
    let beside = folder.path().join("yours.cfg");
    fs::write(&beside, &adopted.text)
        .map_err(|error| CliError::failed(format!("cannot write {}: {error}", beside.display())))?;
    let (exit, checked) = match proxy_check(loaded, environment, Form::Fragment, &[beside]).await {
        Ok((Exit::Done, said)) => (Exit::Done, said),
        Ok((exit, said)) => (exit, format!("!!  {said}")),
        // Without a HAProxy on this machine the diff is as good.
        Err(error) if error.exit == Exit::Failed => (Exit::Done, format!("--  not checked by HAProxy: {error}")),
        Err(error) => return Err(error),
    };
    Ok(Adoption { diff, frontend: adopted.frontend, checked, exit })
}
