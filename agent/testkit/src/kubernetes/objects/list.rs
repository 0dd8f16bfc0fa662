//! GET of a collection: selectors, pages, and which revision is shown.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::refusal::Refusal;
use super::super::selector::Selector;
use super::super::store::Key;
use super::super::value::map;
use super::{Call, Objects, Reply};

impl Objects {
    /// The objects that the query chooses, at one revision.
    pub(in super::super) fn list(&self, call: &Call) -> Result<Reply, Refusal> {
        let (kind, query) = (&call.kind, &call.query);
        let selector = self.selector(call)?;
        let (revision, after) = match query.get("continue") {
            "" => (self.revision_to_list(call)?, None),
            token => read_token(token).map(|(revision, after)| (revision, Some(after)))?,
        };
        let resource = kind.resource();
        let all = self.store.all_at(&resource, call.namespace.as_deref(), revision).map_err(|_| {
            Refusal::expired(if after.is_some() {
                "The provided continue parameter is too old to display a consistent list result. You can start a new \
                 list without the continue parameter."
            } else {
                "The resourceVersion for the provided list is too old."
            })
        })?;
        let is_after =
            |key: &Key| after.as_ref().is_none_or(|after| (&key.namespace, &key.name) > (&after.0, &after.1));
        let mut chosen: Vec<(Key, Arc<Value>)> =
            all.into_iter().filter(|(key, object)| is_after(key) && selector.matches(object)).collect();
        let mut metadata = json!({"resourceVersion": revision.to_string()});
        let limit = query.number("limit").and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0);
        if let Some(limit) = limit.filter(|limit| *limit < chosen.len()) {
            if selector.is_empty() {
                metadata["remainingItemCount"] = json!(chosen.len() - limit);
            }
            chosen.truncate(limit);
            if let Some((last, _)) = chosen.last() {
                metadata["continue"] = json!(json!([revision, last.namespace, last.name]).to_string());
            }
        }
        let items: Vec<Value> = chosen.into_iter().map(|(_, object)| item(&object, kind.is_custom())).collect();
        let kind_of_list = format!("{}List", kind.kind);
        Ok((200, json!({"kind": kind_of_list, "apiVersion": kind.api_version(), "metadata": metadata, "items": items})))
    }

    /// What the query, and the name for a watch of one object, choose.
    pub(in super::super) fn selector(&self, call: &Call) -> Result<Selector, Refusal> {
        let selector = Selector::parse(call.query.get("labelSelector"), call.query.get("fieldSelector"))?;
        selector.check_fields(&call.kind.resource())?;
        Ok(selector)
    }

    fn revision_to_list(&self, call: &Call) -> Result<u64, Refusal> {
        let now = self.store.revision();
        let wanted = call.query.get("resourceVersion");
        if wanted.is_empty() || wanted == "0" {
            return Ok(now);
        }
        let wanted: u64 = wanted
            .parse()
            .map_err(|_| Refusal::bad_request(format!("resourceVersion: Invalid value: \"{wanted}\": not a number")))?;
        if wanted > now {
            return Err(Refusal::timeout(format!("Too large resource version: {wanted}, current: {now}")));
        }
        Ok(if call.query.get("resourceVersionMatch") == "Exact" { wanted } else { now })
    }
}

/// Items of built in kinds do not say what they are; the list does.
fn item(object: &Value, is_custom: bool) -> Value {
    let mut object = object.clone();
    if !is_custom {
        let fields = map(&mut object);
        fields.remove("apiVersion");
        fields.remove("kind");
    }
    object
}

fn read_token(token: &str) -> Result<(u64, (String, String)), Refusal> {
    let read = serde_json::from_str::<(u64, String, String)>(token);
    let (revision, namespace, name) =
        read.map_err(|_| Refusal::bad_request("continue key is not valid: no such token"))?;
    Ok((revision, (namespace, name)))
}
