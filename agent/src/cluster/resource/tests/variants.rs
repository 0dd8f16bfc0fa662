//! Whatever the state machine can write, the server takes: every variant of every enum, and texts of any length.

use std::iter::successors;

use kube::api::{Patch, PatchParams, PostParams};
use serde_json::json;
use teal_rollout::colour::Colour;
use teal_rollout::document::{Cause, Document, Outcome, Pause, Phase};
use teal_rollout::policy::Verdict;
use teal_rollout::settings::Mode;

use super::super::{BlueGreen, BlueGreenSpec};
use super::{create, document, environment, server};

/// All variants, each leading to the next: one that is new must be put in by hand, or this does not compile.
fn phases() -> Vec<Phase> {
    let next = |phase: &Phase| match phase {
        Phase::Idle => Some(Phase::Deploying),
        Phase::Deploying => Some(Phase::Smoke),
        Phase::Smoke => Some(Phase::Switching),
        Phase::Switching => Some(Phase::Watching),
        Phase::Watching => Some(Phase::Held),
        Phase::Held => Some(Phase::Retaining),
        Phase::Retaining => Some(Phase::RollingBack),
        Phase::RollingBack => None,
    };
    successors(Some(Phase::Idle), next).collect()
}

/// As [`phases`].
fn outcomes() -> Vec<Outcome> {
    let next = |outcome: &Outcome| match outcome {
        Outcome::Completed => Some(Outcome::Kept),
        Outcome::Kept => Some(Outcome::RolledBack),
        Outcome::RolledBack => Some(Outcome::Aborted),
        Outcome::Aborted => None,
    };
    successors(Some(Outcome::Completed), next).collect()
}

/// As [`phases`]; every text in them is `text`.
fn causes(text: &str) -> Vec<Cause> {
    let (component, words) = (|| "api".to_owned(), || text.to_owned());
    let next = |cause: &Cause| match cause {
        Cause::Errors { .. } => Some(Cause::Latency { component: component() }),
        Cause::Latency { .. } => Some(Cause::Gone { component: component() }),
        Cause::Gone { .. } => Some(Cause::CrashLoop { component: component() }),
        Cause::CrashLoop { .. } => Some(Cause::NotReady { reason: words() }),
        Cause::NotReady { .. } => Some(Cause::Smoke { reason: words() }),
        Cause::Smoke { .. } => Some(Cause::EdgeSilent),
        Cause::EdgeSilent => Some(Cause::Order { by: words() }),
        Cause::Order { .. } => Some(Cause::Manual),
        Cause::Manual => Some(Cause::Unproven),
        Cause::Unproven => Some(Cause::Learned),
        Cause::Learned => None,
    };
    successors(Some(Cause::Errors { component: component() }), next).collect()
}

/// As [`phases`].
fn verdicts() -> Vec<Verdict> {
    let next = |verdict: &Verdict| match verdict {
        Verdict::Open => Some(Verdict::Bad),
        Verdict::Bad => None,
    };
    successors(Some(Verdict::Open), next).collect()
}

/// As [`phases`].
fn modes() -> Vec<Mode> {
    let next = |mode: &Mode| match mode {
        Mode::Observe => Some(Mode::Advise),
        Mode::Advise => Some(Mode::Act),
        Mode::Act => None,
    };
    successors(Some(Mode::Observe), next).collect()
}

/// As [`phases`].
fn colours() -> Vec<Colour> {
    let next = |colour: &Colour| match colour {
        Colour::Blue => Some(Colour::Green),
        Colour::Green => None,
    };
    successors(Some(Colour::Blue), next).collect()
}

#[tokio::test]
async fn the_server_takes_every_variant() {
    let changed = |change: &dyn Fn(&mut Document)| {
        let mut document = document();
        change(&mut document);
        document
    };
    let mut all: Vec<Document> = Vec::new();
    all.extend(phases().into_iter().map(|phase| changed(&|it| it.phase = phase)));
    all.extend(outcomes().into_iter().map(|outcome| changed(&|it| it.outcome = Some(outcome))));
    all.extend(causes("words").into_iter().map(|cause| changed(&|it| it.cause = Some(cause.clone()))));
    all.extend(verdicts().into_iter().map(|verdict| changed(&|it| it.epoch.verdict = verdict)));
    all.extend(colours().into_iter().map(|colour| changed(&|it| it.components[1].stable.colour = colour)));
    all.extend(colours().into_iter().map(|colour| changed(&|it| it.components[1].candidate.colour = colour)));
    let (_server, api) = server().await;
    for (at, document) in all.iter().enumerate() {
        let made = create(&api, &format!("e-{at}"), document).await;
        let made = made.unwrap_or_else(|error| panic!("{error}\n{document:?}"));
        assert_eq!(Document::from(made.spec.state.unwrap()), *document);
    }
    for (at, mode) in modes().into_iter().enumerate() {
        let spec = BlueGreenSpec { mode, ..BlueGreenSpec::default() };
        let made = api.create(&PostParams::default(), &BlueGreen::new(&format!("m-{at}"), spec)).await;
        assert_eq!(made.unwrap_or_else(|error| panic!("{error}\n{mode:?}")).spec.mode, mode);
    }
}

#[tokio::test]
async fn no_text_is_too_long_to_be_written() {
    let long = "ä".repeat(10_000);
    let (_server, api) = server().await;
    for (at, cause) in causes(&long).into_iter().enumerate() {
        let mut document = document();
        document.epoch.verdict = Verdict::Bad;
        document.cause = Some(cause);
        document.by.clone_from(&long);
        document.paused = Some(Pause { by: long.clone() });
        let made = create(&api, &format!("e-{at}"), &document).await;
        let state = made.unwrap_or_else(|error| panic!("{:.300}", error.to_string())).spec.state.unwrap();
        assert_eq!(state.by, "ä".repeat(128), "cut, but not more than it must be");
        assert_eq!(state.paused_by.unwrap(), state.by);
        match state.cause.unwrap() {
            Cause::NotReady { reason } | Cause::Smoke { reason } => assert_eq!(reason, "ä".repeat(1024)),
            Cause::Order { by } => assert_eq!(by, state.by),
            _ => {}
        }
    }
}

#[tokio::test]
async fn edges_change_only_while_no_release_is_under_way() {
    for phase in phases() {
        let (_server, api) = environment().await;
        let write = async |state: serde_json::Value| {
            api.patch("prod", &PatchParams::default(), &Patch::Merge(json!({"spec": {"state": state}}))).await
        };
        write(json!({"revision": 13, "phase": phase})).await.unwrap();
        // As a machine does that is started again with other settings.
        let written = write(json!({"revision": 14, "edges": ["a", "b"]})).await;
        assert_eq!(written.is_ok(), !phase.is_busy(), "{phase:?}: {written:?}");
    }
}
