//! What a question costs: 1,000 flags, asked for in turn, each time for another user; every answer is counted.
//!
//! `cargo bench -p teal-flags` measures; without `--bench`, as tests run it, everything is asked once and only checked. Beside a floor
//! and the other SDKs these questions are measured by `benches/flags`.

use std::hint::black_box;
use std::time::Instant;

use teal_flags::model::{Condition, Document, Flag, Operator, Percentage, Rule, Timestamp};
use teal_flags::{Context, Flags, Handle, Layer};

const FLAGS: usize = 1000;
/// As many as a first-level cache holds no more.
const USERS: usize = 4096;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    if has("--list") {
        // As cargo-nextest asks.
        if !has("--ignored") {
            println!("every_question_is_answered: test");
        }
        return;
    }
    let rounds = if has("--bench") { 200 } else { 1 };
    let half = |flag: Flag| Flag { rollout_percentage: Percentage::from_whole(50).unwrap_or(Percentage::NONE), ..flag };
    let pro = || vec![Condition::new("plan", Operator::In, ["pro"])];
    println!("| what | share | by name | by handle |");
    println!("|---|---|---|---|");
    play("on", rounds, 1.0, |flag| flag);
    play("off", rounds, 0.0, |flag| Flag { enabled: false, ..flag });
    play("50 %", rounds, 0.5, half);
    play("rule", rounds, 0.5, |flag| Flag {
        rules: vec![Rule::new(pro())],
        rollout_percentage: Percentage::NONE,
        ..flag
    });
}

/// One kind of flag: checks the share of yes, prints the median time of a question.
fn play(what: &str, rounds: usize, expected: f64, kind: impl Fn(Flag) -> Flag) {
    let flags = Flags::new(None);
    let all = (0..FLAGS).map(|number| kind(Flag::new(format!("area.feature-{number}")))).collect();
    let names: Vec<String> = (0..FLAGS).map(|number| format!("area.feature-{number}")).collect();
    let applied = flags.apply(Layer::File, Document { flags: all, ..Document::default() }, Timestamp::from_millis(0));
    assert_eq!(applied.problems, []);
    let handles: Vec<Handle> = names.iter().map(|name| flags.handle(name)).collect();
    let ids: Vec<String> = (0..USERS).map(|user| format!("0192f3c4-7d1e-7a30-9c55-{user:012x}")).collect();
    let plans = [[("plan", "pro".into())], [("plan", "free".into())]];
    let user = |at: usize| Context::new(&ids[at % USERS], &plans[at / 7 % 2]);

    let (by_name, share) = measure(rounds, |at| flags.is_enabled(user(at), names[at % FLAGS].as_str()));
    assert!((share - expected).abs() < 0.05, "{what}: yes for {share} of all, expected {expected}");
    let (by_handle, same) = measure(rounds, |at| handles[at % FLAGS].is_enabled(user(at)));
    assert!((share - same).abs() < f64::EPSILON, "{what}: handles answer otherwise than names");
    println!("| {what} | {share:.2} | {by_name:.1} ns | {by_handle:.1} ns |");
}

/// The median of nanoseconds a question, and the share of yes.
fn measure(rounds: usize, ask: impl Fn(usize) -> bool) -> (f64, f64) {
    let questions = 8 * FLAGS;
    let mut on = 0;
    let mut nanos: Vec<f64> = (0..rounds)
        .map(|_| {
            let began = Instant::now();
            on += (0..questions).filter(|at| ask(black_box(*at))).count();
            began.elapsed().as_secs_f64() * 1e9 / questions as f64
        })
        .collect();
    nanos.sort_by(f64::total_cmp);
    (nanos[rounds / 2], on as f64 / (questions * rounds) as f64)
}
