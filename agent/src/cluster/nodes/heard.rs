//! The last word of each node.
//!
//! A word is told by (observer, run, sequence). Within a run the higher sequence counts; another run of a node's observer takes the place
//! of the one before, whose words count no more, however late they come: no clock but our own is asked.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;

use super::SILENCE;
use crate::api::{Observation, PodGroup};

/// Nodes of an environment, at most. More than Kubernetes' own limit of 5,000 would be somebody's mistake; so is this many.
const NODES: usize = 1_000;
/// Runs that are known to be over, of one node.
const OVER: usize = 8;

/// What became of a telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taking {
    /// It is the node's last word now.
    Taken,
    /// A later one of the same run is known, or the same: nothing changed.
    Older,
    /// Another run tells of this node since.
    Over,
    /// So many nodes tell already.
    Full,
}

/// Keeps the last words. Cheap to clone: all clones are one.
#[derive(Clone, Debug)]
pub struct Heard(Arc<watch::Sender<Nodes>>);

impl Default for Heard {
    fn default() -> Self {
        Self(Arc::new(watch::channel(Nodes::default()).0))
    }
}

impl Heard {
    /// Takes a telling that was checked.
    #[must_use]
    pub fn take(&self, observation: Observation) -> Taking {
        let mut taking = Taking::Taken;
        self.0.send_if_modified(|nodes| {
            let (done, is_news) = nodes.take(observation, Instant::now());
            taking = done;
            is_news
        });
        taking
    }

    /// How many nodes are known now, and how many were heard of and are not.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        self.0.borrow().counts(Instant::now())
    }

    /// What is known, and a signal when a node says anything else than before.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Nodes> {
        self.0.subscribe()
    }
}

/// The last words of all nodes.
#[derive(Clone, Debug, Default)]
pub struct Nodes(BTreeMap<String, Word>);

/// What a node told last.
#[derive(Clone, Debug)]
struct Word {
    /// Observer and boot.
    run: (String, String),
    sequence: u64,
    at: Instant,
    /// Whether it knew its Pods then.
    is_known: bool,
    /// Those that it knew last.
    groups: Vec<PodGroup>,
    /// Runs that others took the place of.
    over: VecDeque<(String, String)>,
}

impl Word {
    fn is_fresh(&self, now: Instant) -> bool {
        self.is_known && now.duration_since(self.at) < SILENCE
    }
}

impl Nodes {
    /// Whether the Pods of this node are known now.
    #[must_use]
    pub fn knows(&self, node: &str, now: Instant) -> bool {
        self.0.get(node).is_some_and(|word| word.is_fresh(now))
    }

    /// Every node that was ever heard: whether its Pods are known now, and those that it told last.
    pub fn all(&self, now: Instant) -> impl Iterator<Item = (bool, &[PodGroup])> {
        self.0.values().map(move |word| (word.is_fresh(now), word.groups.as_slice()))
    }

    fn counts(&self, now: Instant) -> (usize, usize) {
        let known = self.0.values().filter(|word| word.is_fresh(now)).count();
        (known, self.0.len() - known)
    }

    /// And whether that is news to anybody.
    fn take(&mut self, observation: Observation, now: Instant) -> (Taking, bool) {
        let Observation { observer, boot, sequence, node, groups } = observation;
        let run = (observer, boot);
        let (is_known, mut is_news) = (groups.is_some(), true);
        if !self.0.contains_key(&node) && self.0.len() >= NODES && !self.forget(now) {
            return (Taking::Full, false);
        }
        match self.0.get(&node) {
            Some(word) if word.over.contains(&run) => return (Taking::Over, false),
            Some(word) if word.run == run && word.sequence >= sequence => return (Taking::Older, false),
            _ => {}
        }
        let mut word = self.0.remove(&node);
        let (mut over, mut known) = (VecDeque::new(), Vec::new());
        if let Some(word) = &mut word {
            (over, known) = (std::mem::take(&mut word.over), std::mem::take(&mut word.groups));
            is_news = word.is_fresh(now) != is_known;
            if word.run != run {
                over.push_back(word.run.clone());
            }
            if over.len() > OVER {
                over.pop_front();
            }
        }
        if let Some(groups) = groups {
            is_news |= groups != known;
            known = groups;
        }
        self.0.insert(node, Word { run, sequence, at: now, is_known, groups: known, over });
        (Taking::Taken, is_news)
    }

