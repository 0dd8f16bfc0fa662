//! Plays every case, prints a JSON line for each contestant in it, and fails when one answers wrongly.

use std::process::ExitCode;
use std::sync::Arc;

use bench_flags::player::Entry;
use bench_flags::settings::Settings;
use bench_flags::shape::Case;
use bench_flags::storm::{self, Tail};
use bench_flags::world::World;
use bench_flags::{check, field, measure};
use serde_json::json;

fn main() -> ExitCode {
    let settings = Settings::read();
    let mut wrong = Vec::new();
    for &flags in &settings.flags {
        let world = Arc::new(World::new(flags));
        for case in Case::TIMED.into_iter().filter(|case| settings.plays(*case)) {
            eprintln!("{flags} flags, {}", case.name());
            let shape = case.shape();
            let built = field::ALL.iter().map(|build| build(&world, &shape));
            let entries: Vec<Entry> = built.filter(|entry| settings.wants(entry)).collect();
            if !settings.storm_only {
                wrong.extend(calls(&settings, &world, case, &entries));
            }
            if !settings.calls_only && case == Case::Quarter && Some(&flags) == settings.flags.last() {
                tails(&settings, &world, entries);
            }
        }
    }
    for sentence in &wrong {
        eprintln!("wrong: {sentence}");
    }
    if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Nanoseconds a call, for each number of threads; gives what was answered wrongly.
fn calls(settings: &Settings, world: &World, case: Case, entries: &[Entry]) -> Vec<String> {
    let (shares, wrong) = check::answers(world, case, entries);
    for &threads in &settings.threads {
        let results = measure::interleaved(world, entries, threads, settings.repetitions, settings.sample());
        for ((entry, share), (portion, samples)) in entries.iter().zip(&shares).zip(results) {
            let line = json!({
                "kind": "call", "flags": world.names.len(), "case": case.name(), "threads": threads,
                "contestant": entry.name, "share": share, "calls": portion.calls(),
                "ns": samples.iter().map(|ns| round(*ns, 100.0)).collect::<Vec<_>>(),
            });
            println!("{line}");
        }
    }
    wrong
}

/// The tail of a call: without a writer, with one that replaces all flags, and with one that replaces one of them, in turn.
fn tails(settings: &Settings, world: &World, mut entries: Vec<Entry>) {
    entries.retain(|entry| entry.update.is_some());
    eprintln!("{} flags, 25 %, updated all the time", world.names.len());
    let mut tails: Vec<[Vec<Tail>; 3]> = vec![Default::default(); entries.len()];
    for _ in 0..settings.repetitions {
        for (entry, [calm, all, one]) in entries.iter_mut().zip(&mut tails) {
            let (mut update, mut change) = (entry.update.take(), entry.change.take());
            calm.push(storm::stretch(world, entry, None, settings.storm()));
            for (update, tails) in [(&mut update, all), (&mut change, one)] {
                if let Some(update) = update {
                    tails.push(storm::stretch(world, entry, Some(update), settings.storm()));
                }
            }
            (entry.update, entry.change) = (update, change);
        }
    }
    for (entry, tails) in entries.iter().zip(tails) {
        for (updates, tails) in ["none", "all", "one"].into_iter().zip(tails).filter(|(_, tails)| !tails.is_empty()) {
            let list =
                |figure: fn(&Tail) -> f64| tails.iter().map(|tail| round(figure(tail), 10.0)).collect::<Vec<_>>();
            let line = json!({
                "kind": "tail", "flags": world.names.len(), "case": Case::Quarter.name(), "threads": 1,
                "contestant": entry.name, "updates": updates, "batch": storm::BATCH,
                "updates_per_s": list(|tail| tail.updates), "p50_ns": list(|tail| tail.p50), "p99_ns": list(|tail| tail.p99),
                "p999_ns": list(|tail| tail.p999), "max_ns": list(|tail| tail.max),
            });
            println!("{line}");
        }
    }
}

fn round(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}
