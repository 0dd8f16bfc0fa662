//! The options of `teal demo`.

use std::path::PathBuf;

use super::fault::Fault;
use super::load;
use super::script::Act;

/// The options of `teal demo`; `--json` is the command line's own.
#[derive(Clone, Debug, clap::Args)]
pub struct DemoArgs {
    /// Requests a second
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(load::MAX_RPS)))]
    pub rps: u32,
    /// What is wrong with a bad version: errors=20%, latency=500ms, hang, crash=100, slow-start=3s, late=5s,errors=100%
    #[arg(long, default_value = "errors=100%", value_name = "SPEC")]
    pub fault: Fault,
    /// How long a release is watched
    #[arg(long, default_value_t = 10, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub watch: u64,
    /// Repeats the load's jitter and the sample app's dice
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// HAProxy's program [default: $TEAL_HAPROXY, else the first in $PATH]
    #[arg(long, value_name = "PATH")]
    pub haproxy: Option<PathBuf>,
    /// What is released in turn
    #[arg(long, value_enum, value_delimiter = ',', default_value = "good,bad", value_name = "KIND,...")]
    pub releases: Vec<Kind>,
    /// Releases this many good versions instead, back and forth
    #[arg(long, value_name = "N", conflicts_with = "releases")]
    pub switches: Option<u32>,
    /// Goes on until Ctrl-C, and prints commands to try
    #[arg(long)]
    pub stay: bool,
}

/// Whether a version has the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// It has none.
    Good,
    /// It has the one of `--fault`.
    Bad,
}

impl DemoArgs {
    /// The releases in turn: v2, v3, ...
    #[must_use]
    pub fn acts(&self) -> Vec<Act> {
        let kinds = match self.switches {
            Some(count) => vec![Kind::Good; count as usize],
            None => self.releases.clone(),
        };
        let act = |(number, kind)| Act {
            version: format!("v{number}"),
            fault: if kind == Kind::Bad { self.fault } else { Fault::default() },
        };
        (2..).zip(kinds).map(act).collect()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: DemoArgs,
    }

    fn parse(words: &str) -> Result<DemoArgs, String> {
        let words = std::iter::once("demo").chain(words.split_whitespace());
        Line::try_parse_from(words).map(|line| line.args).map_err(|error| error.to_string())
    }

    #[test]
    fn a_good_release_comes_before_a_bad_one_unless_said_otherwise() {
        let check = |words: &str, expected: &[(&str, &str)]| {
            let acts = parse(words).unwrap().acts();
            let acts: Vec<_> = acts.iter().map(|act| (act.version.as_str(), act.fault.to_string())).collect();
            let expected: Vec<_> = expected.iter().map(|(version, fault)| (*version, (*fault).to_owned())).collect();
            assert_eq!(acts, expected, "{words}");
        };
        check("", &[("v2", "none"), ("v3", "errors=100%")]);
        check("--releases bad,good --fault hang", &[("v2", "hang=100%"), ("v3", "none")]);
        check("--switches 2", &[("v2", "none"), ("v3", "none")]);
    }

    #[test]
    fn options_that_make_no_sense_are_refused_with_what_would() {
        let check = |words: &str, expected: &str| {
            let error = parse(words).unwrap_err();
            assert!(error.contains(expected), "{words}: {error}");
        };
        check("--rps 0", "1..=20000");
        check("--watch 0", "1..=3600");
        check("--fault errors=lots", "a percentage up to 100");
        check("--releases ugly", "possible values: good, bad");
        check("--switches 2 --releases good", "cannot be used with");
    }
}
