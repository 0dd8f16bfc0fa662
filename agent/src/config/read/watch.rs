//! `[watch]`.

use std::time::Duration;

use teal_rollout::colour::Share;
use teal_rollout::settings::OnUnknown;

use super::super::section::Section;
use super::super::types::{Replicas, Retain, Watch};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn read(section: Section<'_>) -> Watch {
    let watch = Watch {
        min: section.or("min", 5 * MINUTE),
        max: section.or("max", 30 * MINUTE),
        on_unknown: section.or("on_unknown", OnUnknown::Keep),
        acceptable_error_rate: error_rate(&section).unwrap_or(Share::percent(5)),
        min_requests: section.or("min_requests", 100),
        confirm: section.or("confirm", true),
        ignore_paths: section.or("ignore_paths", vec!["/healthz".to_owned(), "/metrics".to_owned()]),
        retain: retain(&section),
    };
    if watch.min.is_zero() {
        section.error("min", "this must be more than 0");
    }
    if watch.min > watch.max {
        let key = if section.has("max") { "max" } else { "min" };
        section
            .error(key, format!("the shortest watch ({:?}) is longer than the longest ({:?})", watch.min, watch.max));
    }
    if watch.min_requests == 0 {
        section.error("min_requests", "this must be at least 1");
    }
    for path in &watch.ignore_paths {
        super::path_check(&section, "ignore_paths", path);
    }
    section.finish();
    watch
}

/// `acceptable_error_rate` of a watch or a component.
pub(super) fn error_rate(section: &Section<'_>) -> Option<Share> {
    let rate: Share = section.optional("acceptable_error_rate")?;
    if rate == Share::NONE || rate > Share::percent(50) {
        section.error("acceptable_error_rate", format!("{rate} must be above 0 % and at most 50 %"));
    }
    Some(rate)
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
            } else if read.replicas != Replicas::Full {
                let message = "this version keeps the old colour at full capacity through every stage";
                stage.report.warn(&stage.place_of("replicas"), message);
            }
            stage.finish();
            read
        })
        .collect()
}
