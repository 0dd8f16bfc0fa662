//! The statistics of a release: is the candidate worse than what was before, and what could we have seen?

use serde::{Deserialize, Serialize};

/// The evidence of one component, as kept in a checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {}
