//! `teal config check` and `teal config show`.

use std::path::Path;

use crate::cli::context::{Context, NamedBy};
use crate::cli::{CliError, Exit, engine};
use crate::config::{Diagnostic, LoadError, Loaded, SwitchBy, load};

/// Arguments of `teal config`.
#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum Args {
    /// Every mistake with its line and the way out; exits with 2 if there is one.
    Check,
    /// The configuration as it is used.
    Show {
        /// With every default filled in, every environment on its own, and for each value where it comes from.
        #[arg(long)]
        effective: bool,
    },
}

pub(in crate::cli) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    match args {
        Args::Check => check(context),
        Args::Show { effective } => {
            let loaded = context.load()?;
            if *effective {
                show_effective(context, &loaded);
            } else {
                context.terminal().json(&loaded.config);
                context.terminal().print(&loaded.text);
            }
            Ok(Exit::Done)
        }
    }
}

fn show_effective(context: &Context, loaded: &Loaded) {
    let Loaded { config, path, sources, .. } = loaded;
    context.terminal().json(&serde_json::json!({
        "path": path, "named_by": context.named_by, "config": config, "sources": config.sources(sources),
    }));
    let named_by = match context.named_by {
        NamedBy::Option => "named by --config",
        NamedBy::Variable => "named by $TEAL_CONFIG",
        NamedBy::Place => "the first of ./teal.toml and /etc/teal/teal.toml that is there",
    };
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let text = config.effective_with(sources, &file);
    context
        .terminal()
        .print(&format!("# {}, {named_by}\n# behind each value the line that says it\n\n{text}", path.display()));
}

fn check(context: &Context) -> Result<Exit, CliError> {
    let (path, errors, warnings) = match load(context.config_path()) {
        Ok(loaded) => (loaded.path.clone(), [suites(&loaded), edges(&loaded)].concat(), loaded.warnings),
        Err(LoadError::Invalid { path, errors, warnings }) => (path, texts(&errors), warnings),
        Err(error) => return Err(error.into()),
    };
    let exit = if errors.is_empty() { Exit::Done } else { Exit::Usage };
    context.terminal().json(&serde_json::json!({
        "path": path, "errors": errors, "warnings": texts(&warnings), "exit": exit.code(),
    }));
    let mut terminal = context.terminal();
    errors.iter().for_each(|error| terminal.print(&format!("!!  {error}")));
    warnings.iter().for_each(|warning| terminal.print(&format!("--  {warning}")));
    terminal.print(&match errors.len() {
        0 => format!("ok  {} is valid", path.display()),
        1 => format!("    1 mistake in {}", path.display()),
        count => format!("    {count} mistakes in {}", path.display()),
    });
    Ok(exit)
}

fn texts(diagnostics: &[Diagnostic]) -> Vec<String> {
    diagnostics.iter().map(ToString::to_string).collect()
}

/// The mistakes of the smoke suites, each suite once.
fn suites(loaded: &Loaded) -> Vec<String> {
    let base = loaded.path.parent().unwrap_or(Path::new("/"));
    let mut mistakes: Vec<String> =
        loaded.config.environments.values().flat_map(|e| engine::smoke_mistakes(&e.smoke, base)).collect();
    mistakes.sort();
    mistakes.dedup();
    mistakes
}

/// What no HAProxy configuration can be made of.
fn edges(loaded: &Loaded) -> Vec<String> {
    let environments = loaded.config.environments.iter().filter(|(_, one)| one.switch.by != SwitchBy::Selector);
    let refused = environments.filter_map(|(name, one)| {
        let error = engine::proxy_render(loaded, name, one.edge.form).err()?;
        Some(format!("environments.{name}.edge: {error}"))
    });
    refused.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::FIRST;

    #[test]
    fn a_check_ends_with_two_when_there_is_a_mistake() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("teal.toml");
        let context = Context::new(Some(path.clone()), true);
        let check = |text: &str, exit: Exit| {
            std::fs::write(&path, text).unwrap();
            assert_eq!(check(&context).unwrap(), exit);
        };
        let first = FIRST.replace("{app}", "shop");
        check(&first, Exit::Done);
        check(&first.replace("mode =", "mdoe ="), Exit::Usage);
        // Only this machine may tell a fragment who the client is.
        let edge = "[environments.prod.edge]";
        assert!(first.contains(edge));
        check(&first.replace(edge, &format!("{edge}\nform = \"fragment\"\nbind = [\"*:80\"]")), Exit::Usage);
        // A suite is read by its own rules, in a file of its own.
        check(&format!("{first}[smoke]\nsuite = \"missing.toml\"\n"), Exit::Usage);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(run(&context, &Args::Check).unwrap_err().exit, Exit::Usage);
    }
}
