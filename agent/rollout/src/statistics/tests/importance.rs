//! Importance sampling: how probable is what happens once in millions of releases?

use super::Rng;

/// A law under which alarms are common: healthy up to request `start`, then other probabilities of each outcome.
#[derive(Clone, Copy)]
pub(in crate::statistics) struct Tilt<const K: usize> {
    pub(in crate::statistics) start: usize,
    pub(in crate::statistics) law: [f64; K],
}

/// Requests with K outcomes, at the edge of what is tolerated.
pub(in crate::statistics) struct Sampled<const K: usize> {
    /// How probable each outcome is.
    pub(in crate::statistics) healthy: [f64; K],
    pub(in crate::statistics) tilts: Vec<Tilt<K>>,
    pub(in crate::statistics) runs: usize,
    /// Requests a run lasts.
    pub(in crate::statistics) horizon: usize,
    pub(in crate::statistics) seed: u64,
}

impl<const K: usize> Sampled<K> {
    /// The probability that `step` ever answers with an alarm while all is healthy, and its standard error. `step` gets
    /// the process, the number of the request and its outcome.
    ///
    /// Alarms that happen once in millions of releases are made common by drawing each run from one of a set of
    /// tilted laws, and each is counted with its likelihood under the healthy law over that under the mixture of all
    /// the laws (the balance heuristic). The laws are the test's own; nothing is taken from the process but whether
    /// it is bad.
    pub(in crate::statistics) fn probability<P>(
        &self,
        begin: impl Fn() -> P,
        mut step: impl FnMut(&mut P, usize, usize) -> bool,
    ) -> (f64, f64) {
        let mut rng = Rng(self.seed);
        // Outcomes of each kind before each request.
        let mut before = vec![[0_u32; K]; self.horizon + 1];
        let (mut sum, mut squares) = (0.0, 0.0);
        for tilt in self.tilts.iter().cycle().take(self.runs) {
            let mut process = begin();
            for i in 0..self.horizon {
                let outcome = draw(&mut rng, if i < tilt.start { &self.healthy } else { &tilt.law });
                before[i + 1] = before[i];
                before[i + 1][outcome] += 1;
                if step(&mut process, i, outcome) {
                    let weight = 1.0 / self.under_the_mixture(&before[..=i + 1]);
                    sum += weight;
                    squares += weight * weight;
                    break;
                }
            }
        }
        let runs = self.runs as f64;
        let mean = sum / runs;
        (mean, ((squares / runs - mean * mean) / runs).sqrt())
    }

    /// The likelihood of what was drawn under all the laws together over that under the healthy one.
    fn under_the_mixture(&self, before: &[[u32; K]]) -> f64 {
        let n = before.len() - 1;
        let ratio = |tilt: &Tilt<K>| {
            let ln = |k: usize| {
                let since = f64::from(before[n][k] - before[tilt.start.min(n)][k]);
                // An outcome that cannot be has no likelihood either.
                if since > 0.0 { since * (tilt.law[k] / self.healthy[k]).ln() } else { 0.0 }
            };
            (0..K).map(ln).sum::<f64>().exp()
        };
        self.tilts.iter().map(ratio).sum::<f64>() / self.tilts.len() as f64
    }
}

fn draw<const K: usize>(rng: &mut Rng, law: &[f64; K]) -> usize {
    let mut left = rng.unit();
    for (outcome, probability) in law.iter().enumerate().take(K - 1) {
        left -= probability;
        if left < 0.0 {
            return outcome;
        }
    }
    K - 1
}
