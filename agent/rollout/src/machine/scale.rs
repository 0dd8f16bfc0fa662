//! Weighs the old colour's answers: does it fail like the candidate, or does it do better?
//!
//! Wald's sequential test of two rates. Each failed probe adds ln(rate / usual), each passed one
//! ln((1 - rate) / (1 - usual)); beyond [`DECIDED`] either way less than one answer in a hundred is wrong. A candidate
//! that fails always is told from the old colour by three requests, one that fails 30 % of its requests by some 22.

use super::streak::DENSE;

/// The weight that decides: ln 100.
pub(crate) const DECIDED: f64 = 4.605_170_185_988_091;

/// A weight that leans to "fails like the candidate" where no more can be asked.
const LEANING: f64 = 0.5;
/// A failed answer that weighs less than this tells too little to lean on: at 2 % an old colour that fails half a percent,
/// as ever, leans to "alike" by chance now and then.
const TELLING: f64 = 1.0;

/// Requests of one round: enough that two rounds tell a rate of 30 %, few enough that an application with one worker
/// answers them within its limit.
const AT_LEAST: u8 = 3;
const AT_MOST: u8 = 8;

/// What part of it a rate is likely to be that has just made a verdict: the few requests it is taken from are the
/// worst so far.
const LIKELY: f64 = 0.7;
/// What a dense streak is taken for. An old colour that fails half of its requests is still better than that.
const ALWAYS: f64 = 0.98;

/// How much better than the candidate "better" is, where the old colour's own rate allows it.
const BETTER: f64 = 10.0;
/// The least it can be, for the two to be told apart at all.
const BETTER_AT_LEAST: f64 = 1.6;

/// What the answers are weighed against.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    failed: f64,
    passed: f64,
}

/// How often all of so many answers pass where the candidate still fails as its evidence says: once in a hundred times.
const CANDIDATE_AT_LEAST: u8 = 12;
/// A candidate that fails less than one request in twenty is not told from a good one by questions.
const CANDIDATE_AT_MOST: u8 = 96;

/// How many requests a candidate is asked that failed at this `rate`, in (0, 1], and how many must pass for it to do
/// well again. One that fails half of its requests passes once in three hundred times, one that fails a twentieth once
/// in seven, a healthy one nearly always.
pub(crate) fn questions(rate: f64, tolerated: f64) -> (u8, u8) {
    let rate = if rate >= DENSE { ALWAYS } else { rate * LIKELY };
    let least = (CANDIDATE_AT_LEAST..CANDIDATE_AT_MOST).find(|n| f64::from(*n) * rate >= DECIDED);
    let requests = least.unwrap_or(CANDIDATE_AT_MOST);
    let stray = (1..requests).take_while(|n| f64::from(*n) <= 2.0 * tolerated * f64::from(requests)).last();
    (requests, requests - 1 - stray.unwrap_or(0).min(requests / 12))
}

/// What the answers so far say of the old colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    /// It does better than the candidate.
    Better,
    /// It fails as the candidate does.
    Alike,
    /// Ask on.
    Nothing,
}

impl Scale {
    /// Between a colour that fails like a candidate with this `rate` of bad requests, in (0, 1], and one that fails a
    /// tenth of that, or as often as is `tolerated`, where that is more.
    pub(crate) fn new(rate: f64, tolerated: f64) -> Self {
        let rate = if rate >= DENSE { ALWAYS } else { (rate * LIKELY).max(0.001) };
        let usual = (rate / BETTER).max(tolerated).min(rate / BETTER_AT_LEAST);
        Self { failed: (rate / usual).ln(), passed: ((1.0 - rate) / (1.0 - usual)).ln() }
    }

    /// What the answers to one round weigh: above 0 for "fails like the candidate".
    pub(crate) fn weigh(&self, requests: u8, passed: u8) -> f64 {
        f64::from(requests.saturating_sub(passed)) * self.failed + f64::from(passed) * self.passed
    }

    /// How many requests the next round takes: so many that all of them passing decides, as far as a round goes.
    pub(crate) fn requests(&self, weight: f64) -> u8 {
        (AT_LEAST..AT_MOST).find(|n| self.decides(weight, *n, *n)).unwrap_or(AT_MOST)
    }

    /// How many of a round's requests have to pass to decide, whatever becomes of the others.
    pub(crate) fn enough(&self, weight: f64, requests: u8) -> u8 {
        (1..requests).find(|passed| self.decides(weight, requests, *passed)).unwrap_or(requests)
    }

