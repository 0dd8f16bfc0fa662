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
        Ok(loaded) => {
            let warnings = [texts(&loaded.warnings), absent(&loaded)].concat();
            (loaded.path.clone(), [suites(&loaded), edges(&loaded)].concat(), warnings)
        }
        Err(LoadError::Invalid { path, errors, warnings }) => (path, texts(&errors), texts(&warnings)),
        Err(error) => return Err(error.into()),
    };
    let exit = if errors.is_empty() { Exit::Done } else { Exit::Usage };
    context.terminal().json(&serde_json::json!({
        "path": path, "errors": errors, "warnings": warnings, "exit": exit.code(),
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

/// Files that it names and this machine has not: the file may be checked elsewhere than it is used.
fn absent(loaded: &Loaded) -> Vec<String> {
    let mut absent = Vec::new();
    let mut look = |key: String, file: &Path| {
        // Who may not look cannot say that it is missing.
        if matches!(file.try_exists(), Ok(false)) {
            absent.push(format!("{key}: {} is not there on this machine", file.display()));
        }
    };
    for (name, environment) in &loaded.config.environments {
        let certificates = environment.edge.bind.iter().filter_map(|bind| bind.certificate.as_deref());
        certificates.for_each(|file| look(format!("environments.{name}.edge.bind"), file));
        for (component, settings) in &environment.components {
            let Some(processes) = settings.runs.processes() else { continue };
            let key = |key: &str| format!("components.{component}.{key}");
            processes.env_file.iter().for_each(|file| look(key("env_file"), file));
            let program = processes.run.first().filter(|word| word.starts_with('/') && !word.contains('{'));
            program.iter().for_each(|word| look(key("run"), Path::new(word)));
        }
    }
    if let Some(command) = loaded.config.notify.command.first().filter(|word| word.starts_with('/')) {
        look("notify.command".to_owned(), Path::new(command));
    }
    absent.dedup();
    absent
}

/// The mistakes of the smoke suites, each suite once.
fn suites(loaded: &Loaded) -> Vec<String> {
    let mut mistakes = engine::smoke_mistakes(loaded);
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
        let loaded = load(Some(&path)).unwrap_err();
        assert!(matches!(loaded, LoadError::Invalid { .. }));
        // Only this machine may tell a fragment who the client is.
        let edge = "[environments.prod.edge]";
        assert!(first.contains(edge));
        check(&first.replace(edge, &format!("{edge}\nform = \"fragment\"\nbind = [\"*:80\"]")), Exit::Usage);
        // A suite is read by its own rules, in a file of its own.
        check(&format!("{first}[smoke]\nsuite = \"missing.toml\"\n"), Exit::Usage);
        // What is not on this machine may be on another.
        let certificate = folder.path().join("site.pem");
        let bind = format!("bind = [{{ address = \"*:8443\", certificate = {certificate:?} }}]");
        let text = first.replace("bind = [\"127.0.0.1:8080\"]", &bind);
        check(&text, Exit::Done);
        let said = absent(&load(Some(&path)).unwrap());
        assert_eq!(
            said,
            [format!("environments.prod.edge.bind: {} is not there on this machine", certificate.display())]
        );
        std::fs::write(&certificate, "").unwrap();
        assert_eq!(absent(&load(Some(&path)).unwrap()), [""; 0]);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(run(&context, &Args::Check).unwrap_err().exit, Exit::Usage);
    }
}
