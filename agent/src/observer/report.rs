//! Tells one edge's agent of one environment: at each change, at least each second, and not more often than is of use.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::way::{Trouble, Way};
use crate::api::{Observation, PodGroup};
use crate::cluster::client::Patience;

/// The longest between two tellings.
const EVERY: Duration = Duration::from_secs(1);
/// The shortest: changes that come together are told together.
const APART: Duration = Duration::from_millis(50);
/// Who was refused will be again; the agent there may be given another configuration meanwhile.
const REFUSED: Duration = Duration::from_secs(2);

/// Who tells.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) observer: String,
    pub(super) boot: String,
    pub(super) node: String,
}

/// Tells until nobody counts any more.
pub(super) async fn run(
    own: Arc<Own>,
    way: Way,
    environment: String,
    mut counted: watch::Receiver<Option<Vec<PodGroup>>>,
) {
    let (mut sequence, mut trouble) = (0, None);
    loop {
        let began = Instant::now();
        sequence += 1;
        let groups = counted.borrow_and_update().clone();
        let Own { observer, boot, node } = own.as_ref();
        let (observer, boot, node) = (observer.clone(), boot.clone(), node.clone());
        let told = way.tell(&environment, &Observation { observer, boot, sequence, node, groups }).await;
        note(&way, &environment, &mut trouble, told.as_ref().err());
        match told {
            Ok(()) => {
                sleep_until(began + APART).await;
                if let Ok(Err(_ended)) = timeout_at(began + EVERY, counted.changed()).await {
                    return;
                }
            }
            Err(Trouble::Away(_)) => Patience::default().wait().await,
            Err(Trouble::Refused(_)) => sleep(REFUSED).await,
        }
    }
}

/// Says once what is wrong, and once that it is over.
fn note(way: &Way, environment: &str, known: &mut Option<Trouble>, now: Option<&Trouble>) {
    if known.as_ref() == now {
        return;
    }
    let edge = way.edge();
    match now {
        Some(trouble) => {
            tracing::warn!(edge, environment, %trouble, "an edge's agent is not told; it is tried again and again");
        }
        None => tracing::info!(edge, environment, "the edge's agent is told again"),
    }
    *known = now.cloned();
}