    /// What a weight says when nothing more is asked. A rollback is only held up by an old colour that is seen to fail.
    pub(crate) fn says_at_last(&self, weight: f64) -> Says {
        let enough = if self.failed < TELLING { DECIDED } else { LEANING };
        if weight >= enough { Says::Alike } else { Says::Better }
    }

    fn decides(&self, weight: f64, requests: u8, passed: u8) -> bool {
        says(weight + self.weigh(requests, passed)) == Says::Better
    }
}

/// What a weight says while more can be asked.
pub(crate) fn says(weight: f64) -> Says {
    if weight <= -DECIDED {
        Says::Better
    } else if weight >= DECIDED {
        Says::Alike
    } else {
        Says::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_decides_by_itself_where_the_candidate_fails_always() {
        let check = |tolerated, passed, said| {
            let scale = Scale::new(1.0, tolerated);
            assert_eq!((scale.requests(0.0), scale.enough(0.0, 3)), (3, 2));
            assert_eq!(says(scale.weigh(3, passed)), said, "{passed} of 3 passed");
        };
        for tolerated in [0.001, 0.0075, 0.05] {
            check(tolerated, 3, Says::Better);
            check(tolerated, 2, Says::Better);
            check(tolerated, 1, Says::Nothing);
            check(tolerated, 0, Says::Alike);
        }
        let halves = Scale::new(1.0, 0.0075).weigh(3, 1);
        assert_eq!(Scale::new(1.0, 0.0075).says_at_last(halves), Says::Alike);
    }

    /// How many requests that all pass it takes.
    fn until_better(rate: f64, tolerated: f64) -> u32 {
        let (scale, mut weight, mut asked) = (Scale::new(rate, tolerated), 0.0, 0);
        while says(weight) == Says::Nothing {
            let requests = scale.requests(weight);
            weight += scale.weigh(requests, requests);
            asked += u32::from(requests);
        }
        asked
    }

    #[test]
    fn the_less_a_candidate_fails_the_more_is_asked() {
        let check = |rate, asked| assert_eq!(until_better(rate, 0.0075), asked, "{rate}");
        check(1.0, 3);
        check(0.6, 11);
        check(0.3, 22);
        check(0.2, 35);
        check(0.05, 164);
        assert!(until_better(0.02, 0.0075) > 300, "not to be told apart in time");
    }

    #[test]
    fn a_candidate_is_asked_as_often_as_the_rate_of_its_failures_needs() {
        let check = |rate, tolerated, asked| assert_eq!(questions(rate, tolerated), asked, "{rate}");
        check(1.0, 0.0075, (12, 11));
        check(0.75, 0.0075, (12, 11));
        check(0.5, 0.0075, (14, 13));
        check(0.2, 0.0075, (33, 32));
        check(0.05, 0.0075, (96, 94));
        check(0.2, 0.05, (33, 30));
        check(f64::NAN, f64::NAN, (96, 95));
    }

    #[test]
    fn a_few_failures_of_an_old_colour_that_is_no_better_add_up() {
        let scale = Scale::new(0.3, 0.0075);
        assert_eq!(says(scale.weigh(8, 6)), Says::Nothing);
        assert_eq!(says(2.0 * scale.weigh(8, 6)), Says::Alike);
        assert_eq!(says(scale.weigh(8, 5)), Says::Alike);
        assert_eq!(scale.says_at_last(0.0), Says::Better);
    }

    #[test]
    fn a_rate_that_is_hardly_above_what_is_tolerated_opens_no_window_by_chance() {
        let check = |rate, said| {
            let scale = Scale::new(rate, 0.0075);
            assert_eq!(scale.says_at_last(2.0 * scale.weigh(8, 7)), said, "{rate}");
            assert_eq!(scale.says_at_last(DECIDED), Says::Alike, "{rate}");
        };
        check(0.02, Says::Better);
        check(0.05, Says::Alike);
        check(0.3, Says::Alike);
    }

    #[test]
    fn any_rates_give_weights_of_the_right_signs() {
        for rate in [0.0, 1e-6, 0.01, 0.2, 0.9, 1.0, f64::NAN] {
            for tolerated in [0.0, 0.001, 0.5] {
                let Scale { failed, passed } = Scale::new(rate, tolerated);
                assert!(rate.is_nan() || failed > 0.0 && passed < 0.0, "{rate} {tolerated}");
            }
        }
    }
}
