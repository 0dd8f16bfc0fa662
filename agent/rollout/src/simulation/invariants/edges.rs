//! What edges and the store may be told: invariants 2, 3, 5, 6 and 9.

use crate::colour::Share;
use crate::policy::{Epoch, Policy, Verdict};
use crate::simulation::world::World;

impl World {
    /// 2. Two edges that acknowledged the same triple route the same.
    pub(super) fn same_triple_same_traffic(&mut self) {
        let mut broken = None;
        for edge in self.edges.iter().filter(|e| !e.edited) {
            let policy = &edge.running;
            let known = self.checks.routed.entry(policy.epoch).or_insert_with(|| policy.routes.clone());
            if *known != policy.routes {
                broken = Some(format!("{policy} is not what its triple stood for before"));
            }
        }
        if let Some(what) = broken {
            self.violate(2, what);
        }
    }

    /// 3. The triple never goes down: in a file, in one life of a proxy unless a human writes it.
    pub(super) fn edges_never_go_down(&mut self) {
        self.checks.files.resize(self.edges.len(), Epoch::default());
        self.checks.running.resize(self.edges.len(), (0, Epoch::default()));
        let mut broken = None;
        for (number, edge) in self.edges.iter().enumerate() {
            let file = std::mem::replace(&mut self.checks.files[number], edge.file.epoch);
            let (pid, running) = std::mem::replace(&mut self.checks.running[number], (edge.pid, edge.running.epoch));
            if !edge.edited && edge.running.epoch.verdict == Verdict::Bad {
                self.checks.taken_back.insert(number, edge.running.epoch.release);
            }
            if edge.file.epoch < file || (pid == edge.pid && edge.running.epoch < running) {
                broken = Some(format!("edge {number} went down from {file} / {running}"));
            }
        }
        if let Some(what) = broken {
            self.violate(3, what);
        }
    }

    /// 3, for the store; only an operator's restore takes it back.
    pub(super) fn store_never_goes_down(&mut self) {
        let durable = self.store.document.as_ref().map(|d| d.epoch).unwrap_or_default();
        if durable < self.checks.durable && !self.checks.restored {
            let before = self.checks.durable;
            self.violate(3, format!("the store went down from {before} to {durable}"));
        }
        self.checks.durable = durable;
    }

    /// 5. At most one rollback per release; no flapping.
    pub(super) fn at_most_one_rollback(&mut self, edge: usize, policy: &Policy) {
        let Some(document) = self.document(self.owner(edge)) else { return };
        // With a store of yesterday, what only an edge's memory knew is gone when its proxy restarts.
        if document.epoch != policy.epoch || self.checks.restored {
            return;
        }
        let release = policy.epoch.release;
        let serving = policy.routes.iter().zip(&document.components);
        let mut moved = serving.filter(|(r, c)| r.share > Share::NONE && !document.emergency.contains(&c.name));
        let moved = moved.next().is_some();
        // 6. BAD never becomes good.
        if policy.epoch.verdict == Verdict::Bad && moved {
            return self.violate(6, format!("{policy} routes to the candidate of a bad release"));
        }
        if self.checks.taken_back.get(&edge) == Some(&release) && moved {
            self.violate(5, format!("edge {edge} goes forward to {policy} after its rollback"));
        }
    }

    /// 9. A crash between any two steps is harmless: nothing is routed forward that a new agent would not know.
    pub(super) fn nothing_forward_that_a_crash_forgets(&mut self, edge: usize, policy: &Policy) {
        let Some(document) = self.document(self.owner(edge)) else { return };
        // An order that was overtaken on its way to the edge is put right by the next one.
        if policy.epoch <= self.store.highest || self.is_shared() && policy.epoch < document.epoch {
            return;
        }
        let emergency = &document.emergency;
        let stored = self.store.document.as_ref().filter(|d| d.epoch.release == policy.epoch.release);
        let forward = policy.routes.iter().enumerate().any(|(id, route)| {
            let component = &document.components[id];
            let known = stored.map_or(Share::NONE, |d| d.components[id].share);
            route.share > known && !emergency.contains(&component.name)
        });
        if forward && !self.checks.restored {
            self.violate(9, format!("{policy} goes forward and is not stored"));
        }
    }
}
