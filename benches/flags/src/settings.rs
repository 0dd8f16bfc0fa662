//! What is played and for how long, as given on the command line.

use std::time::Duration;

use clap::Parser;

use crate::player::Entry;
use crate::shape::Case;

/// Times every contestant, checks its answers, and prints one JSON line a cell.
#[derive(Parser)]
pub struct Settings {
    /// Every case once, with tiny counts: whether everybody still answers rightly.
    #[arg(long)]
    pub smoke: bool,
    /// Samples of each contestant, in turn.
    #[arg(long, default_value_t = 7)]
    pub repetitions: usize,
    /// Milliseconds a sample.
    #[arg(long, default_value_t = 20)]
    pub sample_ms: u64,
    /// Milliseconds of a stretch with updates, and of one without.
    #[arg(long, default_value_t = 300)]
    pub storm_ms: u64,
    /// Numbers of flags.
    #[arg(long, value_delimiter = ',', default_value = "10,100,1000")]
    pub flags: Vec<usize>,
    /// Cases, by name; all when none is given.
    #[arg(long, value_delimiter = ',')]
    pub cases: Vec<String>,
    /// Numbers of threads.
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    pub threads: Vec<usize>,
    /// Only the calls without updates.
    #[arg(long, conflicts_with = "storm_only")]
    pub calls_only: bool,
    /// Only the tails of calls, calm and with updates.
    #[arg(long)]
    pub storm_only: bool,
    /// Contestants whose name contains one of these; all when none is given.
    #[arg(long, value_delimiter = ',')]
    pub only: Vec<String>,
}

impl Settings {
    /// From the command line; a smoke run overrides what costs time.
    #[must_use]
    pub fn read() -> Self {
        let mut settings = Self::parse();
        if settings.smoke {
            settings.repetitions = 2;
            settings.sample_ms = 0;
            settings.storm_ms = 20;
        }
        settings
    }

    /// The length of a sample.
    #[must_use]
    pub fn sample(&self) -> Duration {
        Duration::from_millis(self.sample_ms)
    }

    /// The length of a stretch.
    #[must_use]
    pub fn storm(&self) -> Duration {
        Duration::from_millis(self.storm_ms)
    }

    /// Whether this case is played.
    #[must_use]
    pub fn plays(&self, case: Case) -> bool {
        self.cases.is_empty() || self.cases.iter().any(|name| name == case.name())
    }

    /// Whether this contestant plays.
    #[must_use]
    pub fn wants(&self, entry: &Entry) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| entry.name.contains(part.as_str()))
    }
}
