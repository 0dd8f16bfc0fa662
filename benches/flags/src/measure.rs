//! Nanoseconds a call: everybody in turn, repetition after repetition, so that a noisy second falls on all.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::player::{Answers, Entry, Player};
use crate::world::World;

/// How much of the list one sample takes.
#[derive(Clone, Copy)]
pub struct Portion {
    /// Questions from the list's start.
    pub questions: usize,
    /// How often.
    pub rounds: usize,
}

impl Portion {
    /// Calls in a sample.
    #[must_use]
    pub fn calls(self) -> usize {
        self.questions * self.rounds
    }

    /// So much that a sample takes about `length`, at least 256 calls.
    #[must_use]
    pub fn for_length(world: &World, player: &dyn Player, length: Duration) -> Self {
        let all = world.questions.len();
        let probe = all.min(512);
        player.play(world, &world.questions[..probe], 1);
        let start = Instant::now();
        player.play(world, &world.questions[..probe], 1);
        let each = start.elapsed().as_secs_f64() / probe as f64;
        let calls = (length.as_secs_f64() / each) as usize;
        if calls < all {
            Self { questions: calls.max(256), rounds: 1 }
        } else {
            Self { questions: all, rounds: calls / all }
        }
    }
}

/// Nanoseconds a call on each of `threads` threads at once: the mean of the threads.
#[must_use]
pub fn sample(world: &World, player: &dyn Player, portion: Portion, threads: usize) -> (f64, Answers) {
    let questions = &world.questions[..portion.questions];
    let barrier = Barrier::new(threads);
    let work = || {
        // Once without the clock: caches, branch predictor and what a thread makes at its first call.
        player.play(world, &questions[..questions.len().min(2_048)], 1);
        barrier.wait();
        let start = Instant::now();
        let answers = player.play(world, questions, portion.rounds);
        (start.elapsed().as_nanos() as f64 / portion.calls() as f64, answers)
    };
    let results: Vec<(f64, Answers)> = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut results = vec![work()];
        results.extend(others.into_iter().map(|other| other.join().expect("a contestant panicked")));
        results
    });
    let answers = results[0].1;
    assert!(
        results.iter().all(|(_, other)| *other == answers),
        "two threads got different answers to the same questions"
    );
    (results.iter().map(|(ns, _)| ns).sum::<f64>() / threads as f64, answers)
}

/// `repetitions` samples of each contestant, in turn; each repetition begins with another one.
///
/// # Panics
/// When a contestant answers otherwise than in its first repetition.
#[must_use]
pub fn interleaved(
    world: &World,
    entries: &[Entry],
    threads: usize,
    repetitions: usize,
    length: Duration,
) -> Vec<(Portion, Vec<f64>)> {
    let mut results: Vec<(Portion, Vec<f64>)> = entries
        .iter()
        .map(|entry| (Portion::for_length(world, &*entry.player, length), Vec::with_capacity(repetitions)))
        .collect();
    let mut first = vec![None; entries.len()];
    for repetition in 0..repetitions {
        for turn in 0..entries.len() {
            let at = (turn + repetition) % entries.len();
            let (portion, samples) = &mut results[at];
            let (ns, answers) = sample(world, &*entries[at].player, *portion, threads);
            samples.push(ns);
            let before = *first[at].get_or_insert(answers);
            assert!(before == answers, "{} changed its answers between repetitions", entries[at].name);
        }
    }
    results
}
