//! A colour's own copies of its ConfigMaps and Secrets, so that the way back has its old configuration.
//!
//! ```text
//!  Start: template --originals--> read as they are now --> NAME-COLOUR-HASH, immutable --> template names the copies
//! ```
//! A copy is called by the hash of what is in it: the same content is the same copy, however often it is made.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::{Api, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::references::{Kind, Names, Reference};
use super::settings::{COPY_OF, MANAGER};
use super::trouble::{Trouble, is_forbidden};
use crate::cluster::client::{brief, is_not_found};

/// Characters of a hash in a name.
const HASH: usize = 12;

/// The copies of one Deployment's configuration.
pub(super) struct Copies<'a> {
    pub(super) client: &'a kube::Client,
    pub(super) namespace: &'a str,
    pub(super) deployment: &'a str,
    pub(super) secrets: bool,
}

/// Copy by original, as the Deployment's annotation keeps them.
pub(super) fn originals(annotation: Option<&String>) -> BTreeMap<String, String> {
    annotation.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// One hash of all copies; none without any.
pub(super) fn hash(names: &Names) -> Option<String> {
    let all: Vec<&str> = names.values().map(String::as_str).collect();
    (!all.is_empty()).then(|| short(&all.join(" ")))
}

impl Copies<'_> {
    /// Copies what is named as it is now, and says what each is called. What is not there is left to the Pods to miss.
    ///
    /// # Errors
    /// As the API server refuses; of Secrets that may not be read with the way out.
    pub(super) async fn make(&self, named: &BTreeSet<Reference>) -> Result<Names, Trouble> {
        let mut names = Names::new();
        for (kind, original) in named {
            let copy = match kind {
                Kind::ConfigMap => self.copy::<ConfigMap>(original).await?,
                Kind::Secret if self.secrets => self.copy::<Secret>(original).await.map_err(of_secrets)?,
                Kind::Secret => None,
            };
            names.extend(copy.map(|copy| ((*kind, original.clone()), copy)));
        }
        Ok(names)
    }

    /// Deletes this Deployment's copies but these.
    pub(super) async fn keep_only(&self, kept: &BTreeSet<String>) -> kube::Result<()> {
        self.keep_only_of::<ConfigMap>(kept).await?;
        if self.secrets { self.keep_only_of::<Secret>(kept).await } else { Ok(()) }
    }

    async fn copy<K>(&self, original: &str) -> kube::Result<Option<String>>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + DeserializeOwned + Serialize + Clone + Debug,
    {
        let api: Api<K> = Api::namespaced(self.client.clone(), self.namespace);
        let Some(found) = api.get_opt(original).await? else { return Ok(None) };
        let found = serde_json::to_value(&found).map_err(kube::Error::SerdeError)?;
        let content = ["type", "data", "binaryData"].map(|key| (key, &found[key])).into_iter();
        let mut copy: Value =
            content.filter(|(_, value)| !value.is_null()).map(|(k, v)| (k.to_owned(), v.clone())).collect();
        let name = format!("{}-{}", self.deployment, short(&format!("{} {original} {copy}", K::kind(&()))));
        copy["immutable"] = json!(true);
        copy["metadata"] = json!({"name": name, "labels": {COPY_OF: self.deployment}});
        let copy: K = serde_json::from_value(copy).map_err(kube::Error::SerdeError)?;
        let params = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
        match api.create(&params, &copy).await {
            Ok(_) => Ok(Some(name)),
            // By its name it is this one.
            Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => Ok(Some(name)),
            Err(error) => Err(error),
        }
    }

    async fn keep_only_of<K>(&self, kept: &BTreeSet<String>) -> kube::Result<()>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + DeserializeOwned + Clone + Debug,
    {
        let api: Api<K> = Api::namespaced(self.client.clone(), self.namespace);
        let own = api.list_metadata(&ListParams::default().labels(&format!("{COPY_OF}={}", self.deployment))).await?;
        let own = own.items.into_iter().filter_map(|copy| copy.metadata.name);
        for old in own.filter(|name| !kept.contains(name)) {
            match api.delete(&old, &DeleteParams::default()).await {
                Err(error) if !is_not_found(&error) => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// That Secrets are copied is a choice, and the role for it a component of its own (decision 74): who has only one of the two is told so.
fn of_secrets(error: kube::Error) -> Trouble {
    if !is_forbidden(&error) {
        return error.into();
    }
    let why = brief(&error);
    Trouble::Never(format!(
        "{why}: apply manifests/components/secret-snapshots, or set `secrets = false` in `[components.NAME]`, so that Secrets stay as they are"
    ))
}

fn short(text: &str) -> String {
    use std::fmt::Write as _;
    let digest = Sha256::digest(text.as_bytes());
    let mut hex = String::new();
    for byte in digest.iter().take(HASH / 2) {
        // To a String this cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
