//! The task of one component's Service: points it where it is ordered to, and tells of hands that moved it.

use k8s_openapi::api::core::v1::Service;
use kube::Api;
use teal_rollout::colour::Colour;
use teal_rollout::machine::event::Event;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::select::{self, Selection};
use super::trouble::{Complaint, Trouble};
use crate::cluster::client::Patience;
use crate::cluster::watch::Watched;

/// A colour, and for which release.
pub(super) type Selected = (Colour, u64);

pub(super) struct Selector {
    component: usize,
    service: String,
    api: Api<Service>,
    services: Watched<Service>,
    events: mpsc::Sender<Event>,
    selection: Selection,
    complaint: Complaint,
    /// When an order that failed is tried again.
    again: Option<Instant>,
}

impl Selector {
    pub(super) fn new(
        component: usize,
        service: String,
        api: Api<Service>,
        services: Watched<Service>,
        events: mpsc::Sender<Event>,
    ) -> Self {
        let (selection, complaint) = (Selection::default(), Complaint::default());
        Self { component, service, api, services, events, selection, complaint, again: None }
    }

    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<Selected>) {
        loop {
            let due = self.selection.deadline().map(|due| self.again.map_or(due, |again| due.max(again)));
            tokio::select! {
                order = orders.recv() => match order {
                    Some((colour, release)) => {
                        self.selection.order(colour, release, Instant::now());
                        self.again = None;
                    }
                    None => return,
                },
                there = self.services.changed() => if !there { return },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            }
            if self.again.is_none_or(|again| again <= Instant::now()) {
                self.work().await;
            }
            self.see_hands().await;
        }
    }

    async fn work(&mut self) {
        self.again = None;
        let Some((colour, release)) = self.selection.due(Instant::now()) else { return };
        let mut failed = None;
        match select::select(&self.api, &self.service, colour, release).await {
            Ok(version) => self.selection.done(version),
            Err(Trouble::Later(why) | Trouble::Held(why)) => failed = Some(why),
            Err(Trouble::Newer(release)) => {
                tracing::warn!(release, "a newer release selects there: the order is dropped");
                self.selection.drop_order();
            }
            Err(Trouble::Never(why)) => {
                tracing::error!(why, service = self.service, "the Service cannot be switched");
                self.selection.drop_order();
            }
        }
        self.again = failed.as_ref().map(|_| Instant::now() + Patience::default().pause());
        self.complaint.is_now(failed);
    }

    async fn see_hands(&mut self) {
        let (name, selection) = (&self.service, &mut self.selection);
        let drift = self.services.look_and_note(|services| selection.see(services.named(name)?, Instant::now()));
        if let Some(colour) = drift {
            let _ended = self.events.send(Event::Drift { component: self.component, colour }).await;
        }
    }
}
