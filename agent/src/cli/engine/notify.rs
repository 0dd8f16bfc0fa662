//! A message to whoever is told, to see that it arrives.

use crate::cli::CliError;
use crate::config::Loaded;
use crate::notifier::{Kind, Message, deliver};
use crate::runtime::wiring;

/// Sends one by every channel. Returns what was said and why it did not arrive, for each channel that failed.
pub(in crate::cli) async fn notify_test(loaded: &Loaded, environment: &str) -> Result<(String, Vec<String>), CliError> {
    let configured = loaded.config.environment(environment)?;
    let settings = wiring::notifier_settings(&loaded.config).map_err(|error| CliError::usage(error.to_string()))?;
    if settings.command.is_none() && settings.webhook.is_none() {
        let error = CliError::usage("nobody will be told: [notify] has neither `command` nor `webhook`");
        return Err(
            error.hint("[notify] command = [\"/usr/local/bin/ntfy-send\"]   gets each message on its standard input")
        );
    }
    // Fails only when a provider is installed already, which then is the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let message = Message {
        app: loaded.config.app.clone(),
        environment: environment.to_owned(),
        release: String::new(),
        kind: Kind::Test,
        colour: None,
        counts: None,
        link: configured.url.clone(),
    };
    let failed = deliver(&settings, &message).await;
    Ok((message.text(), failed.iter().map(ToString::to_string).collect()))
}
