//! The program behind `benches/detection/run`: plays what it is told and prints a line of JSON for each cell.

#[path = "mod.rs"]
mod detection;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Parser;
use teal_agent::proxy::haproxy::program::HaProxy;

use detection::Settings;
use detection::plan::Contestant;

/// Plays the same faults against Teal and four peers
#[derive(Parser)]
struct Args {
    /// Teal's program [default: the one that was built with this one]
    #[arg(long, value_name = "PATH")]
    teal: Option<PathBuf>,
    /// HAProxy's program [default: $TEAL_HAPROXY, else the first in $PATH]
    #[arg(long, value_name = "PATH")]
    haproxy: Option<PathBuf>,
    /// Requests a second
    #[arg(long, default_value_t = 1000, value_name = "N")]
    rps: u32,
    /// Which rows of the table [default: all but `soak`]
    #[arg(long, value_delimiter = ',', value_name = "NAME,...")]
    cells: Vec<String>,
    /// Who takes part
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "teal,check,observe,argo,flagger",
        value_name = "NAME,..."
    )]
    contestants: Vec<Contestant>,
    /// Runs of Teal; of a good release 3 at most
    #[arg(long, default_value_t = 10, value_name = "N")]
    runs: u32,
    /// Runs of a peer, of Flagger and of a good release 1; who does not leave a bad colour in its first is not tried again
    #[arg(long, default_value_t = 2, value_name = "N")]
    peer_runs: u32,
    /// Seconds of traffic on the old colour before each switch
    #[arg(long, default_value_t = 2.0, value_name = "SECONDS")]
    warm_up: f64,
    /// Seconds that a good release is watched in the row `soak`
    #[arg(long, default_value_t = 100, value_name = "SECONDS")]
    soak: u64,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let beside = || Some(std::env::current_exe().ok()?.parent()?.parent()?.join("teal"));
    let program = args.teal.or_else(beside).ok_or_else(|| anyhow::anyhow!("name Teal's program with --teal PATH"))?;
    let haproxy = HaProxy::find(args.haproxy.as_deref())?;
    let settings = Settings {
        program,
        rps: args.rps,
        cells: args.cells,
        contestants: args.contestants,
        runs: [args.runs, args.peer_runs],
        warm_up: Duration::try_from_secs_f64(args.warm_up)?,
        soak: Duration::from_secs(args.soak),
    };
    let begun = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(settings.play(&haproxy, |row| {
        let figures = &row.figures;
        eprintln!(
            "{:>6.0} s  run {:<3} {:<13} {:<8} {:?}, {} bad of {}, off after {} ms{}",
            begun.elapsed().as_secs_f64(),
            row.run,
            row.cell,
            row.contestant,
            row.ending,
            figures.bad,
            figures.reached,
            figures.off_ms,
            row.invalid.as_deref().map_or(String::new(), |why| format!("  INVALID: {why}"))
        );
        println!("{}", serde_json::to_string(&row).unwrap_or_default());
    }))
}
