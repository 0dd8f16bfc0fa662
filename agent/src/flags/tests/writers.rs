//! Many writers on one flag, each with `If-Match`.

use std::sync::Arc;

use serde_json::json;

use super::replicas::two;
use super::{Kept, On, Running, agree, reasons};
use crate::flags::*;

on_both! {
    of_a_hundred_writers_none_loses_an_update,
}

async fn of_a_hundred_writers_none_loses_an_update(on: On) {
    let kept = Kept::new(on);
    write(&[Arc::new(kept.open().await)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_writers_at_two_agents_none_loses_an_update() {
    let (_kept, running) = two().await;
    write(&running).await;
}

/// A hundred writers each add a word to what they read, and try again when they are refused.
async fn write(agents: &[Arc<Running>]) {
    let writers = (1..=100).map(|number: usize| {
        let running = agents[number % agents.len()].clone();
        tokio::spawn(async move {
            let mut refused = 0;
            loop {
                let flag = running.service.state().flag(&Reference::Id(8)).unwrap().clone();
                let description = format!("{} {number}", flag.description);
                match running.patch_if("8", json!({"description": description}), Some(tag(&flag))).await {
                    Ok(_) => return refused,
                    Err(FlagsError::Stale { version, .. }) => {
                        assert!(version > flag.version, "a refusal is honest");
                        refused += 1;
                        // Another agent's edit is heard of a moment after it was made.
                        let is_heard = |state: &Arc<State>| {
                            state.flag(&Reference::Id(8)).is_some_and(|flag| flag.version >= version)
                        };
                        running.service.reads().watch().wait_for(is_heard).await.unwrap();
                    }
                    Err(error) => panic!("{error}"),
                }
            }
        })
    });
    let mut refused = 0;
    for writer in writers.collect::<Vec<_>>() {
        refused += writer.await.unwrap();
    }
    assert!(refused > 0, "nobody was in anybody's way");
    agree(&agents.iter().map(|agent| &**agent).collect::<Vec<_>>(), 101).await;
    for agent in agents {
        let description = agent.description("8");
        let mut written: Vec<u32> = description.split(' ').filter_map(|word| word.parse().ok()).collect();
        written.sort_unstable();
        assert_eq!(written, (1..=100).collect::<Vec<_>>());
        assert_eq!(reasons(agent, "8").await.len(), 101);
        let wanted = Wanted::of(Reference::Id(8), None, 1_000);
        let audit = agent.service.audit(&wanted).await.unwrap();
        let revisions: Vec<u64> = audit.iter().rev().map(|entry| entry.revision).collect();
        assert_eq!(revisions, (1..=101).collect::<Vec<_>>());
    }
}
