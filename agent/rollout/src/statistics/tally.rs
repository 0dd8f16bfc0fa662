//! Where the candidate's bad requests fell: which routes, reads or writes, which server. It decides nothing; it names.

use serde::{Deserialize, Serialize};

use super::bound::Counts;
use crate::criteria::MAX_GROUPS;
use crate::observation::{Access, Observation};

/// Servers that are told apart; those above share the last place.
const SERVERS: usize = 17;
const GROUPS: usize = MAX_GROUPS as usize + 1;

/// A place is named only from this many bad requests on.
const FEW: u64 = 3;
/// ... when its own rate is this many times the rate elsewhere,
const TIMES: f64 = 3.0;
/// ... when at least this part of all bad requests fell on it,
const MOST: f64 = 0.7;
/// ... and when two rates explain the counts e^this times better than one does.
const EVIDENT: f64 = 4.0;

/// Counts by place since the last start of the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub struct Tally {
    groups: [Counts; GROUPS],
    access: [Counts; 2],
    servers: [Counts; SERVERS],
    /// Slow requests by group.
    slow: [u64; GROUPS],
}

/// Something that bad requests have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// A route group; 0 is any other path.
    Group(u8),
    /// Only reads, or only writes.
    Access(Access),
    /// One of the colour's servers.
    Server(u8),
}

/// A place that stands out, and the rest beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// What the bad requests have in common.
    pub place: Place,
    /// Requests there.
    pub inside: Counts,
    /// All other requests.
    pub outside: Counts,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            groups: [Counts::default(); GROUPS],
            access: [Counts::default(); 2],
            servers: [Counts::default(); SERVERS],
            slow: [0; GROUPS],
        }
    }
}

impl Tally {
    pub(super) fn add(&mut self, seen: &Observation) {
        let group = usize::from(seen.group).min(GROUPS - 1);
        let server = usize::from(seen.server).min(SERVERS - 1);
        for counts in [&mut self.groups[group], &mut self.access[seen.access as usize], &mut self.servers[server]] {
            counts.n0 += 1;
            counts.k0 += u64::from(seen.bad);
        }
    }

    pub(super) fn add_slow(&mut self, group: u8) {
        self.slow[usize::from(group).min(GROUPS - 1)] += 1;
    }

    /// The route group with the most slow requests.
    #[must_use]
    pub fn slowest_group(&self) -> Option<u8> {
        (0..).zip(self.slow).filter(|(_, slow)| *slow > 0).max_by_key(|(_, slow)| *slow).map(|(group, _)| group)
    }

    /// Route groups with bad requests, worst first.
    #[must_use]
    pub fn worst_groups(&self) -> Vec<u8> {
        let with_bad = (0..).zip(&self.groups).filter(|(_, counts)| counts.k0 > 0);
        let mut groups: Vec<(u8, u64)> = with_bad.map(|(group, counts)| (group, counts.k0)).collect();
        groups.sort_by_key(|(_, bad)| std::cmp::Reverse(*bad));
        groups.into_iter().map(|(group, _)| group).collect()
    }

    /// What the bad requests have in common, if anything: at most one place of each kind, the most telling first.
    #[must_use]
    pub fn suspects(&self) -> Vec<Suspect> {
        let groups = (0..).zip(&self.groups).map(|(group, counts)| (Place::Group(group), *counts));
        let access = [Access::Read, Access::Write].map(|access| (Place::Access(access), self.access[access as usize]));
        // Server 0 is one that is not known, which says nothing.
        let servers = (1..).zip(&self.servers[1..]).map(|(server, counts)| (Place::Server(server), *counts));
        let kinds: [Vec<(Place, Counts)>; 3] = [groups.collect(), access.to_vec(), servers.collect()];
        let mut found: Vec<(f64, Suspect)> = kinds.iter().filter_map(|places| strongest(places)).collect();
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        found.into_iter().map(|(_, suspect)| suspect).collect()
    }
}

/// The place of one kind that stands out most, with how much.
fn strongest(places: &[(Place, Counts)]) -> Option<(f64, Suspect)> {
    let all = places.iter().fold(Counts::default(), |sum, (_, c)| Counts { n0: sum.n0 + c.n0, k0: sum.k0 + c.k0 });
    let suspects = places.iter().filter_map(|(place, inside)| {
        let outside = Counts { n0: all.n0 - inside.n0, k0: all.k0 - inside.k0 };
        let telling = gain(*inside, outside);
        let stands_out = inside.k0 >= FEW
            && outside.n0 > 0
            && rate(*inside) >= TIMES * rate(outside)
            && share(inside.k0, all.k0) >= MOST
            && telling >= EVIDENT;
        stands_out.then_some((telling, Suspect { place: *place, inside: *inside, outside }))
    });
    suspects.max_by(|a, b| a.0.total_cmp(&b.0))
}

