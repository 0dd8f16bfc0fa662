//! Between the words of the resource and those of the machine.

use teal_rollout::document::{Document, Phase};
use teal_rollout::machine::{Order, Refusal};

use crate::cluster::resource::{BlueGreen, Heard, Intent, Wish};

/// What came of an order that was given here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) id: String,
    pub(super) taken: bool,
    pub(super) message: String,
    /// Of a refusal, as long as this process lives.
    pub(super) exit: Option<u8>,
}

impl Given {
    pub(super) fn new(id: &str, result: Result<u64, Refusal>) -> Self {
        let (taken, message, exit) = match result {
            Ok(release) => (true, format!("r-{release}"), None),
            Err(refusal) => {
                (false, refusal.to_string().chars().take(1_024).collect(), Some(crate::api::exit_of(&refusal)))
            }
        };
        Self { id: id.to_owned(), taken, message, exit }
    }
}

pub(super) fn is_answered(object: &BlueGreen, intent: &Intent) -> bool {
    object.status.as_ref().and_then(|status| status.intent.as_ref()) == Some(&intent.id)
}

pub(super) fn heard(intent: &Intent, agent: &str, release: u64) -> Heard {
    Heard { id: intent.id.clone(), agent: agent.to_owned(), release, taken: None, message: String::new(), exit: None }
}

pub(super) fn release_of(object: &BlueGreen) -> u64 {
    object.spec.state.as_ref().map_or(0, |state| state.release)
}

/// Whether the state shows that an order was carried out after it was taken up. Those that may be given twice never are.
pub(super) fn is_done(intent: &Intent, claim: &Heard, document: &Document) -> bool {
    let is_later = document.epoch.release > claim.release;
    match intent.order {
        Wish::Deploy => is_later,
        Wish::Rollback => is_later || document.is_bad() || document.is_coming_back(),
        Wish::Abort => is_later || document.is_bad(),
        Wish::Promote => is_later || matches!(document.phase, Phase::Retaining | Phase::Idle) && !document.is_bad(),
        Wish::Pause | Wish::Resume => false,
    }
}

pub(super) fn order(intent: &Intent) -> Order {
    let by = intent.by.clone();
    match intent.order {
        Wish::Deploy => Order::Deploy { versions: intent.versions.clone().into_iter().collect(), by },
        Wish::Rollback => Order::Rollback { by },
        Wish::Promote => Order::Promote { by },
        Wish::Abort => Order::Abort { by },
        Wish::Pause => Order::Pause { by },
        Wish::Resume => Order::Resume { by },
    }
}
