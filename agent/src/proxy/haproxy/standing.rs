//! What a policy means for the way back, and what each move from there writes.
//!
//! ```text
//! mode `act`: the agent wrote the policy, and it means what it says
//! else hands alone write it, and the same value may be a release or a way back:
//!   blue:green:100000, green kept,  to blue --> green:blue:100000, a new release, open: green is the way back
//!   blue:green:100000, green so so, to blue --> blue:green:0 bad: blue is where it was good
//! ```
//! What is known beyond the policy (whether the agent kept or convicted what serves) is followed from move to move.

use serde::{Deserialize, Serialize};
use teal_rollout::colour::{Colour, Share};
use teal_rollout::document::{Document, Outcome};
use teal_rollout::policy::{Epoch, Policy, Route, Verdict};

/// A policy with what is known of its colours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// As the edge has it.
    seen: Policy,
    /// The same traffic, with the last good colours as the stable ones, and BAD where the candidates are bad.
    means: Policy,
    /// What serves was watched to the end and not found bad.
    kept: bool,
    /// Hands alone write this edge.
    by_hand: bool,
}

/// Who writes an edge's policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Author {
    /// The agent, in mode `act`.
    Agent,
    /// People and their scripts; what the agent that looks on knew last, if that is there.
    Hands(Option<Standing>),
}

impl Author {
    /// What `present` means by this author.
    #[must_use]
    pub fn standing(&self, present: Policy) -> Standing {
        match self {
            Self::Agent => Standing { means: present.clone(), seen: present, kept: false, by_hand: false },
            Self::Hands(Some(known)) if known.seen.routes.len() == present.routes.len() => known.follow(&present),
            Self::Hands(_) => Standing { means: present.clone(), seen: present, kept: false, by_hand: true },
        }
    }
}

