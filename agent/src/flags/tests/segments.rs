//! Segments: made, used, changed, needed, deleted, told.

use serde_json::json;
use teal_flags::OwnedContext;
use teal_testkit::until;

use super::{Kept, On, Running, document};
use crate::flags::*;

on_both! {
    a_segment_is_told_and_used_and_kept_while_it_is_needed,
    segments_that_were_changed_by_hand_make_another_instance,
    more_than_an_sdk_takes_is_refused,
}

impl Running {
    async fn segment(&self, edit: SegmentEdit) -> Result<teal_flags::model::Segment, FlagsError> {
        let author = Author { who: "ops@box".into(), reason: "because".into(), ..Author::default() };
        self.service.edit_segment(edit, author).await
    }

    async fn patch_segment(&self, name: &str, fields: serde_json::Value) -> Result<u64, FlagsError> {
        let edit = SegmentEdit::Patch { name: name.into(), fields, only_if: None };
        Ok(self.segment(edit).await?.version)
    }
}

async fn a_segment_is_told_and_used_and_kept_while_it_is_needed(on: On) {
    let kept = Kept::new(on);
    let running = kept.open().await;
    let start = running.position().revision;
    let rule = json!({"enabled": true, "rollout_percentage": 0, "rules": [{"conditions": [{"segment": "staff"}]}]});
    let refused = running.patch("telehealth", rule.clone()).await.unwrap_err();
    assert!(matches!(&refused, FlagsError::Field(error) if error.field.starts_with("rules[0]")), "{refused}");
    let staff = json!({"name": "staff", "include": ["user-7"]});
    let made = running.segment(SegmentEdit::Create(staff.clone())).await.unwrap();
    assert!(matches!(running.segment(SegmentEdit::Create(staff)).await, Err(FlagsError::SegmentExists(_))));
    running.patch("telehealth", rule).await.unwrap();
    let is_on = |user: &str| {
        let user = OwnedContext { id: Some(user.into()), ..OwnedContext::default() };
        running.service.reads().evaluate(None, "telehealth", &user).enabled
    };
    assert_eq!((is_on("user-7"), is_on("user-8")), (Some(true), Some(false)));

    let tag = Some(segment_tag(&made));
    let edit = |only_if: Option<String>| SegmentEdit::Patch {
        name: "staff".into(),
        fields: json!({"include": ["user-8"]}),
        only_if,
    };
    assert_eq!(running.segment(edit(tag.clone())).await.unwrap().version, 2);
    assert!(matches!(running.segment(edit(tag)).await, Err(FlagsError::Stale { version: 2, .. })));
    assert_eq!((is_on("user-7"), is_on("user-8")), (Some(false), Some(true)));
    assert_eq!(
        running.patch_segment("staff", json!({"include": ["user-8"]})).await.unwrap(),
        2,
        "nothing is different"
    );
    let at = running.position();
    assert_eq!(at.revision, start + 3);
    let delta = document(&running.service.state().delta(start + 2));
    assert_eq!((delta.segments.len(), delta.flags.len()), (1, 0));

    let delete = || SegmentEdit::Delete { name: "staff".into(), only_if: None };
    let needed = running.segment(delete()).await.unwrap_err();
    assert_eq!(needed.to_string(), "the segment `staff` is needed by telehealth: change or delete them first");
    running.create(json!({"name": "video", "prerequisites": [{"flag": "telehealth"}]})).await.unwrap();
    let needed = running.delete("telehealth").await.unwrap_err();
    assert_eq!(needed.to_string(), "the flag `telehealth` is needed by video: change or delete them first");
    running.delete("video").await.unwrap();
    running.delete("telehealth").await.unwrap();
    running.segment(delete()).await.unwrap();
    assert!(matches!(running.segment(delete()).await, Err(FlagsError::UnknownSegment(_))));
    let told = document(&running.service.state().delta(at.revision));
    assert_eq!((told.deleted_segments, told.segments.len()), (vec!["staff".to_owned()], 0));
    running.end().await;

    // All of it is there after a restart.
    let running = kept.open().await;
    let whole = document(&running.service.state().whole());
    assert_eq!((whole.segments.len(), whole.deleted_segments), (0, vec!["staff".to_owned()]));
    let wanted = Wanted { segment: Some("staff".into()), limit: 9, ..Wanted::default() };
    let log = running.service.audit(&wanted).await.unwrap();
    let actions: Vec<&str> = log.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["delete", "update", "create"]);
    assert_eq!((log[1].flag_id, log[1].segment.as_deref(), log[1].who.as_str()), (None, Some("staff"), "ops@box"));
    assert_eq!(log[1].after.as_ref().unwrap()["include"], json!(["user-8"]));
    // Made anew, it is not deleted.
    running.segment(SegmentEdit::Create(json!({"name": "staff"}))).await.unwrap();
    running.end().await;
    let whole = document(&kept.open().await.service.state().whole());
    assert_eq!((whole.segments[0].version, whole.deleted_segments.len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_agent_does_to_a_segment_the_other_tells_too() {
    let database = teal_testkit::postgres().database();
    let kept: Vec<Kept> = (0..2).map(|_| Kept::at(Some(database.clone()))).collect();
    let (one, other) = (kept[0].open().await, kept[1].open().await);
    let instance = one.position().instance;
    let version = |running: &Running| running.service.state().segment("staff").map(|segment| segment.version);
    one.segment(SegmentEdit::Create(json!({"name": "staff"}))).await.unwrap();
    until("the other knows it", || async { (version(&other) == Some(1)).then_some(()) }).await;
    other.patch_segment("staff", json!({"include": ["user-7"]})).await.unwrap();
    until("the one knows the change", || async { (version(&one) == Some(2)).then_some(()) }).await;
    one.segment(SegmentEdit::Delete { name: "staff".into(), only_if: None }).await.unwrap();
    until("the other knows that it is gone", || async { version(&other).is_none().then_some(()) }).await;
    let told = document(&other.service.state().whole());
    assert_eq!(told.deleted_segments, ["staff"]);
    assert_eq!((one.position().instance, other.position()), (instance.clone(), one.position()));
}

async fn segments_that_were_changed_by_hand_make_another_instance(on: On) {
    let kept = Kept::new(on);
    let running = kept.open().await;
    running.segment(SegmentEdit::Create(json!({"name": "staff"}))).await.unwrap();
    let known = running.position();
    running.end().await;
    assert_eq!(kept.open().await.position(), known);
    kept.by_hand("DELETE FROM feature_flag_segments").await;
    let running = kept.open().await;
    assert_ne!(running.position().instance, known.instance);
    assert_eq!(running.service.state().segments().len(), 0);
    running.segment(SegmentEdit::Create(json!({"name": "staff"}))).await.unwrap();
}

async fn more_than_an_sdk_takes_is_refused(on: On) {
    let kept = Kept::new(on);
    let running = kept.open().await;
    let ids: Vec<String> = (0..600).map(|number| format!("{number}{}", "x".repeat(990))).collect();
    running.segment(SegmentEdit::Create(json!({"name": "many", "include": ids}))).await.unwrap();
    let at = running.position();
    let refused = running.segment(SegmentEdit::Create(json!({"name": "more", "include": ids}))).await.unwrap_err();
    assert!(refused.to_string().contains("which no SDK takes"), "{refused}");
    assert_eq!(running.position(), at);
    assert_eq!(running.service.state().segments().len(), 1);
    running.patch_segment("many", json!({"include": null})).await.unwrap();
    running.segment(SegmentEdit::Create(json!({"name": "more", "include": ids}))).await.unwrap();
}
