//! What is played: the faults, the contestants, and how long and how often each is tried.

use std::time::Duration;

/// Who stands between the users and a bad release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Contestant {
    /// The real agent, with its defaults.
    Teal,
    /// HAProxy's own health checks at their defaults (inter 2s, fall 3), the old colour as `backup`.
    Check,
    /// The same and `observe layer7 error-limit 10 on-error mark-down`.
    Observe,
    /// Argo Rollouts' shortest web metric: a success rate each second, failureLimit 0.
    Argo,
    /// Flagger's shortest analysis: a success rate each 10 s, threshold 1, acting one tick later.
    Flagger,
}

impl Contestant {
    /// In the order of the table.
    pub(crate) const ALL: [Self; 5] = [Self::Teal, Self::Check, Self::Observe, Self::Argo, Self::Flagger];

    /// As it stands in HAProxy's configuration and in the results.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Teal => "teal",
            Self::Check => "check",
            Self::Observe => "observe",
            Self::Argo => "argo",
            Self::Flagger => "flagger",
        }
    }

    /// Whether it decides by HAProxy's health checks, and so needs a health path that tells the truth.
    pub(crate) const fn checks(self) -> bool {
        matches!(self, Self::Check | Self::Observe)
    }

    /// How long a bad release is left with it: more than twice what it takes for an outright failure, for Flagger half
    /// as long again.
    pub(crate) const fn cap(self) -> Duration {
        Duration::from_secs(match self {
            Self::Teal => 60,
            Self::Check | Self::Observe | Self::Argo => 15,
            Self::Flagger => 30,
        })
    }

    /// How long nothing may reach the new colour before it counts as off. A server that HAProxy has marked down may
    /// come back after `rise` (2) checks of 2 s; the others do not change their mind.
    pub(crate) const fn quiet(self) -> Duration {
        Duration::from_secs(if self.checks() { 5 } else { 1 })
    }

    /// How long a good release is watched at least: Flagger acts no sooner than at its second tick.
    pub(crate) const fn patience(self) -> Duration {
        Duration::from_secs(if matches!(self, Self::Flagger) { 22 } else { 0 })
    }

    /// How often a cell is tried where Teal is tried `teal` times and a peer `peer` times. Flagger goes by its clock
    /// alone, the same each time, and a good release takes its whole time in every try.
    pub(crate) fn runs(self, cell: &Cell, [teal, peer]: [u32; 2]) -> u32 {
        match (self, cell.kind) {
            (Self::Teal, Kind::Bad { .. }) => teal,
            (Self::Teal, _) => teal.min(3),
            (Self::Flagger, _) => peer.min(1),
            (_, Kind::Bad { .. }) => peer,
            _ => peer.min(1),
        }
    }
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The new colour is bad; a request slower than `slow` counts as failed.
    Bad {
        /// `None`: only failures count.
        slow: Option<Duration>,
    },
    /// Nothing, for so long: whoever leaves the new colour is wrong.
    Healthy(Duration),
    /// What both colours stand on fails for so long: whoever leaves the new colour is wrong.
    Outage(Duration),
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    /// As it stands in the results and is asked for.
    pub(crate) name: &'static str,
    /// The new colour's fault, as the sample app reads it.
    pub(crate) fault: &'static str,
    /// What a request takes without a fault: each value is played behind an HAProxy and an agent of its own, so that
    /// nobody's memory of the old colour mixes the two.
    pub(crate) base: Duration,
    /// What is wrong.
    pub(crate) kind: Kind,
}

/// The old colour, and a healthy new one: half a percent of the requests fails, as in the figures that Teal's decision
/// rules were designed to.
pub(crate) const BACKGROUND: &str = "errors=0.5%";

/// The row that is played only when it is asked for, and for as long as is said.
pub(crate) const SOAK: &str = "soak";

/// Where a request takes no time, for everything but latency.
const FAST: Duration = Duration::ZERO;
/// What a request takes where latency is what goes wrong.
const USUAL: Duration = Duration::from_millis(20);

const fn bad(name: &'static str, fault: &'static str) -> Cell {
    Cell { name, fault, base: FAST, kind: Kind::Bad { slow: None } }
}

const fn good(name: &'static str, kind: Kind) -> Cell {
    Cell { name, fault: BACKGROUND, base: FAST, kind }
}

/// Every cell, those of one `base` together.
pub(crate) const CELLS: [Cell; 14] = [
    bad("100%", "errors=100%"),
    bad("20%", "errors=20%"),
    bad("5%", "errors=5%"),
    bad("2%", "errors=2%"),
    bad("hang", "hang"),
    bad("crash", "crash"),
    bad("late", "late=5s,errors=100%"),
    bad("writes", "errors=100%,methods=write"),
    bad("replica", "errors=100%,replica=2"),
    good("healthy", Kind::Healthy(Duration::from_secs(20))),
    good(SOAK, Kind::Healthy(Duration::from_secs(100))),
    good("outage-200ms", Kind::Outage(Duration::from_millis(200))),
    good("outage-5s", Kind::Outage(Duration::from_secs(5))),
    Cell {
        name: "latency",
        fault: "latency=200ms",
        base: USUAL,
        kind: Kind::Bad { slow: Some(Duration::from_millis(100)) },
    },
];

impl Cell {
    /// The faults of the old and of the new colour, as `contestant` meets them.
    pub(crate) fn faults(&self, contestant: Contestant) -> [String; 2] {
        [self.with_base(BACKGROUND), self.truthful(contestant, self.with_base(self.fault))]
    }

    /// The fault of both colours while an outage lasts.
    pub(crate) fn outage(&self, contestant: Contestant) -> [String; 2] {
        [(); 2].map(|()| self.truthful(contestant, self.with_base("errors=100%")))
    }

    fn with_base(&self, fault: &str) -> String {
        if self.base.is_zero() || fault.contains("latency") {
            fault.to_owned()
        } else {
            format!("{fault},latency={:?}", self.base)
        }
    }

    /// For those who live by it, the health path fails as the traffic does; from the first request on, or else the new
    /// colour would not be switched to at all.
    fn truthful(&self, contestant: Contestant, fault: String) -> String {
        match (contestant.checks(), fault.contains("late=")) {
            (false, _) => fault,
            (true, true) => fault + ",health=truthful",
            (true, false) => fault + ",health=truthful,late=1ms",
        }
    }
}

#[cfg(test)]
mod tests {
    use teal_agent::demo::fault::Fault;

    use super::*;

    #[test]
    fn every_fault_of_every_cell_is_one_that_the_sample_app_knows() {
        for (cell, contestant) in CELLS.iter().flat_map(|cell| Contestant::ALL.map(|contestant| (cell, contestant))) {
            let [old, new] = cell.faults(contestant);
            let [old_out, new_out] = cell.outage(contestant);
            for (fault, truthful) in [(old, false), (new, true), (old_out, true), (new_out, true)] {
                assert!(fault.parse::<Fault>().is_ok(), "{}: {fault}", cell.name);
                assert_eq!(fault.contains("truthful"), truthful && contestant.checks(), "{}: {fault}", cell.name);
            }
        }
        assert!(CELLS.is_sorted_by_key(|cell| cell.base), "each base is started once");
    }
}