    /// Makes room: the node that has been silent for longest goes, if one is silent.
    fn forget(&mut self, now: Instant) -> bool {
        let silent = self.0.iter().filter(|(_, word)| now.duration_since(word.at) >= SILENCE);
        let Some(node) = silent.min_by_key(|(_, word)| word.at).map(|(node, _)| node.clone()) else { return false };
        self.0.remove(&node).is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cluster::nodes::tests::group;

    fn told(boot: char, sequence: u64, node: &str, ready: Option<u32>) -> Observation {
        let groups = ready.map(|ready| vec![group(2, ready)]);
        let boot = boot.to_string().repeat(32);
        Observation { observer: "o".into(), boot, sequence, node: node.into(), groups }
    }

    fn ready(nodes: &Nodes, now: Instant) -> Vec<(bool, u32)> {
        nodes.all(now).map(|(is_known, groups)| (is_known, groups.iter().map(|group| group.ready).sum())).collect()
    }

    #[test]
    fn the_last_word_of_the_last_run_counts_whatever_comes_late_or_twice() {
        let (mut nodes, now) = (Nodes::default(), Instant::now());
        let mut check = |observation: Observation, expected: (Taking, bool), counts: &[(bool, u32)]| {
            let what = format!("{observation:?}");
            assert_eq!(nodes.take(observation, now), expected, "{what}");
            assert_eq!(ready(&nodes, now), counts, "{what}");
        };
        check(told('a', 1, "n1", Some(2)), (Taking::Taken, true), &[(true, 2)]);
        check(told('a', 3, "n1", Some(1)), (Taking::Taken, true), &[(true, 1)]);
        check(told('a', 2, "n1", Some(2)), (Taking::Older, false), &[(true, 1)]);
        check(told('a', 3, "n1", Some(2)), (Taking::Older, false), &[(true, 1)]);
        // The same again, later: the node is heard of and there is no news.
        check(told('a', 4, "n1", Some(1)), (Taking::Taken, false), &[(true, 1)]);
        check(told('b', 1, "n1", Some(0)), (Taking::Taken, true), &[(true, 0)]);
        check(told('a', 5, "n1", Some(2)), (Taking::Over, false), &[(true, 0)]);
        // It knows nothing now: what it knew last is kept apart from what is known.
        check(told('b', 2, "n1", None), (Taking::Taken, true), &[(false, 0)]);
        check(told('b', 3, "n1", Some(0)), (Taking::Taken, true), &[(true, 0)]);
        check(told('c', 1, "n2", Some(2)), (Taking::Taken, true), &[(true, 0), (true, 2)]);
    }

    #[test]
    fn a_node_is_unknown_after_some_silence_and_its_return_is_news() {
        let (mut nodes, now) = (Nodes::default(), Instant::now());
        let _ = nodes.take(told('a', 1, "n1", Some(2)), now);
        let late = now + SILENCE;
        let just = late - Duration::from_millis(1);
        assert_eq!((nodes.knows("n1", just), nodes.knows("n1", late), nodes.knows("n2", now)), (true, false, false));
        assert_eq!((nodes.counts(just), nodes.counts(late)), ((1, 0), (0, 1)));
        assert_eq!(nodes.take(told('a', 2, "n1", Some(2)), late), (Taking::Taken, true));
    }

    #[test]
    fn there_are_so_many_nodes_and_the_silent_ones_make_room() {
        let (mut nodes, now) = (Nodes::default(), Instant::now());
        for number in 0..NODES {
            assert_eq!(nodes.take(told('a', 1, &format!("n{number}"), Some(1)), now).0, Taking::Taken);
        }
        assert_eq!(nodes.take(told('a', 1, "more", Some(1)), now), (Taking::Full, false));
        assert_eq!(nodes.take(told('a', 2, "n7", Some(1)), now).0, Taking::Taken, "a known one is always heard");
        assert_eq!(nodes.take(told('a', 1, "more", Some(1)), now + SILENCE).0, Taking::Taken);
        assert_eq!(nodes.counts(now + SILENCE), (1, NODES - 1));
    }

    #[test]
    fn runs_that_are_over_are_forgotten_only_when_there_were_many_more() {
        let (mut nodes, now) = (Nodes::default(), Instant::now());
        for boot in "0123456789".chars() {
            assert_eq!(nodes.take(told(boot, 1, "n1", Some(1)), now).0, Taking::Taken, "{boot}");
        }
        for boot in "12345678".chars() {
            assert_eq!(nodes.take(told(boot, 2, "n1", Some(1)), now).0, Taking::Over, "{boot}");
        }
    }
}
