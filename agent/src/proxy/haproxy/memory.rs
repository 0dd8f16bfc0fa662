//! What the keeper remembers about the serving process, to tell its own doing from a person's and from a restart's.

use super::runtime::Process;

/// Writes without an answer and replaced processes are remembered, this many of each.
const REMEMBERED: usize = 16;

/// See the module.
#[derive(Default)]
pub(super) struct Memory {
    /// The ordered policy was seen in this process, so that another value is somebody's doing.
    confirmed: bool,
    /// The ordered policy has to be written again.
    pub(super) mend: bool,
    /// Values sent without an answer.
    unanswered: Vec<String>,
    /// The value that a person last set by hand; it stays theirs when a reload reads it back from the file.
    pub(super) by_hand: Option<String>,
    /// Processes that were replaced; their word does not count.
    over: Vec<Process>,
}

impl Memory {
    /// Whether the word of this process does not count.
    pub(super) fn is_over(&self, process: &Process) -> bool {
        process.stopping || self.over.iter().any(|over| over.is(process))
    }

    /// Before it is sent: from then on it may be carried out.
    pub(super) fn remember(&mut self, text: &str) {
        if !self.unanswered.iter().any(|known| known == text) {
            if self.unanswered.len() == REMEMBERED {
                self.unanswered.remove(0);
            }
            self.unanswered.push(text.to_owned());
        }
    }

    /// The value was seen in the process: what differs from now on is somebody's doing.
    pub(super) fn confirm(&mut self, text: &str) {
        self.unanswered.retain(|sent| sent != text);
        self.confirmed = true;
        self.mend = false;
        self.by_hand = None;
    }

    /// Whether a valid value that was not ordered is a person's.
    pub(super) fn is_by_hand(&self, value: &str) -> bool {
        let late = self.unanswered.iter().any(|sent| sent == value);
        !late && (self.confirmed || self.by_hand.as_deref() == Some(value))
    }

    /// Another process serves, and what was true of the last one is not of this one.
    pub(super) fn turn_over(&mut self, before: Option<Process>) {
        let Self { mut over, by_hand, .. } = std::mem::take(self);
        over.extend(before);
        if over.len() > REMEMBERED {
            over.remove(0);
        }
        *self = Self { over, by_hand, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32) -> Process {
        Process { pid, started: 1, version: "2.6.12".into(), stopping: false }
    }

    #[test]
    fn only_a_change_after_the_order_was_seen_is_by_hand() {
        let mut memory = Memory::default();
        assert!(!memory.is_by_hand("other"));
        memory.remember("late");
        memory.remember("ordered");
        memory.confirm("ordered");
        assert!(memory.is_by_hand("other") && !memory.is_by_hand("late"));
        memory.turn_over(Some(process(1)));
        assert!(!memory.is_by_hand("other"), "a restart reads whatever the file holds");
    }

    #[test]
    fn a_move_by_hand_stays_one_in_the_next_process() {
        let mut memory = Memory { by_hand: Some("theirs".into()), ..Memory::default() };
        memory.turn_over(None);
        assert!(memory.is_by_hand("theirs") && !memory.is_by_hand("other"));
        memory.confirm("ordered");
        memory.turn_over(None);
        assert!(!memory.is_by_hand("theirs"));
    }

    #[test]
    fn a_replaced_process_and_one_that_stops_do_not_count() {
        let mut memory = Memory::default();
        memory.turn_over(Some(process(1)));
        assert!(memory.is_over(&process(1)) && !memory.is_over(&process(2)));
        assert!(memory.is_over(&Process { stopping: true, ..process(2) }));
        // The same pid again, as in a container.
        assert!(!memory.is_over(&Process { started: 2, ..process(1) }));
    }
}
