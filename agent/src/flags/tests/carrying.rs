//! What another application kept of its flags, carried over.

use serde_json::json;

use super::{Kept, On, author, document};
use crate::flags::*;

on_both! {
    what_an_application_kept_is_carried_over_once_under_its_ids,
    what_is_carried_over_never_takes_the_place_of_what_somebody_changed,
}

fn import(flags: serde_json::Value, history: serde_json::Value) -> Import {
    let fields = [("flags".to_owned(), flags), ("history".to_owned(), history)];
    serde_json::from_value(fields.into_iter().collect()).unwrap()
}

async fn what_an_application_kept_is_carried_over_once_under_its_ids(on: On) {
    let kept = Kept::new(on);
    let running = kept.open().await;
    let old = import(
        json!([
            {"name": "without_id"},
            {"id": 8, "name": "telehealth", "description": "Video", "enabled": true, "rollout_percentage": 12.5,
             "created_at": "2024-03-01T08:00:00Z", "updated_at": "2024-04-01T08:00:00Z"},
            {"id": 3, "name": "billing", "enabled": true},
            {"id": 40, "name": "clinical_protocols", "enabled": false},
            {"id": 41, "name": "theirs", "enabled": true},
            {"id": 11, "name": "the_next_id", "enabled": true},
        ]),
        json!([
            {"flag_id": 8, "flag_name": "telehealth", "action": "update", "at": "2024-04-01T08:00:00.123Z", "who": "anna", "before": {"enabled": false}},
            {"flag_id": 77, "flag_name": "long_gone", "action": "delete", "at": "2024-05-01T08:00:00Z"},
        ]),
    );
    let made = running.service.import(old.clone(), author()).await.unwrap();
    assert_eq!(made.created, ["without_id", "theirs", "the_next_id"]);
    assert_eq!(
        made.replaced,
        ["telehealth", "billing", "clinical_protocols"],
        "the defaults that nobody touched give way"
    );
    assert_eq!((made.same.len(), made.history, made.revision), (0, 2, 2));
    let state = running.service.state();
    let names: Vec<(i64, &str)> = state.flags().map(|flag| (flag.id, flag.name.as_str())).collect();
    assert_eq!(names[2..4], [(3, "billing"), (5, "discharge_planning")]);
    assert_eq!(
        names[8..],
        [
            (10, "ai_treatment_suggestions"),
            (11, "the_next_id"),
            (40, "clinical_protocols"),
            (41, "theirs"),
            (42, "without_id")
        ],
        "an id that came is given to nobody else"
    );
    let flag = state.flag(&Reference::Id(8)).unwrap();
    assert_eq!((flag.rollout_percentage.to_string().as_str(), flag.version), ("12.5", 1));
    assert_eq!(flag.created_at.unwrap().to_string(), "2024-03-01T08:00:00Z");
    let told = document(&state.delta(1));
    assert_eq!(
        (told.flags.len(), told.deleted),
        (6, vec!["billing_integration".to_owned()]),
        "who listens is told the same"
    );

    let audit = running.service.audit(&Wanted::of(Reference::Id(8), None, 10)).await.unwrap();
    let told: Vec<(&str, &str, &str)> =
        audit.iter().map(|entry| (entry.action.as_str(), entry.who.as_str(), entry.at.as_str())).collect();
    assert_eq!(told[1..2], [("update", "anna", "2024-04-01T08:00:00.123Z")]);
    assert_eq!(
        (audit[0].who.as_str(), audit[0].after.as_ref().unwrap()["description"].as_str()),
        ("ops@box", Some("Video"))
    );
    assert_eq!(
        running.service.audit(&Wanted::of(Reference::Name("long_gone".into()), None, 10)).await.unwrap().len(),
        1
    );

    // Again, it does nothing, also after a restart.
    let at = running.position();
    let again = running.service.import(old.clone(), author()).await.unwrap();
    assert_eq!((again.same.len(), again.created.len() + again.replaced.len(), again.history), (6, 0, 0));
    assert_eq!(running.position(), at);
    running.service.import(import(json!([{"id": 90, "name": "high"}]), json!([])), author()).await.unwrap();
    running.delete("high").await.unwrap();
    running.end().await;
    let running = kept.open().await;
    assert_eq!(running.position().instance, at.instance);
    assert_eq!(running.create(json!({"name": "next"})).await.unwrap(), 91, "an id is not given twice");
}

async fn what_is_carried_over_never_takes_the_place_of_what_somebody_changed(on: On) {
    let kept = Kept::new(on);
    let running = kept.open().await;
    running.patch("7", json!({"enabled": true})).await.unwrap();
    let (at, before) = (running.position(), running.service.state().whole());
    let refused = async |flags: serde_json::Value, history: serde_json::Value, words: &str| {
        let error = running.service.import(import(flags, history), author()).await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert_eq!((running.position(), running.service.state().whole()), (at.clone(), before.clone()));
    };
    let new = json!({"id": 50, "name": "new"});
    refused(
        json!([new, {"id": 8, "name": "telehealth", "enabled": true}]),
        json!([]),
        "`telehealth` is there with other content: ",
    )
    .await;
    refused(json!([new, {"id": 51, "name": "telehealth"}]), json!([]), "`telehealth` has id 8, not 51").await;
    refused(json!([new, {"id": 8, "name": "other"}]), json!([]), "id 8 is `telehealth`, not `other`").await;
    refused(
        json!([new]),
        json!([{"flag_id": 1, "flag_name": "x", "action": "fly", "at": "2024-01-01T00:00:00Z"}]),
        "history[0].action",
    )
    .await;
    refused(
        json!([new]),
        json!([{"flag_id": 1, "flag_name": "x", "action": "update", "at": "yesterday"}]),
        "history[0].at",
    )
    .await;
    assert_eq!(kept.by_hand("SELECT COUNT(*) FROM feature_flag_audit_log").await, "11");
    let flag = running.service.state().flag(&Reference::Id(8)).unwrap().to_value();
    let made = running.service.import(import(json!([new, flag]), json!([])), author()).await.unwrap();
    assert_eq!(
        (made.created, made.same),
        (vec!["new".to_owned()], vec!["telehealth".to_owned()]),
        "what is the same is not in the way"
    );
}
