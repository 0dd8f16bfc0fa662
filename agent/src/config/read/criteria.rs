//! `[watch]` as far as it can differ from component to component, and `[components.NAME.watch]` over it.

use std::time::Duration;

use teal_rollout::colour::Share;
use teal_rollout::criteria;

use super::super::criteria::{Bad, Criteria, Probes, Statuses};
use super::super::section::Section;
use super::path_check;

/// What belongs to a release as a whole.
const OF_THE_RELEASE: [&str; 5] = ["min", "max", "on_unknown", "confirm", "retain"];

/// More often than this is load, not a look.
const OFTEN: Duration = Duration::from_millis(100);

/// What a component's own `[components.NAME.watch]`, `own`, says over `common`, the environment's `[watch]`.
///
/// What is said of a component goes before what is said of an environment. `beside` is `acceptable_error_rate` where it
/// stood before there was a table for it: in `[components.NAME]` itself.
pub(super) fn of_component(own: Section<'_>, common: Section<'_>, beside: Option<Share>) -> Criteria {
    for key in OF_THE_RELEASE {
        if own.has(key) {
            own.error(key, format!("a release is watched as a whole: `{key}` stands in `[watch]`"));
        }
    }
    if beside.is_some() && own.has("acceptable_error_rate") {
        own.error("acceptable_error_rate", "it stands beside this table as well: keep one");
    }
    let layers = own.layers();
    let all = own.over(common);
    let mut criteria = read(&all);
    if let Some(rate) = beside {
        criteria.acceptable_error_rate = rate;
    }
    // What stands below is finished by who reads `[watch]`.
    all.most_specific(layers).finish();
    criteria
}

/// The keys of `[watch]` that a component may have for itself; finishing the section is left to the caller.
pub(super) fn read(section: &Section<'_>) -> Criteria {
    let usual = Criteria::default();
    let criteria = Criteria {
        acceptable_error_rate: error_rate(section).unwrap_or(usual.acceptable_error_rate),
        alpha: section.or("alpha", usual.alpha),
        rho: section.or("rho", usual.rho),
        min_requests: section.or("min_requests", usual.min_requests),
        latency: section.or("latency", usual.latency),
        latency_limit: section.or("latency_limit", usual.latency_limit),
        ignore_paths: section.or("ignore_paths", usual.ignore_paths),
        bad: bad(section.table("bad")),
        probes: probes(section),
    };
    // Each range stands in one place, the machine's own; one key at a time, so that each mistake is told where it is.
    let sane = criteria::Criteria::default;
    for (key, tried) in [
        ("alpha", criteria::Criteria { alpha: criteria.alpha, ..sane() }),
        ("rho", criteria::Criteria { rho: criteria.rho, ..sane() }),
        ("min_requests", criteria::Criteria { min_requests: criteria.min_requests, ..sane() }),
    ] {
        if let Err(error) = tried.validate() {
            section.error(key, error.to_string());
        }
    }
    if criteria.latency_limit.is_zero() {
        section.error("latency_limit", "this must be more than 0");
    }
    for path in &criteria.ignore_paths {
        path_check(section, "ignore_paths", path);
    }
    criteria
}

/// `acceptable_error_rate` of a watch or a component.
pub(super) fn error_rate(section: &Section<'_>) -> Option<Share> {
    let rate: Share = section.optional("acceptable_error_rate")?;
    if rate == Share::NONE || rate > Share::percent(50) {
        section.error("acceptable_error_rate", format!("{rate} must be above 0 % and at most 50 %"));
    }
    Some(rate)
}

fn bad(section: Section<'_>) -> Bad {
    let usual = Bad::default();
    let mut status = section.or("status", usual.status);
    // Somebody who adds a status does not mean that a 500 is fine.
    if !status.contains(&Statuses::SERVER_ERRORS) {
        status.insert(0, Statuses::SERVER_ERRORS);
    }
    let bad = Bad { status, not: section.or("not", usual.not), retries: section.or("retries", usual.retries) };
    let among = |all: &[Statuses], code: u16| all.iter().any(|s| (s.first..=s.last).contains(&code));
    if !(100..600).any(|code| among(&bad.status, code) && !among(&bad.not, code)) {
        section.error("not", "no status is left that is bad: only answers that do not come at all would be");
    }
    section.finish();
    bad
}

fn probes(section: &Section<'_>) -> Probes {
    let usual = (1.0, Duration::from_secs(1));
    let Some(table) = section.table_or_off("probes") else { return Probes::Off };
    let (below, every) = (table.or("below", usual.0), table.or("every", usual.1));
    if !(below > 0.0 && below.is_finite()) {
        table
            .error("below", format!("requests a second must be more than 0, not {below}; `probes = \"off\"` has none"));
    }
    if every < OFTEN {
        table.error("every", "probes are for quiet times: at least 100ms");
    }
    table.finish();
    Probes::Below { below, every }
}
