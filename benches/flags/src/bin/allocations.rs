//! Counts instead of timing: allocations a call, and bytes that 1,000 flags with 20 rules each take. A binary of its own, for the
//! counting allocator would be in the way of the clock.

use std::hint::black_box;
use std::sync::Arc;

use allocation_counter::measure;
use bench_flags::field::{self, Build};
use bench_flags::settings::Settings;
use bench_flags::shape::Case;
use bench_flags::world::World;
use serde_json::json;

/// Questions that are asked while allocations are counted.
const CALLS: usize = 2_048;

fn main() {
    let settings = Settings::read();
    let world = Arc::new(World::new(1_000));
    let nobody = Arc::new(World::new(0));
    for build in field::ALL {
        for case in Case::TIMED {
            let entry = build(&world, &case.shape());
            if !settings.wants(&entry) {
                continue;
            }
            let questions = &world.questions[..CALLS];
            entry.player.play(&world, questions, 1);
            let counted = measure(|| {
                black_box(entry.player.play(&world, questions, 1));
            });
            let line = json!({
                "kind": "allocations", "flags": 1_000, "case": case.name(), "contestant": entry.name,
                "allocations": counted.count_total as f64 / CALLS as f64,
                "allocated_bytes": counted.bytes_total as f64 / CALLS as f64,
            });
            println!("{line}");
        }
        memory(&settings, *build, &world, &nobody);
    }
}

/// What 1,000 flags hold, without the users' contexts that stand beside them.
fn memory(settings: &Settings, build: Build, world: &Arc<World>, nobody: &Arc<World>) {
    let name = build(nobody, &Case::On.shape()).name;
    let wanted = settings.only.is_empty() || settings.only.iter().any(|part| name.contains(part.as_str()));
    if !wanted {
        return;
    }
    let held = |world: &Arc<World>, case: Case| {
        let mut kept = None;
        let bytes = measure(|| {
            let mut entry = build(world, &case.shape());
            // The writer's own copy of the flags is not the SDK's.
            (entry.update, entry.change) = (None, None);
            kept = Some(entry);
        })
        .bytes_current;
        drop(kept);
        bytes
    };
    let empty = held(nobody, Case::On);
    for case in [Case::Quarter, Case::TwentyRules] {
        let bytes = held(world, case) - empty;
        println!(
            "{}",
            json!({ "kind": "memory", "flags": 1_000, "case": case.name(), "contestant": name, "bytes": bytes })
        );
    }
}