/// How much better two rates explain the counts than one: the logarithm of the likelihood ratio.
fn gain(a: Counts, b: Counts) -> f64 {
    let both = Counts { n0: a.n0 + b.n0, k0: a.k0 + b.k0 };
    likelihood(a) + likelihood(b) - likelihood(both)
}

/// The greatest log-likelihood of so many bad among so many.
fn likelihood(counts: Counts) -> f64 {
    let term = |part: u64| if part == 0 { 0.0 } else { float(part) * share(part, counts.n0).ln() };
    term(counts.k0) + term(counts.n0 - counts.k0)
}

fn rate(counts: Counts) -> f64 {
    share(counts.k0, counts.n0)
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { float(part) / float(whole) }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
const fn float(count: u64) -> f64 {
    count as f64
}

/// The form a tally is saved in: only the places that were seen.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Saved {
    groups: Vec<(u8, Counts)>,
    access: [Counts; 2],
    servers: Vec<(u8, Counts)>,
    slow: Vec<(u8, u64)>,
}

impl From<Tally> for Saved {
    fn from(tally: Tally) -> Self {
        let seen = |counts: &[Counts]| (0..).zip(counts.iter().copied()).filter(|(_, c)| c.n0 > 0).collect();
        let slow = (0..).zip(tally.slow).filter(|(_, slow)| *slow > 0).collect();
        Self { groups: seen(&tally.groups), access: tally.access, servers: seen(&tally.servers), slow }
    }
}

impl From<Saved> for Tally {
    fn from(saved: Saved) -> Self {
        let sane = |c: Counts| Counts { n0: c.n0, k0: c.k0.min(c.n0) };
        let mut tally = Self { access: saved.access.map(sane), ..Self::default() };
        for (place, counts) in saved.groups {
            tally.groups[usize::from(place).min(GROUPS - 1)] = sane(counts);
        }
        for (place, counts) in saved.servers {
            tally.servers[usize::from(place).min(SERVERS - 1)] = sane(counts);
        }
        for (group, slow) in saved.slow {
            tally.slow[usize::from(group).min(GROUPS - 1)] = slow;
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::Colour;

    /// `n` requests of group, access and server, the first `k` of them bad.
    type Part = (u64, u64, u8, Access, u8);

    fn check(parts: &[Part], expected: &[Place]) {
        let mut tally = Tally::default();
        for &(n, k, group, access, server) in parts {
            for i in 0..n {
                tally.add(&Observation { group, access, server, ..Observation::new(0, Colour::Blue, 1, i < k) });
            }
        }
        let found: Vec<Place> = tally.suspects().iter().map(|suspect| suspect.place).collect();
        assert_eq!(found, expected, "{parts:?}");
        let saved = serde_json::to_string(&tally).unwrap();
        assert_eq!(serde_json::from_str::<Tally>(&saved).unwrap(), tally);
    }

    #[test]
    fn what_the_bad_requests_have_in_common_is_named() {
        use Access::{Read, Write};
        check(&[(100, 4, 0, Read, 1), (100, 4, 0, Read, 2)], &[]);
        check(&[(990, 2, 0, Read, 1), (10, 8, 3, Read, 1)], &[Place::Group(3)]);
        check(
            &[(90, 0, 1, Read, 1), (5, 5, 1, Write, 1), (5, 5, 1, Write, 2), (90, 0, 1, Read, 2)],
            &[Place::Access(Write)],
        );
        check(&[(30, 0, 1, Read, 1), (30, 30, 1, Read, 2), (30, 0, 1, Read, 3)], &[Place::Server(2)]);
        check(&[(100, 0, 1, Read, 1), (5, 5, 2, Write, 1)], &[Place::Group(2), Place::Access(Write)]);
        check(&[(4, 4, 0, Read, 1)], &[]);
        check(&[(50, 2, 0, Read, 1), (50, 0, 1, Read, 1)], &[]);
    }

    #[test]
    fn groups_are_sorted_by_their_bad_requests() {
        let mut tally = Tally::default();
        for (group, bad) in [(1, true), (2, true), (2, true), (3, false)] {
            tally.add(&Observation { group, ..Observation::new(0, Colour::Blue, 1, bad) });
        }
        assert_eq!(tally.worst_groups(), [2, 1]);
    }
}
