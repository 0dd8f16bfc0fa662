//! A human's orders and the answers to them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ReleaseId;

/// An order and who gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRequest {
    /// What is to be done.
    #[serde(flatten)]
    pub order: Order,
    /// `user@host`, for the record.
    #[serde(default)]
    pub by: String,
}

/// What is to be done. An agent that does not know an order refuses it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum Order {
    /// Release these versions; components not named stay as they are.
    Deploy {
        /// Version by component.
        versions: BTreeMap<String, String>,
    },
    /// Take traffic back to the old colour.
    Rollback,
    /// Go on at once: end a hold, a watch or a question as kept.
    Promote,
    /// End a release that has not moved traffic.
    Abort,
    /// Hold forward movement and leave manual moves alone.
    Pause,
    /// End the pause.
    Resume,
}

impl OrderRequest {
    /// As the state machine takes it.
    #[must_use]
    pub fn into_machine(self) -> teal_rollout::machine::event::Order {
        use teal_rollout::machine::event::Order as Machine;
        let by = self.by;
        match self.order {
            Order::Deploy { versions } => Machine::Deploy { versions: versions.into_iter().collect(), by },
            Order::Rollback => Machine::Rollback { by },
            Order::Promote => Machine::Promote { by },
            Order::Abort => Machine::Abort { by },
            Order::Pause => Machine::Pause { by },
            Order::Resume => Machine::Resume { by },
        }
    }
}

/// 202: the order is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Accepted {
    /// The release it concerns, the new one for a deploy.
    pub release: ReleaseId,
    /// The sequence number of the last event before the order took effect: where to listen from.
    pub after: u64,
}

/// An error answer, `application/problem+json` (RFC 9457).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Problem {
    /// One line.
    pub title: String,
    /// More, with the way out.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// The HTTP status.
    pub status: u16,
    /// The CLI's exit code; absent means 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<u8>,
    /// The release that is in the way, for exit code 8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<ReleaseId>,
    /// The field of the request that cannot be taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The version that a flag has now, with status 412.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_stands_flat_in_its_request() {
        let json = r#"{"order":"deploy","versions":{"api":"v2"},"by":"ops@box"}"#;
        let request: OrderRequest = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&request).unwrap(), json);
        let request: OrderRequest = serde_json::from_str(r#"{"order":"rollback","new_field":1}"#).unwrap();
        assert_eq!(request, OrderRequest { order: Order::Rollback, by: String::new() });
    }

    #[test]
    fn an_unknown_order_is_refused_and_not_guessed() {
        let error = serde_json::from_str::<OrderRequest>(r#"{"order":"restart","by":""}"#).unwrap_err().to_string();
        assert!(error.contains("unknown variant `restart`"), "{error}");
    }
}
