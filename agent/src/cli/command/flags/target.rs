//! Which flag service is meant, and with what token.

use std::path::{Path, PathBuf};

use crate::cli::CliError;
use crate::cli::context::{Context, operator};
use crate::client::flags::{Address, FlagClient, Token};
use crate::client::old::OldClient;

/// Options that every `teal flags` command takes.
#[derive(Debug, clap::Args)]
pub(super) struct Target {
    /// The flag service, such as https://flags.internal; else the one that teal.toml configures.
    #[arg(long, global = true, env = "TEAL_FLAGS_URL", hide_env_values = true, value_name = "URL")]
    url: Option<String>,
    /// A file with the token; else $TEAL_TOKEN.
    #[arg(long, global = true, env = "TEAL_TOKEN_FILE", hide_env_values = true, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The authorities to trust instead of the system's, as PEM.
    #[arg(long, global = true, env = "TEAL_CA_FILE", hide_env_values = true, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Send the token and users' ids over plain http to another machine: for networks that are yours alone.
    #[arg(long, global = true)]
    plain_http: bool,
}

/// The service that is meant.
pub(super) struct Service {
    pub(super) client: FlagClient,
    /// What the configuration calls environments, where there is one.
    pub(super) environments: Vec<String>,
}

impl Target {
    pub(super) fn service(&self, context: &Context) -> Result<Service, CliError> {
        let url = self.url.as_deref().filter(|url| !url.is_empty());
        let loaded = context.load();
        let environments =
            loaded.as_ref().map_or_else(|_| Vec::new(), |loaded| loaded.config.environments.keys().cloned().collect());
        let address = match url {
            Some(url) => Address::parse(url, self.ca_file.clone())?,
            None => configured(match loaded {
                Ok(loaded) => Ok(loaded.config.flags.map(|_| loaded.config.agent.socket)),
                // The agent that runs here without one.
                Err(missing) => context.socket().map(Some).map_err(|_| missing),
            })?,
        };
        let client = FlagClient::new(address, self.token()?, &operator(), self.plain_http)?;
        Ok(Service { client, environments })
    }

    /// A service that is compared with; it has a token of its own.
    pub(super) fn old(&self, url: &str, token_file: Option<&Path>) -> Result<OldClient, CliError> {
        let address = Address::parse(url, self.ca_file.clone())?;
        let token = token_file.map(Token::from_file).transpose()?;
        Ok(OldClient::new(address, token, self.plain_http)?)
    }

    fn token(&self) -> Result<Option<Token>, CliError> {
        if let Some(path) = self.token_file.as_deref().filter(|path| !path.as_os_str().is_empty()) {
            return Ok(Some(Token::from_file(path)?));
        }
        // Not an option: the command line of a process is there for all to read.
        match std::env::var("TEAL_TOKEN") {
            Ok(token) if !token.is_empty() => Ok(Some(Token::read(&token, "$TEAL_TOKEN")?)),
            _ => Ok(None),
        }
    }
}

/// The service of this machine's agent, through its socket: who may open that needs no token.
fn configured(socket: Result<Option<PathBuf>, CliError>) -> Result<Address, CliError> {
    let elsewhere = "teal flags --url https://flags.internal ...   asks a service elsewhere ($TEAL_FLAGS_URL)";
    match socket {
        Ok(Some(socket)) => Ok(Address::socket(socket)?),
        Ok(None) => Err(CliError::usage("teal.toml has no [flags]: its agent serves no flags")
            .hint("add a line [flags] and start the agent again")
            .hint(elsewhere)),
        Err(error) => Err(error.hint(elsewhere)),
    }
}
