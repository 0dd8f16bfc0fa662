//! The check-up of an environment.

use crate::cli::CliError;
use crate::config::{LoadError, Loaded};
use crate::doctor::{Finding, gather, judge};

/// What would make a night bad.
pub(in crate::cli) async fn doctor(loaded: &Loaded, environment: &str) -> Result<Vec<Finding>, CliError> {
    Ok(judge(&gather(loaded, environment).await?))
}

/// What there is to say where the configuration cannot be used: that, and nothing else can be known.
pub(in crate::cli) fn without_configuration(error: &LoadError) -> Finding {
    let mistakes = match error {
        LoadError::Invalid { errors, .. } => errors.iter().map(|mistake| format!("; {mistake}")).collect(),
        LoadError::Missing | LoadError::Unreadable { .. } => String::new(),
    };
    let mend = match error {
        LoadError::Missing => "teal init".to_owned(),
        LoadError::Unreadable { path, .. } => format!("ls -l {}", path.display()),
        LoadError::Invalid { path, .. } => format!("teal config check --config {}", path.display()),
    };
    Finding::hurts("configuration", format!("{error}{mistakes}"), mend)
}
