//! The program behind `benches/flag-service/run`: measures what it is told and prints a line of JSON for each row.

#[path = "mod.rs"]
mod flag_service;

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use flag_service::Settings;

/// Measures how soon changes of flags are everywhere, and how fast the service answers
#[derive(Parser)]
struct Args {
    /// Teal's program [default: the one that was built with this one]
    #[arg(long, value_name = "PATH")]
    teal: Option<PathBuf>,
    /// Streams at once
    #[arg(long, default_value_t = 1000, value_name = "N")]
    streams: usize,
    /// How many of them are real SDK clients
    #[arg(long, default_value_t = 20, value_name = "N")]
    sdks: usize,
    /// Changes of each series
    #[arg(long, default_value_t = 200, value_name = "N")]
    changes: usize,
    /// Milliseconds between two
    #[arg(long, default_value_t = 50, value_name = "MS")]
    pause: u64,
    /// Flags beside the ten that are always there
    #[arg(long, default_value_t = 90, value_name = "N")]
    flags: usize,
    /// Connections that read
    #[arg(long, default_value_t = 16, value_name = "N")]
    connections: usize,
    /// Requests a second, where they come at a steady rate
    #[arg(long, default_value_t = 10_000.0, value_name = "N")]
    rate: f64,
    /// Seconds that each way of reading is measured
    #[arg(long, default_value_t = 4.0, value_name = "SECONDS")]
    length: f64,
    /// Times that all ways of reading are measured, in turn
    #[arg(long, default_value_t = 3, value_name = "N")]
    rounds: usize,
    /// `floor`, `sqlite`, `sqlite-relay`, `postgres`, `postgres-relay`, `reads` [default: all]
    #[arg(long, value_delimiter = ',', value_name = "NAME,...")]
    only: Vec<String>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let beside = || Some(std::env::current_exe().ok()?.parent()?.parent()?.join("teal"));
    let program = args.teal.or_else(beside).ok_or_else(|| anyhow::anyhow!("name Teal's program with --teal PATH"))?;
    let settings = Settings {
        program,
        streams: args.streams,
        sdks: args.sdks.min(args.streams),
        changes: args.changes,
        pause: Duration::from_millis(args.pause),
        flags: args.flags,
        connections: args.connections,
        rate: args.rate,
        length: Duration::from_secs_f64(args.length),
        rounds: args.rounds,
        only: args.only,
    };
    settings.play(|row| println!("{row}"))
}
