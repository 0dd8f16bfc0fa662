//! What our code relies on in a Kubernetes API server, each a case that the fake and a real one must pass.
//!
//! ```text
//! cases! --> one test each, on a fake of its own
//!        \-> `a_real_control_plane_does_the_same`: all, on etcd and kube-apiserver from $KUBEBUILDER_ASSETS
//! ```
#![expect(clippy::unwrap_used, reason = "that is how tests fail, their helpers too")]

mod cluster;

mod access;
mod apply;
mod custom;
mod deletes;
mod lists;
mod objects;
mod patches;
mod watches;

/// What only the fake can do: break on order.
mod faults;
/// The controllers that stand beside it.
mod world;

use cluster::Cluster;
use futures_util::future::BoxFuture;
use teal_testkit::kubernetes::ControlPlane;

/// A case: its name and what runs it.
type Case = (&'static str, fn(Cluster) -> BoxFuture<'static, ()>);

/// Makes a test of each case and lists them all.
macro_rules! cases {
    ($($module:ident { $($case:ident),+ $(,)? })+) => {
        $(mod $module {
            $(#[tokio::test]
            async fn $case() {
                super::super::$module::$case(crate::Cluster::fake().await).await;
            })+
        })+
        pub(super) const ALL: &[crate::Case] = &[$($((
            concat!(stringify!($module), "::", stringify!($case)),
            |cluster| Box::pin(super::$module::$case(cluster)),
        )),+),+];
    };
}

mod on_the_fake {
    cases! {
        objects {
            the_server_makes_up_what_nobody_sent,
            names_are_generated_or_checked,
            nothing_is_made_twice_or_nowhere,
            a_write_to_an_old_version_conflicts,
            a_write_that_changes_nothing_is_no_new_version,
            some_kinds_want_a_version_and_some_are_made_by_a_replace,
            the_generation_counts_changes_of_the_spec,
            status_and_spec_have_doors_of_their_own,
            mistakes_are_named,
            what_the_server_fills_in,
            a_dry_run_changes_nothing,
            the_scale_is_the_replicas_alone,
            events_have_two_doors,
            a_log_is_that_of_one_container,
        }
        lists {
            selectors_choose,
            pages_show_one_moment,
            a_revision_may_be_too_new_or_too_old,
        }
        watches {
            a_watch_tells_what_happens_after_its_version,
            a_selector_makes_objects_come_and_go,
            bookmarks_come_at_the_end,
            a_watcher_sees_it_all,
            the_first_state_can_be_streamed,
        }
        patches {
            a_merge_patch_sets_and_removes,
            a_json_patch_can_ask_first,
            a_strategic_patch_merges_lists_by_key,
            a_patch_may_name_the_version,
        }
        apply {
            an_apply_creates_and_owns,
            an_apply_that_changes_nothing_is_no_new_version,
            what_another_owns_is_a_conflict,
            force_takes_it,
            what_an_update_took_away_is_applied_again,
            what_is_no_longer_sent_goes,
            what_another_owns_as_well_stays,
            items_of_lists_have_owners,
            an_apply_needs_a_manager,
            the_status_is_applied_through_its_own_door,
        }
        deletes {
            a_delete_may_have_conditions,
            finalizers_hold,
            a_pod_on_a_node_gets_time,
            a_collection_goes_by_selector,
            an_eviction_asks_the_budget,
        }
        custom {
            a_definition_makes_a_kind,
            objects_are_held_against_the_schema,
            rules_are_enforced,
            lists_merge_as_the_schema_says,
            our_own_definition_is_taken_and_its_rules_hold,
        }
        access {
            a_role_gives_what_it_names_and_no_more,
            a_name_in_a_role_holds_for_lists_and_watches_of_that_name,
        }
        world {
            a_rollout_comes_on_any_server,
        }
    }
}

/// Cases that ask for what older servers do not have, and the minor version that has it.
const SINCE: &[(&str, u32)] = &[
    // discovery.k8s.io/v1 and policy/v1.
    ("world::a_rollout_comes_on_any_server", 21),
    ("deletes::an_eviction_asks_the_budget", 22),
    // Fields that a subresource does not own are dropped before owners are compared.
    ("apply::the_status_is_applied_through_its_own_door", 22),
    // Rules in CEL, on by default.
    ("custom::objects_are_held_against_the_schema", 25),
    ("custom::rules_are_enforced", 25),
    ("custom::our_own_definition_is_taken_and_its_rules_hold", 25),
    // The first state as a stream.
    ("watches::the_first_state_can_be_streamed", 34),
];

#[tokio::test]
async fn a_real_control_plane_does_the_same() {
    let Some(plane) = ControlPlane::start_if_named(&["alice"]).await else { return };
    let minor = plane.minor().await;
    let since = |name: &str| SINCE.iter().find(|(case, _)| *case == name).map_or(0, |(_, minor)| *minor);
    let (cases, newer): (Vec<_>, Vec<_>) = on_the_fake::ALL.iter().partition(|(name, _)| since(name) <= minor);
    let mut failed = Vec::new();
    for (name, case) in &cases {
        let cluster = Cluster::real(&plane).await;
        // Each in a task of its own: what one finds does not hide what the next would.
        if tokio::spawn(case(cluster)).await.is_err() {
            failed.push(*name);
        }
    }
    plane.stop().await;
    println!("Kubernetes 1.{minor}: {} of {} cases passed", cases.len() - failed.len(), cases.len());
    for (name, _) in newer {
        println!("  {name} needs 1.{}", since(name));
    }
    assert!(failed.is_empty(), "these fail on a real control plane: {failed:#?}");
}
