//! The proxy port: what stands between the clients and the two colours.
//!
//! ```text
//! controller --EdgeOrder--> adapter --Event::Edge, Event::Requests--> controller
//!                              |
//!                              +-> haproxy: a map of a HAProxy, and its log request by request
//!                              +-> selector: the Services of a cluster, where no edge may be touched
//! ```

pub mod hand;
pub mod haproxy;
pub mod moves;
pub mod selector;

use teal_rollout::machine::action::Direction;
use teal_rollout::policy::Policy;

/// Route by this policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeOrder {
    /// The policy, absolute.
    pub policy: Policy,
    /// In which order to write it.
    pub direction: Direction,
}
