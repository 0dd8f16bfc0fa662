//! Why an order was not carried out, and saying so once.

use crate::cluster::client::{brief, is_conflict, is_invalid, is_not_found};

/// Why an order was not carried out.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// It may be, later.
    #[error("{0}")]
    Later(String),
    /// A newer release has written there: this order is old.
    #[error("r-{0:04} has written there since")]
    Newer(u64),
    /// Not before a Service points elsewhere.
    #[error("{0}")]
    Held(String),
    /// Not without a person.
    #[error("{0}")]
    Never(String),
}

impl From<kube::Error> for Trouble {
    fn from(error: kube::Error) -> Self {
        let mut why = brief(&error);
        if is_forbidden(&error) {
            why.push_str(": the role `teal-controller` names what Teal may write, by its name; add it there");
        }
        // Somebody else wrote between our look and our write: ordinary.
        if !is_conflict(&error) && (is_not_found(&error) || is_invalid(&error) || is_forbidden(&error)) {
            Self::Never(why)
        } else {
            Self::Later(why)
        }
    }
}

pub(super) fn is_forbidden(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 403)
}

/// What a task's orders wait for just now, logged when it is another thing than before.
#[derive(Debug, Default)]
pub(super) struct Complaint(Option<String>);

impl Complaint {
    pub(super) fn is_now(&mut self, why: Option<String>) {
        if let Some(why) = why.as_ref().filter(|why| self.0.as_ref() != Some(why)) {
            tracing::warn!(why, "an order was not carried out; it is tried again and again");
        }
        self.0 = why;
    }
}
