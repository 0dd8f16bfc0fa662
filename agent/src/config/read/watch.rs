//! `[watch]`.

use std::time::Duration;

use teal_rollout::retention::Replicas;
use teal_rollout::settings::OnUnknown;

use super::super::section::Section;
use super::super::types::{Retain, Watch};
use super::criteria;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn read(section: Section<'_>) -> Watch {
    let (min, max) = (section.optional("min"), section.optional("max"));
    // One that could not be read is reported already, and its stand-in is nothing to compare with.
    let comparable = (min.is_some() || !section.has("min")) && (max.is_some() || !section.has("max"));
    let watch = Watch {
        min: min.unwrap_or(5 * MINUTE),
        max: max.unwrap_or(30 * MINUTE),
        on_unknown: section.or("on_unknown", OnUnknown::Keep),
        confirm: section.or("confirm", true),
        criteria: criteria::read(&section),
        retain: retain(&section),
    };
    if watch.min.is_zero() {
        section.error("min", "this must be more than 0");
    }
    if comparable && watch.min > watch.max {
        let key = if section.has("max") { "max" } else { "min" };
        section
            .error(key, format!("the shortest watch ({:?}) is longer than the longest ({:?})", watch.min, watch.max));
    }
    section.finish();
    watch
}

fn retain(section: &Section<'_>) -> Vec<Retain> {
    let Some(stages) = section.list("retain") else {
        return vec![Retain { length: DAY, replicas: Replicas::Full }];
    };
    stages
        .into_iter()
        .map(|stage| {
            let read =
                Retain { length: stage.required("for", "\"24h\""), replicas: stage.or("replicas", Replicas::Full) };
            if read.replicas == Replicas::Count(0) {
                stage.error("replicas", "0 is no capacity to go back to: end the list before this stage instead");
            }
            stage.finish();
            read
        })
        .collect()
}
