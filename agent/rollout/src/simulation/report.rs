//! What a run has to tell: how much happened, or which invariant broke and how to see it again.

use std::fmt;

use super::scenario::Sabotage;

/// How often what happened; added up over seeds it shows that the simulation reaches what it is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Releases begun.
    pub releases: u64,
    /// Ended as proven.
    pub completed: u64,
    /// Kept without proof.
    pub kept: u64,
    /// Called bad after traffic had moved, or ended before.
    pub rolled_back: u64,
    /// Ended before traffic moved.
    pub aborted: u64,
    /// Called bad by statistics.
    pub by_errors: u64,
    /// Called bad by a hard fact.
    pub by_facts: u64,
    /// A verdict that another life of the agent, or a forced edge, had left behind.
    pub learned: u64,
    /// Emergencies entered.
    pub emergencies: u64,
    /// Shared outages recognised.
    pub shared: u64,
    /// Shared outages suspected that were over before the old colour was asked.
    pub suspected: u64,
    /// Healthy releases taken back while a part of the requests failed on both colours.
    pub blamed: u64,
    /// The same after that was over.
    pub blamed_late: u64,
    /// Bad versions that serve in the end, kept as not proven after an outage took the evidence away.
    pub kept_bad: u64,
    /// Manual moves adopted.
    pub adopted: u64,
    /// Manual moves put back.
    pub put_back: u64,
    /// Old colours reduced, at a stage's beginning.
    pub reduced: u64,
    /// Ways back that had to scale up first.
    pub scaled_up: u64,
    /// Of these, the ones that did not come.
    pub not_scaled_up: u64,
    /// Asked a human at the end of the watch.
    pub held: u64,
    /// Deaths of the agent.
    pub crashes: u64,
    /// Orders refused.
    pub refused: u64,
    /// Probes of candidates with little traffic that were answered.
    pub samples: u64,
    /// Times an agent began to lead.
    pub elections: u64,
    /// Times an agent's process stood still.
    pub sleeps: u64,
    /// Writes that met another's document.
    pub conflicts: u64,
    /// Writes that nobody heard of.
    pub lost_answers: u64,
    /// Steps simulated.
    pub steps: u64,
}

impl Tally {
    /// Adds another run.
    pub fn add(&mut self, other: &Self) {
        let Self {
            releases,
            completed,
            kept,
            rolled_back,
            aborted,
            by_errors,
            by_facts,
            learned,
            emergencies,
            shared,
            suspected,
            blamed,
            blamed_late,
            kept_bad,
            adopted,
            put_back,
            reduced,
            scaled_up,
            not_scaled_up,
            held,
            crashes,
            refused,
            samples,
            elections,
            sleeps,
            conflicts,
            lost_answers,
            steps,
        } = other;
        for (sum, more) in [
            (&mut self.releases, releases),
            (&mut self.completed, completed),
            (&mut self.kept, kept),
            (&mut self.rolled_back, rolled_back),
            (&mut self.aborted, aborted),
            (&mut self.by_errors, by_errors),
            (&mut self.by_facts, by_facts),
            (&mut self.learned, learned),
            (&mut self.emergencies, emergencies),
            (&mut self.shared, shared),
            (&mut self.suspected, suspected),
            (&mut self.blamed, blamed),
            (&mut self.blamed_late, blamed_late),
            (&mut self.kept_bad, kept_bad),
            (&mut self.adopted, adopted),
            (&mut self.put_back, put_back),
            (&mut self.reduced, reduced),
            (&mut self.scaled_up, scaled_up),
            (&mut self.not_scaled_up, not_scaled_up),
            (&mut self.held, held),
            (&mut self.crashes, crashes),
            (&mut self.refused, refused),
            (&mut self.samples, samples),
            (&mut self.elections, elections),
            (&mut self.sleeps, sleeps),
            (&mut self.conflicts, conflicts),
            (&mut self.lost_answers, lost_answers),
            (&mut self.steps, steps),
        ] {
            *sum += more;
        }
    }
}

/// An invariant of decision section 7 that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The seed that shows it.
    pub seed: u64,
    /// The test that replays it.
    pub test: &'static str,
    /// The bug that was planted, if any.
    pub sabotage: Option<Sabotage>,
    /// After which step.
    pub step: u64,
    /// Its number.
    pub invariant: u8,
    /// What was seen.
    pub what: String,
    /// The last events before it.
    pub events: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, test, step, invariant, what, sabotage, events } = self;
        for event in events {
            writeln!(f, "{event}")?;
        }
        writeln!(f, "invariant {invariant} broken at step {step} of seed {seed}: {what}")?;
        match sabotage {
            Some(sabotage) => write!(f, "as it should be, with the planted bug {sabotage:?}"),
            None => {
                write!(f, "replay: TEAL_SEED={seed} cargo test -p teal-rollout --test simulation -- --exact {test}")
            }
        }
    }
}

impl std::error::Error for Violation {}
