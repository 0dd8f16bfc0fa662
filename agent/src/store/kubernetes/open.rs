//! The start: the greater of the resource and the copy in SQLite, or the copy while the resource cannot be reached.

use teal_rollout::document::Document;

use super::{Resource, Settings};
use crate::cluster::resource::BlueGreen;
use crate::cluster::watch::Watched;

/// What an environment starts from.
#[derive(Debug)]
pub struct Opened {
    /// For the machine.
    pub document: Option<Document>,
    /// For the writer.
    pub resource: Resource,
    /// Whether the resource may not have it: then it is the first thing to be written.
    pub is_unpublished: bool,
}

/// Asks the resource once. An API server that is away keeps no agent from starting.
pub async fn open(
    client: &kube::Client,
    settings: &Settings,
    watched: Watched<BlueGreen>,
    copy: Option<Document>,
) -> Opened {
    let mut resource = Resource::new(settings.api(client), settings.clone(), watched);
    let found = match resource.read().await {
        Ok(found) => found.map(Document::from),
        Err(error) => {
            tracing::warn!(error = error.to_string(), "the agent starts from its copy of the state");
            resource.believe(copy.as_ref());
            let is_unpublished = copy.is_some();
            return Opened { document: copy, resource, is_unpublished };
        }
    };
    resource.believe(found.as_ref());
    let (document, is_unpublished) = greater(found, copy);
    Opened { document, resource, is_unpublished }
}

/// The greater of the two, and whether that is not what the resource has.
///
/// Only what the resource had, or BAD, is ever copied. A copy that is greater is a verdict that was not published yet, or the
/// resource was set back: either way it is written again, as a change of what is there.
fn greater(found: Option<Document>, copy: Option<Document>) -> (Option<Document>, bool) {
    let Some(mut copy) = copy else { return (found, false) };
    let Some(found) = found else { return (Some(copy), true) };
    let order = |document: &Document| (document.epoch, document.revision);
    if order(&copy) <= order(&found) {
        return (Some(found), false);
    }
    copy.revision = copy.revision.max(found.revision.saturating_add(1));
    (Some(copy), true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use teal_rollout::policy::{Epoch, Salt, Verdict};

    fn document(release: u64, verdict: Verdict, revision: u64) -> Document {
        let new = Document::new(["api".to_owned()], Salt::default(), vec!["edge".to_owned()]);
        Document { epoch: Epoch { release, verdict, step: 1 }, revision, ..new }
    }

    #[test]
    fn a_verdict_that_was_not_published_wins_and_everything_else_is_what_the_resource_says() {
        use Verdict::{Bad, Open};
        let check = |found: Option<(u64, Verdict, u64)>,
                     copy: Option<(u64, Verdict, u64)>,
                     wanted: Option<(u64, Verdict, u64)>,
                     unpublished| {
            let make = |it: Option<(u64, Verdict, u64)>| {
                it.map(|(release, verdict, revision)| document(release, verdict, revision))
            };
            assert_eq!(greater(make(found), make(copy)), (make(wanted), unpublished), "{found:?} {copy:?}");
        };
        check(None, None, None, false);
        check(Some((7, Open, 12)), None, Some((7, Open, 12)), false);
        check(None, Some((7, Open, 12)), Some((7, Open, 12)), true);
        check(Some((7, Open, 12)), Some((7, Open, 12)), Some((7, Open, 12)), false);
        check(Some((8, Open, 20)), Some((7, Bad, 13)), Some((8, Open, 20)), false);
        check(Some((7, Bad, 15)), Some((7, Open, 12)), Some((7, Bad, 15)), false);
        check(Some((7, Open, 12)), Some((7, Bad, 13)), Some((7, Bad, 13)), true);
        check(Some((7, Open, 18)), Some((7, Bad, 13)), Some((7, Bad, 19)), true);
        check(Some((5, Open, 30)), Some((7, Open, 12)), Some((7, Open, 31)), true);
    }
}
