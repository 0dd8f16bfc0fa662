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
}

pub(in crate::cli) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let app = match &args.app {
        Some(app) if is_name(app) => app.clone(),
        Some(app) => return Err(CliError::usage(format!("--app: `{app}` must match [a-z][a-z0-9-]{{0,29}}"))),
        None => folder(&args.path),
    };
    let token = Token::random().ok_or_else(|| CliError::failed("the system gives no random numbers"))?;
    let token_file = args.path.with_file_name(TOKEN_FILE);
    let file = NewFile::beside(&args.path, 0o644, "teal config check   reads it")?;
    let left_over = "move it away if a service still takes the token in it, or else remove it";
    let secret = NewFile::beside(&token_file, 0o600, left_over)?;
    let failed = |path: &Path, error| CliError::failed(format!("cannot write {}: {error}", path.display()));
    // First the token, so that no configuration names one that nobody has.
    secret.keep(&format!("{}\n", token.reveal())).map_err(|error| failed(&token_file, error))?;
    let text = config::first(&app, &FirstToken::from(&token), TOKEN_FILE);
    if let Err(error) = file.keep(&text) {
        // Nobody takes it.
        let _ = std::fs::remove_file(&token_file);
        return Err(failed(&args.path, error));
    }
    let path = args.path.display();
    context.terminal().json(&serde_json::json!({ "wrote": args.path, "app": app, "token_file": token_file }));
    context.terminal().print(&format!(
        "ok  wrote {path} for {app}; it starts in observe mode, which touches nothing\n    next: set `run` and `ports` in it, then \
         teal config check --config {path}\n    the token of the flags' first admin is in {}",
        token_file.display()
    ));
    Ok(Exit::Done)
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
        let args = Args { app: None, path: folder.join("teal.toml") };
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
    fn a_token_that_is_left_over_says_so_and_nothing_is_left_of_what_failed() {
        let folder = tempfile::tempdir().unwrap();
        let args = Args { app: Some("shop".into()), path: folder.path().join("teal.toml") };
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
