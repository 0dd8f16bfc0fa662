//! Label and field selectors of lists and watches.

use serde_json::Value;

use super::refusal::Refusal;
use super::value::{list, text};

/// What an object must be like to be listed.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Selector {
    labels: Vec<Label>,
    /// Path, whether it must be equal, value.
    fields: Vec<(String, bool, String)>,
}

#[derive(Debug, Clone, PartialEq)]
enum Label {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
}

impl Selector {
    /// Reads `labelSelector` and `fieldSelector`.
    pub(super) fn parse(labels: &str, fields: &str) -> Result<Self, Refusal> {
        let labels = requirements(labels).into_iter().map(label).collect::<Result<_, _>>()?;
        let fields = fields.split(',').filter(|part| !part.trim().is_empty()).map(field).collect::<Result<_, _>>()?;
        Ok(Self { labels, fields })
    }

    /// That of an object, with `matchLabels` and `matchExpressions`. An empty one chooses everything, none nothing.
    pub(super) fn of(selector: &Value) -> Option<Self> {
        selector.as_object()?;
        let mut chosen = Self::with_labels(&selector["matchLabels"]);
        for expression in list(&selector["matchExpressions"]) {
            let key = text(&expression["key"]).to_owned();
            let values = || list(&expression["values"]).iter().map(|value| text(value).to_owned()).collect();
            chosen.labels.push(match text(&expression["operator"]) {
                "In" => Label::In(key, values()),
                "NotIn" => Label::NotIn(key, values()),
                "Exists" => Label::Exists(key),
                "DoesNotExist" => Label::Absent(key),
                _ => return None,
            });
        }
        Some(chosen)
    }

    /// All of these labels, as a Service has them.
    pub(super) fn with_labels(labels: &Value) -> Self {
        let one = |(key, value): (&String, &Value)| Label::In(key.clone(), vec![text(value).to_owned()]);
        Self { labels: labels.as_object().into_iter().flatten().map(one).collect(), fields: vec![] }
    }

    /// Only the object of this name.
    pub(super) fn named(mut self, name: &str) -> Self {
        self.fields.push(("metadata.name".to_owned(), true, name.to_owned()));
        self
    }

