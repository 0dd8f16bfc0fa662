//! `teal init`: a first, commented `teal.toml` that watches and touches nothing.

use std::path::{Path, PathBuf};

use crate::access::{FirstToken, Token};
use crate::cli::context::Context;
use crate::cli::new_file::NewFile;
use crate::cli::{CliError, Exit};
use crate::config;

/// Where the first admin's token goes, beside the configuration.
const TOKEN_FILE: &str = "teal-admin.token";

/// Arguments of `teal init`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The application's name; else the folder's.
    #[arg(long)]
    app: Option<String>,
    /// Where to write; an existing file is never overwritten.
    #[arg(default_value = "teal.toml")]
    path: PathBuf,
    /// Serve feature flags too; writes their first admin's token beside the file.
    #[arg(long)]
    flags: bool,
}

pub(in crate::cli) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let app = match &args.app {
        Some(app) if is_name(app) => app.clone(),
        Some(app) => return Err(CliError::usage(format!("--app: `{app}` must match [a-z][a-z0-9-]{{0,29}}"))),
        None => folder(&args.path),
    };
    let token = if args.flags {
        Some(Token::random().ok_or_else(|| CliError::failed("the system gives no random numbers"))?)
    } else {
        None
    };
    let token_file = args.path.with_file_name(TOKEN_FILE);
    let file = NewFile::beside(&args.path, 0o644, "teal config check   reads it")?;
    let failed = |path: &Path, error| CliError::failed(format!("cannot write {}: {error}", path.display()));
    // First the token, so that no configuration names one that nobody has.
    if let Some(token) = &token {
        let left_over = "move it away if a service still takes the token in it, or else remove it";
        let secret = NewFile::beside(&token_file, 0o600, left_over)?;
        secret.keep(&format!("{}\n", token.reveal())).map_err(|error| failed(&token_file, error))?;
    }
    let digest = token.as_ref().map(FirstToken::from);
    let text = config::first(&app, own(&args.path).as_deref(), digest.as_ref().map(|digest| (digest, TOKEN_FILE)));
    if let Err(error) = file.keep(&text) {
        if token.is_some() {
            // Nobody takes it.
            let _ = std::fs::remove_file(&token_file);
        }
        return Err(failed(&args.path, error));
    }
    let path = args.path.display();
    let written = token.as_ref().map(|_| &token_file);
    context.terminal().json(&serde_json::json!({ "wrote": args.path, "app": app, "token_file": written }));
    context.terminal().print(&format!(
        "ok  wrote {path} for {app}; it starts in observe mode, which touches nothing\n    next: set `run` and `ports` in it, then \
         teal config check --config {path}"
    ));
    if let Some(file) = written {
        context.terminal().print(&format!("    the token of the flags' first admin is in {}", file.display()));
    }
    Ok(Exit::Done)
}

/// The folder that is to hold everything: the file's own, unless it is one of the system's.
fn own(path: &Path) -> Option<PathBuf> {
    let folder = std::path::absolute(path).ok()?.parent()?.to_owned();
    let system = folder.starts_with("/etc") || folder == Path::new("/");
    (!system).then_some(folder)
}

/// The name of the folder the file is in, as far as it can be an application's.
fn folder(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_default();
    let folder = absolute.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().to_lowercase();
    let name: String = folder.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(30).collect();
    let name = name.trim_matches('-');
    if is_name(name) { name.to_owned() } else { "app".to_owned() }
}

fn is_name(name: &str) -> bool {
    name.len() <= 30
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_configuration_is_valid_and_never_overwritten() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("My Shop");
        std::fs::create_dir(&folder).unwrap();
        let args = Args { app: None, path: folder.join("teal.toml"), flags: true };
        let context = Context::new(None, true);
        assert_eq!(run(&context, &args).unwrap(), Exit::Done);
        let config = config::load(Some(&args.path)).unwrap().config;
        assert_eq!(config.app, "my-shop");
        let token_file = folder.join("teal-admin.token");
        let token: Token = std::fs::read_to_string(&token_file).unwrap().trim().parse().unwrap();
        assert_eq!(config.flags.unwrap().first_token, Some(FirstToken::from(&token)));
        let text = std::fs::read_to_string(&args.path).unwrap();
        assert!(!text.contains(&token.reveal()[18..]), "{text}");
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(token_file).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        let error = run(&context, &args).unwrap_err();
        assert_eq!(error.exit, Exit::Usage);
        assert!(error.to_string().contains("exists already"), "{error}");
        assert_eq!(error.hints, ["teal config check   reads it"]);
    }

    #[test]
    fn everything_is_below_the_files_folder_and_no_flags_are_served_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        let args = Args { app: Some("shop".into()), path: here.join("teal.toml"), flags: false };
        assert_eq!(run(&Context::new(None, true), &args).unwrap(), Exit::Done);
        let config = config::load(Some(&args.path)).unwrap().config;
        assert!(config.flags.is_none() && !here.join(TOKEN_FILE).exists());
        let edge = &config.environments["prod"].edge;
        assert_eq!(
            [&config.state, &edge.map, &edge.socket],
            [&here.join("state"), &here.join("edge/prod.map"), &here.join("edge/teal.sock")]
        );
        let text = std::fs::read_to_string(&args.path).unwrap();
        assert!(text.contains(&format!("run = [\"{}/{{version}}/shop\"", here.display())), "{text}");
        assert_eq!(own(Path::new("/etc/teal/teal.toml")), None);
    }

    #[test]
    fn a_token_that_is_left_over_says_so_and_nothing_is_left_of_what_failed() {
        let folder = tempfile::tempdir().unwrap();
        let args = Args { app: Some("shop".into()), path: folder.path().join("teal.toml"), flags: true };
        let context = Context::new(None, true);
        let token_file = folder.path().join("teal-admin.token");
        std::fs::write(&token_file, "of another").unwrap();
        let error = run(&context, &args).unwrap_err();
        assert!(error.to_string().contains("teal-admin.token exists already"), "{error}");
        assert_eq!(error.hints, ["move it away if a service still takes the token in it, or else remove it"]);
        let names = || std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!((names(), std::fs::read_to_string(&token_file).unwrap()), (1, "of another".to_owned()));
        std::fs::remove_file(&token_file).unwrap();
        assert_eq!(run(&context, &args).unwrap(), Exit::Done);
        assert_eq!(names(), 2);
    }

    #[test]
    fn a_folder_without_a_usable_name_gives_a_plain_one() {
        assert_eq!(folder(Path::new("/1234/teal.toml")), "app");
        assert_eq!(folder(Path::new("/teal.toml")), "app");
    }
}
