//! `teal explain`: why each decision of a release fell, in words or as a picture.

use std::path::{Path, PathBuf};

use crate::api::ReleaseId;
use crate::cli::command::wait::find;
use crate::cli::context::{Context, client};
use crate::cli::{CliError, Exit, render};

/// The file name that stands for the standard output.
const STDOUT: &str = "-";

/// Arguments of `teal explain`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The release, r-0043 or 43; else the last one.
    release: Option<ReleaseId>,
    /// Its environment, where there are several.
    #[arg(long, short, value_name = "ENV")]
    env: Option<String>,
    /// Draw the evidence over time instead, into FILE or to the standard output.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    svg: Option<PathBuf>,
}

pub(in crate::cli) async fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let loaded = context.load()?;
    let (release, svg) = target(args.release, args.svg.as_deref());
    if context.json && svg == Some(Path::new(STDOUT)) {
        return Err(CliError::usage("--svg and --json both go to the standard output: name a file, --svg FILE"));
    }
    let (environment, release) = find(&loaded, args.env.as_deref(), release).await?;
    let explanation = client(&loaded).explain(&environment, release).await?;
    if let Some(file) = svg {
        let svg = render::plot::plot(&explanation)
            .ok_or_else(|| CliError::failed(format!("{release} has no evidence over time that could be drawn")))?;
        if file == Path::new(STDOUT) {
            context.terminal().print(&svg);
            return Ok(Exit::Done);
        }
        std::fs::write(file, svg)
            .map_err(|error| CliError::failed(format!("cannot write {}: {error}", file.display())))?;
        context.terminal().json(&explanation);
        context.terminal().print(&format!("{} is drawn", file.display()));
        return Ok(Exit::Done);
    }
    context.terminal().json(&explanation);
    context.terminal().print(&render::explain::explain(&explanation));
    Ok(Exit::Done)
}

/// The release that is meant and where its picture goes: `--svg r-0043` names a release and no file.
fn target(release: Option<ReleaseId>, svg: Option<&Path>) -> (Option<ReleaseId>, Option<&Path>) {
    let named = svg.and_then(Path::to_str).and_then(|name| name.parse::<ReleaseId>().ok());
    match named.filter(|_| release.is_none()) {
        Some(named) => (Some(named), Some(Path::new(STDOUT))),
        None => (release, svg),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_after_svg_is_no_file() {
        let check = |release: Option<u64>, svg: Option<&str>, expected: (Option<u64>, Option<&str>)| {
            let (release, svg) = target(release.map(ReleaseId), svg.map(Path::new));
            assert_eq!((release.map(|r| r.0), svg.and_then(Path::to_str)), expected);
        };
        check(None, None, (None, None));
        check(None, Some("-"), (None, Some("-")));
        check(None, Some("a.svg"), (None, Some("a.svg")));
        check(None, Some("r-0043"), (Some(43), Some("-")));
        check(Some(7), Some("r-0043"), (Some(7), Some("r-0043")));
    }
}