    /// The one name that it allows, if it asks for one.
    pub(super) fn name(&self) -> Option<&str> {
        let named = self.fields.iter().find(|(path, equal, _)| path == "metadata.name" && *equal);
        named.map(|(_, _, name)| name.as_str())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// Whether it names the fields that the server can select by: of all kinds the two of the metadata.
    pub(super) fn check_fields(&self, resource: &str) -> Result<(), Refusal> {
        let more: &[&str] = match resource {
            "pods" => &[
                "spec.nodeName",
                "spec.restartPolicy",
                "spec.schedulerName",
                "spec.serviceAccountName",
                "status.phase",
                "status.podIP",
            ],
            "events" => &["involvedObject.kind", "involvedObject.name", "involvedObject.uid", "reason", "type"],
            "secrets" => &["type"],
            "namespaces" => &["status.phase"],
            "replicasets.apps" => &["status.replicas"],
            "nodes" => &["spec.unschedulable"],
            _ => &[],
        };
        let is_known =
            |path: &String| path == "metadata.name" || path == "metadata.namespace" || more.contains(&path.as_str());
        match self.fields.iter().find(|(path, ..)| !is_known(path)) {
            None => Ok(()),
            Some((path, ..)) => Err(Refusal::bad_request(format!("field label not supported: {path}"))),
        }
    }

    pub(super) fn matches(&self, object: &Value) -> bool {
        let labels = &object["metadata"]["labels"];
        self.labels.iter().all(|label| label.matches(labels))
            && self.fields.iter().all(|(path, equal, value)| (at(object, path) == *value) == *equal)
    }
}

impl Label {
    fn matches(&self, labels: &Value) -> bool {
        let has = |key: &str, values: &[String]| {
            labels.get(key).is_some_and(|value| values.iter().any(|wanted| wanted == text(value)))
        };
        match self {
            Self::In(key, values) => has(key, values),
            Self::NotIn(key, values) => !has(key, values),
            Self::Exists(key) => labels.get(key).is_some(),
            Self::Absent(key) => labels.get(key).is_none(),
        }
    }
}

/// The value at a dotted path, as text; "" where there is none.
fn at(object: &Value, path: &str) -> String {
    let value = path.split('.').fold(object, |value, name| &value[name]);
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Splits at the commas that are not within parentheses.
fn requirements(text: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    let parts = text.split(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    });
    parts.map(str::trim).filter(|part| !part.is_empty()).collect()
}

fn label(part: &str) -> Result<Label, Refusal> {
    let set = |key: &str, values: &str| -> Option<(String, Vec<String>)> {
        let values = values.trim().strip_prefix('(')?.strip_suffix(')')?;
        Some((key.trim().to_owned(), values.split(',').map(|value| value.trim().to_owned()).collect()))
    };
    let one = |key: &str, value: &str| (key.trim().to_owned(), vec![value.trim().to_owned()]);
    let wrong = || Refusal::bad_request(format!("unable to parse requirement: {part}"));
    if let Some((key, values)) = part.split_once(" notin ") {
        return set(key, values).map(|(key, values)| Label::NotIn(key, values)).ok_or_else(wrong);
    }
    if let Some((key, values)) = part.split_once(" in ") {
        return set(key, values).map(|(key, values)| Label::In(key, values)).ok_or_else(wrong);
    }
    if let Some((key, value)) = part.split_once("!=") {
        let (key, values) = one(key, value);
        return Ok(Label::NotIn(key, values));
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        let (key, values) = one(key, value);
        return Ok(Label::In(key, values));
    }
    if part.contains(char::is_whitespace) {
        return Err(wrong());
    }
    Ok(part.strip_prefix('!').map_or_else(|| Label::Exists(part.to_owned()), |key| Label::Absent(key.to_owned())))
}

fn field(part: &str) -> Result<(String, bool, String), Refusal> {
    let (path, equal, value) = if let Some((path, value)) = part.split_once("!=") {
        (path, false, value)
    } else if let Some((path, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        (path, true, value)
    } else {
        return Err(Refusal::bad_request(format!("invalid field selector: {part}")));
    };
    Ok((path.trim().to_owned(), equal, value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selectors_choose_as_the_real_server_does() {
        let pod = json!({
            "metadata": {"name": "p", "labels": {"app": "api", "version": "blue"}},
            "spec": {"nodeName": "n1", "hostNetwork": true},
        });
        let check = |labels: &str, fields: &str, expected: bool| {
            let selector = Selector::parse(labels, fields).unwrap();
            assert_eq!(selector.matches(&pod), expected, "labels {labels:?}, fields {fields:?}");
        };
        check("", "", true);
        check("app=api,version=blue", "", true);
        check("app==api,version!=green", "", true);
        check("version=green", "", false);
        check("version in (blue, green),app", "", true);
        check("version notin (blue,green)", "", false);
        check("tier notin (front)", "", true);
        check("!tier,app", "", true);
        check("tier", "", false);
        check("", "spec.nodeName=n1", true);
        check("", "spec.nodeName!=n1", false);
        check("app=api", "metadata.name=q", false);
        let check = |selector: Value, expected: bool| {
            let found = Selector::of(&selector).is_some_and(|found| found.matches(&pod));
            assert_eq!(found, expected, "{selector}");
        };
        let expression = |key: &str, operator: &str, values: &[&str]| json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]});
        check(json!(null), false);
        check(json!({}), true);
        check(json!({"matchLabels": {"app": "api", "version": "blue"}}), true);
        check(json!({"matchLabels": {"app": "api", "tier": "back"}}), false);
        check(expression("version", "In", &["blue", "green"]), true);
        check(expression("version", "NotIn", &["blue"]), false);
        check(expression("app", "Exists", &[]), true);
        check(expression("app", "DoesNotExist", &[]), false);
        check(expression("app", "Resembles", &["ape"]), false);
        let named = |fields: &str| Selector::parse("", fields).unwrap().name().map(str::to_owned);
        assert_eq!(named("spec.nodeName=n1,metadata.name=p"), Some("p".to_owned()));
        assert_eq!(named("metadata.name!=p"), None);
        assert!(Selector::parse("a b", "").is_err());
        assert!(Selector::parse("", "spec.hostNetwork=true").unwrap().check_fields("pods").is_err());
        assert!(Selector::parse("", "spec.nodeName=n1").unwrap().check_fields("pods").is_ok());
    }
}
