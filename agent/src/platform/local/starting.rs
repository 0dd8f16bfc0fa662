//! What is to run on a colour, written down before anything is started.

use teal_rollout::colour::Colour;

use super::files::{self, ColourDir};
use super::found::UNKNOWN;
use super::settings::{LocalComponent, LocalSettings};
use super::spec::Desired;
use super::{environment, template};

/// Writes down what is to run, with the operator's environment file as it is now.
pub(super) fn write_down(
    settings: &LocalSettings,
    config: &LocalComponent,
    colour: Colour,
    dir: &ColourDir,
    (version, release): (&str, u64),
) -> Result<Desired, String> {
    if version == UNKNOWN {
        return Err(
            "what served here was started by somebody else and is gone, and its command does not say its version: \
                        start it again, or deploy a version"
                .to_owned(),
        );
    }
    if !template::is_version(version) {
        return Err(format!("`{version}` is not a version: letters, digits and `.-_+:@`, 128 at most"));
    }
    let snapshot = dir.env();
    files::create_dir(&dir.path).map_err(|error| error.to_string())?;
    match &config.env_file {
        Some(path) => {
            let content = environment::read(path).map_err(|error| format!("env_file: {error}"))?;
            files::write(&snapshot, content.as_bytes()).map_err(|error| error.to_string())?;
        }
        None => files::remove(&snapshot).map_err(|error| error.to_string())?,
    }
    let snapshot = config.env_file.is_some().then_some(snapshot);
    let desired = Desired::new(settings, config, colour, version, release, snapshot.as_deref());
    let desired = desired.map_err(|error| format!("the agent's folder: {error}"))?;
    dir.set_desired(Some(&desired)).map_err(|error| error.to_string())?;
    Ok(desired)
}