impl Standing {
    /// What it comes to: the stable colour is the last good one, the verdict speaks of the candidate.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.means
    }

    /// As the edge has it.
    #[must_use]
    pub const fn seen(&self) -> &Policy {
        &self.seen
    }

    /// Whether hands alone write this edge.
    #[must_use]
    pub const fn is_by_hand(&self) -> bool {
        self.by_hand
    }

    /// Whether the way to `colour` is the way back, though a move there by its name would be a new release.
    #[must_use]
    pub fn is_way_back(&self, colour: Colour) -> bool {
        let back = |route: &Route| route.stable == colour && self.would_release(*route, colour);
        self.means.routes.iter().all(back)
    }

    /// What it means after the edge has come to route by `running`.
    fn follow(&self, running: &Policy) -> Self {
        if *running == self.seen {
            return self.clone();
        }
        let seen = running.clone();
        let says_back = running.epoch.verdict == Verdict::Bad
            && running.routes.iter().all(|route| route.share == Share::NONE)
            && running.routes.iter().any(|route| route.stable != route.candidate);
        if says_back {
            return Self { means: seen.clone(), seen, kept: false, by_hand: true };
        }
        let both = || self.means.routes.iter().zip(&running.routes);
        let moved = both().any(|(was, is)| serves(*was) != serves(*is));
        let is_bad = self.means.epoch.verdict == Verdict::Bad;
        let went_back = is_bad && both().all(|(was, is)| serves(*is) == (was.stable, Share::NONE));
        let routes = both().map(|(was, is)| followed(*was, *is, went_back)).collect();
        let verdict = if is_bad && (!moved || went_back) { Verdict::Bad } else { Verdict::Open };
        let means = Policy { epoch: Epoch { verdict, ..running.epoch }, routes, ..running.clone() };
        Self { seen, means, kept: self.kept && !moved, by_hand: true }
    }

    /// With what the agent found out about what serves. A document that speaks of other traffic says nothing.
    #[must_use]
    pub fn judged(&self, document: &Document) -> Self {
        let routes: Vec<Route> = document.components.iter().map(teal_rollout::document::Component::route).collect();
        let in_step = routes.len() == self.means.routes.len()
            && routes.iter().zip(&self.means.routes).all(|(theirs, ours)| serves(*theirs) == serves(*ours));
        let mut judged = self.clone();
        if !in_step {
            return judged;
        }
        let convicted = document.cause.is_some() && document.outcome.is_none() && !document.phase.is_busy();
        if convicted && document.has_moved() {
            judged.means.routes = routes;
            judged.means.epoch.verdict = Verdict::Bad;
        }
        judged.kept = matches!(document.outcome, Some(Outcome::Completed | Outcome::Kept));
        judged
    }

    /// What is written to move each component to its goal; `None` leaves it.
    #[must_use]
    pub fn to(&self, goals: &[Option<Colour>]) -> Policy {
        let from = &self.means;
        let all = || from.routes.iter().zip(goals);
        let routes: Vec<Route> = all().map(|(route, goal)| self.moved(*route, *goal)).collect();
        let released = routes.iter().any(|route| route.stable != route.candidate);
        let goes_on = || from.routes.iter().zip(&routes).any(|(was, is)| was != is && is.share > Share::NONE);
        let is_new = all().any(|(route, goal)| goal.is_some_and(|goal| self.would_release(*route, goal)))
            || self.by_hand && from.epoch.verdict == Verdict::Bad && goes_on();
        let mut epoch = from.epoch;
        if is_new {
            // What an older release was called does not stick to this one.
            epoch = Epoch { release: epoch.release.saturating_add(1), ..Epoch::default() };
        } else if released && routes.iter().all(|route| route.share == Share::NONE) {
            epoch.verdict = Verdict::Bad;
        } else if from.routes != routes {
            epoch.step = epoch.step.saturating_add(1);
        } else {
            return self.seen.clone();
        }
        Policy { epoch, routes, ..from.clone() }
    }

    /// What `edge force ENV back` writes: every component on its last good colour.
    #[must_use]
    pub fn back(&self) -> Policy {
        // Never a release, whatever was kept.
        let open = Self { kept: false, ..self.clone() };
        open.to(&self.means.routes.iter().map(|route| Some(route.stable)).collect::<Vec<_>>())
    }

    /// Whether a move of hands to the stable colour is the next release, because what serves was kept.
    fn would_release(&self, route: Route, goal: Colour) -> bool {
        let open = self.means.epoch.verdict == Verdict::Open;
        self.by_hand && self.kept && open && goal == route.stable && serves(route) == (goal.other(), Share::NONE)
    }

    /// One component moved to `goal`; what can be is kept as the way back.
    fn moved(&self, route: Route, goal: Option<Colour>) -> Route {
        match goal {
            None => route,
            Some(colour) if self.would_release(route, colour) => {
                Route { stable: colour.other(), candidate: colour, share: Share::ALL }
            }
            Some(colour) if colour == route.stable => Route { share: Share::NONE, ..route },
            Some(colour) => Route { candidate: colour, share: Share::ALL, ..route },
        }
    }
}

/// Whether requests are routed alike by both.
#[must_use]
pub fn is_same_traffic(one: &Policy, other: &Policy) -> bool {
    let both = || one.routes.iter().zip(&other.routes);
    one.routes.len() == other.routes.len() && both().all(|(one, other)| serves(*one) == serves(*other))
}

/// What a route comes to for requests: a colour, and how many get the other one. `blue:green:0` and `blue:blue:0` are the same.
fn serves(route: Route) -> (Colour, Share) {
    match route.share {
        Share::ALL => (route.candidate, Share::NONE),
        share if route.stable != route.candidate => (route.stable, share),
        _ => (route.stable, Share::NONE),
    }
}

/// A component's meaning after a move of hands: where everybody went is new, and where they were is the way back.
fn followed(was: Route, is: Route, went_back: bool) -> Route {
    let (before, now) = (serves(was), serves(is));
    match (before, now) {
        _ if before == now => was,
        _ if went_back => Route { share: Share::NONE, ..was },
        ((old, Share::NONE), (new, Share::NONE)) if old != new => {
            Route { stable: old, candidate: new, share: Share::ALL }
        }
        _ => is,
    }
}

#[cfg(test)]
mod tests;
