//! `teal proxy`: the HAProxy configuration.

use std::path::{Path, PathBuf};

use crate::cli::context::{Context, environment};
use crate::cli::engine::{self, Adoption};
use crate::cli::{CliError, Exit};
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
    /// Print what a configuration of yours needs beside the fragment, as a diff for `patch`. Writes nothing.
    Adopt {
        /// Your own HAProxy configuration.
        file: PathBuf,
        /// The environment, where there are several.
        #[arg(value_name = "ENV")]
        environment: Option<String>,
        /// The frontend that its users come in by, where that is not plain.
        #[arg(long, value_name = "NAME")]
        frontend: Option<String>,
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
        Args::Adopt { file, environment: name, frontend } => {
            let name = environment(&loaded, name.as_deref())?;
            let adoption = context.block_on(engine::adopt(&loaded, name, file, frontend.as_deref()))?;
            context.terminal().json(&serde_json::json!({
                "environment": name, "file": file, "frontend": adoption.frontend, "diff": adoption.diff,
                "checked": adoption.checked, "exit": adoption.exit.code(),
            }));
            // The diff alone goes to the standard output, so that `patch` can read it.
            context.terminal().print(&adoption.diff);
            if !context.json {
                anstream::eprintln!("{}", steps(name, file, &adoption));
            }
            Ok(adoption.exit)
        }
        Args::Show { environment: name } => {
            let name = environment(&loaded, name.as_deref())?;
            let text = context.block_on(engine::proxy_show(&loaded, name, context.json))?;
            anstream::println!("{}", text.trim_end());
            Ok(Exit::Done)
        }
    }
}

/// What was found, and what comes next.
fn steps(name: &str, file: &Path, Adoption { diff, frontend, checked, .. }: &Adoption) -> String {
    let path = file.display();
    if diff.is_empty() {
        return format!("ok  {path}: frontend {frontend} has what it needs for {name} already\n{checked}");
    }
    format!(
        "ok  {path}: frontend {frontend} gets what is marked with +; nothing was written\n{checked}\n    \
         teal proxy adopt {path} {name} > adopt.diff && patch {path} adopt.diff         # undo: patch -R {path} adopt.diff\n    \
         teal proxy render --fragment {name} > TEAL.cfg\n    haproxy -c -f {path} -f TEAL.cfg, then reload with both"
    )
}
