//! `teal proxy`: the HAProxy configuration.

use std::path::PathBuf;

use crate::cli::context::{Context, environment};
use crate::cli::{CliError, Exit, engine};
use crate::config::{Form, Loaded};

/// Arguments of `teal proxy`.
#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum Args {
    /// Print the configuration.
    Render(Target),
    /// Let HAProxy itself check the configuration.
    Check {
        #[command(flatten)]
        target: Target,
        /// A file that a fragment stands beside; may be repeated.
        #[arg(long, value_name = "FILE")]
        beside: Vec<PathBuf>,
    },
    /// What the running HAProxy says.
    Show {
        /// The environment, where there are several.
        #[arg(value_name = "ENV")]
        environment: Option<String>,
    },
}

/// Which configuration.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Target {
    /// The environment, where there are several.
    #[arg(value_name = "ENV")]
    environment: Option<String>,
    /// As a fragment for `haproxy -f theirs -f ours`, whatever the configuration says.
    #[arg(long)]
    fragment: bool,
}

impl Target {
    fn find<'a>(&'a self, loaded: &'a Loaded) -> Result<(&'a str, Form), CliError> {
        let name = environment(loaded, self.environment.as_deref())?;
        let form = if self.fragment { Form::Fragment } else { loaded.config.environment(name)?.edge.form };
        Ok((name, form))
    }
}

pub(in crate::cli) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let loaded = context.load()?;
    match args {
        Args::Render(target) => {
            let (name, form) = target.find(&loaded)?;
            let text = engine::proxy_render(&loaded, name, form)?;
            context.terminal().json(&serde_json::json!({ "environment": name, "form": form, "configuration": text }));
            context.terminal().print(&text);
            Ok(Exit::Done)
        }
        Args::Check { target, beside } => {
            let (name, form) = target.find(&loaded)?;
            let (exit, text) = context.block_on(engine::proxy_check(&loaded, name, form, beside))?;
            context.terminal().json(&serde_json::json!({ "environment": name, "text": text, "exit": exit.code() }));
            context.terminal().print(&text);
            Ok(exit)
        }
        Args::Show { environment: name } => {
            let name = environment(&loaded, name.as_deref())?;
            let text = context.block_on(engine::proxy_show(&loaded, name, context.json))?;
            anstream::println!("{}", text.trim_end());
            Ok(Exit::Done)
        }
    }
}
