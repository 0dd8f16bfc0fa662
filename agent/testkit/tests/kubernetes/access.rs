//! Roles: what they name is allowed, all else is not.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams, WatchParams};
use serde_json::json;

use crate::cluster::{Cluster, config_map, deployment, from, is_refused};

pub(crate) async fn a_role_gives_what_it_names_and_no_more(cluster: Cluster) {
    let _: ConfigMap = cluster.create(config_map("a", &json!({}))).await;
    let _: ConfigMap = cluster.create(config_map("b", &json!({}))).await;
    let _: Deployment = cluster.create(deployment("d", 1)).await;
    let maps = Api::<ConfigMap>::namespaced(cluster.user_client.clone(), &cluster.namespace);
    let wanted = format!(
        "User \"{}\" cannot list resource \"configmaps\" in API group \"\" in the namespace \"{}\"",
        cluster.user, cluster.namespace
    );
    is_refused(maps.list(&ListParams::default()).await, 403, "Forbidden", &wanted);
    let _: Role = cluster
        .create(json!({"metadata": {"name": "r"}, "rules": [
            {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]},
            {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"], "resourceNames": ["a"]},
            {"apiGroups": ["apps"], "resources": ["deployments/scale"], "verbs": ["patch"]},
        ]}))
        .await;
    let _: RoleBinding = cluster
        .create(json!({
            "metadata": {"name": "r"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
            "subjects": [{"kind": "User", "name": cluster.user, "apiGroup": "rbac.authorization.k8s.io"}],
        }))
        .await;
    // A real server hears of its roles by a watch.
    let is_heard = async || maps.list(&ListParams::default()).await.ok();
    teal_testkit::until("the role is known", is_heard).await;
    maps.get("a").await.unwrap();
    is_refused(maps.get("b").await, 403, "Forbidden", "configmaps \"b\" is forbidden");
    let made = maps.create(&PostParams::default(), &from(config_map("c", &json!({})))).await;
    is_refused(made, 403, "Forbidden", "cannot create");
    let deployments = Api::<Deployment>::namespaced(cluster.user_client.clone(), &cluster.namespace);
    let patch = Patch::Merge(json!({"spec": {"replicas": 2}}));
    deployments.patch_scale("d", &PatchParams::default(), &patch).await.unwrap();
    is_refused(deployments.patch("d", &PatchParams::default(), &patch).await, 403, "Forbidden", "cannot patch");
    let elsewhere = Api::<ConfigMap>::namespaced(cluster.user_client.clone(), "default");
    is_refused(elsewhere.list(&ListParams::default()).await, 403, "Forbidden", "in the namespace \"default\"");
    if let Some(fake) = &cluster.fake {
        fake.forget_used();
        let _ = maps.get("a").await.unwrap();
        let used: Vec<_> = fake.used().into_iter().map(|used| (used.user, used.verb, used.resource)).collect();
        assert_eq!(used, [(cluster.user.clone(), "get".to_owned(), "configmaps".to_owned())]);
        let nobody = fake.client_as("nobody");
        is_refused(Api::<ConfigMap>::default_namespaced(nobody).get("a").await, 403, "Forbidden", "nobody");
        deployments.patch_scale("d", &PatchParams::default(), &patch).await.unwrap();
        let used = fake.used_by(&cluster.user);
        assert!(used.iter().any(|used| used.verb == "patch" && used.resource == "deployments/scale"), "{used:?}");
    }
}

pub(crate) async fn a_name_in_a_role_holds_for_lists_and_watches_of_that_name(cluster: Cluster) {
    let _: ConfigMap = cluster.create(config_map("a", &json!({}))).await;
    let _: Role = cluster
        .create(json!({"metadata": {"name": "r"}, "rules": [
            {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list", "watch"], "resourceNames": ["a"]},
        ]}))
        .await;
    let _: RoleBinding = cluster
        .create(json!({
            "metadata": {"name": "r"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
            "subjects": [
                {"kind": "User", "name": cluster.user, "apiGroup": "rbac.authorization.k8s.io"},
                {"kind": "ServiceAccount", "name": "agent"},
            ],
        }))
        .await;
    let maps = Api::<ConfigMap>::namespaced(cluster.user_client.clone(), &cluster.namespace);
    let named = |name: &str| ListParams::default().fields(&format!("metadata.name={name}"));
    let is_heard = async || maps.list(&named("a")).await.ok();
    teal_testkit::until("the role is known", is_heard).await;
    drop(maps.watch(&WatchParams::default().fields("metadata.name=a"), "0").await.unwrap());
    is_refused(maps.list(&named("b")).await, 403, "Forbidden", "configmaps \"b\" is forbidden");
    is_refused(maps.list(&ListParams::default()).await, 403, "Forbidden", "configmaps is forbidden");
    // A service account without a namespace is one of the namespace where it is bound.
    if let Some(fake) = &cluster.fake {
        let lists = async |namespace: &str| {
            let client = fake.client_as(&format!("system:serviceaccount:{namespace}:agent"));
            Api::<ConfigMap>::namespaced(client, &cluster.namespace).list(&named("a")).await
        };
        lists(&cluster.namespace).await.unwrap();
        is_refused(lists("default").await, 403, "Forbidden", "");
    }
}
