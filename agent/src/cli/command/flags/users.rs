//! Users from a file: an id a line, or a JSON object a line with attributes. Never repeated in a message: they may be patients.

use std::path::Path;

use serde_json::{Map, Value};
use teal_flags::OwnedContext;

use super::fields::read;
use crate::cli::CliError;

/// Names under which a line's object may have the id, in this order.
const IDS: [&str; 4] = ["user_id", "id", "userId", "targetingKey"];

/// Somebody.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct User {
    pub(super) id: String,
    /// As JSON, for who is asked over HTTP.
    pub(super) attributes: Map<String, Value>,
}

impl User {
    /// For who is asked here.
    pub(super) fn context(&self) -> OwnedContext {
        OwnedContext::from_json(Some(&self.id), &self.attributes)
    }
}

/// The users of a file; `-` is the standard input. `common` are attributes of all that have none of their own of that name.
pub(super) fn users(path: &Path, common: &Map<String, Value>) -> Result<Vec<User>, CliError> {
    let wrong = |what: String| CliError::usage(format!("--users {}: {what}", path.display()));
    let bytes = read(path).map_err(|error| wrong(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| wrong("is no text in UTF-8".to_owned()))?;
    let mut users = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut user = user(line).map_err(|what| wrong(format!("line {}: {what}", number + 1)))?;
        for (name, value) in common {
            user.attributes.entry(name.clone()).or_insert_with(|| value.clone());
        }
        users.push(user);
    }
    if users.is_empty() {
        return Err(wrong(
            "names nobody: it has an id a line, or JSON such as {\"user_id\": \"u1\", \"clinic\": \"hcm-3\"}"
                .to_owned(),
        ));
    }
    Ok(users)
}

/// One line. An error does not repeat it.
fn user(line: &str) -> Result<User, &'static str> {
    if !line.starts_with('{') {
        return Ok(User { id: line.to_owned(), attributes: Map::new() });
    }
    let Ok(Value::Object(mut fields)) = serde_json::from_str(line) else {
        return Err("begins like a JSON object and is none");
    };
    let id = IDS.iter().find_map(|name| fields.remove(*name));
    let id = match id {
        Some(Value::String(id)) if !id.is_empty() => id,
        Some(Value::Number(id)) if !id.is_f64() => id.to_string(),
        Some(_) => return Err("its id is neither a text nor a whole number"),
        None => return Err("has no user_id"),
    };
    // Attributes stand beside the id, or in an object of their own.
    let attributes = match fields.remove("attributes") {
        Some(Value::Object(attributes)) => fields.into_iter().chain(attributes).collect(),
        Some(other) => {
            fields.insert("attributes".to_owned(), other);
            fields
        }
        None => fields,
    };
    Ok(User { id, attributes })
}

/// `clinic=hcm-3`; of a name that comes again, a list.
pub(super) fn attributes(options: &[String]) -> Result<Map<String, Value>, CliError> {
    let mut attributes = Map::new();
    for option in options {
        let wrong = || CliError::usage(format!("--attribute {option}: write it as NAME=VALUE"));
        let (name, value) = option.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(wrong)?;
        let value = Value::from(value);
        match attributes.get_mut(name) {
            None => {
                attributes.insert(name.to_owned(), value);
            }
            Some(Value::Array(list)) => list.push(value),
            Some(one) => *one = Value::Array(vec![one.take(), value]),
        }
    }
    Ok(attributes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn a_line_is_an_id_or_an_object() {
        let text = "u1\n\n# nobody\n 17 \n{\"user_id\": 18, \"clinic\": \"hcm-3\"}\n{\"targetingKey\": \"u4\", \"attributes\": {\"role\": \"x\"}}\n";
        let common = attributes(&["role=guest".to_owned()]).unwrap();
        let found = users(file(text).path(), &common).unwrap();
        let found: Vec<_> = found.into_iter().map(|user| (user.id, Value::Object(user.attributes))).collect();
        let expected = [
            ("u1", json!({"role": "guest"})),
            ("17", json!({"role": "guest"})),
            ("18", json!({"clinic": "hcm-3", "role": "guest"})),
            ("u4", json!({"role": "x"})),
        ];
        assert_eq!(found, expected.map(|(id, attributes)| (id.to_owned(), attributes)));
    }

    #[test]
    fn what_is_wrong_is_told_by_its_line_and_repeats_nobody() {
        let check = |text: &str, words: &str| {
            let error = users(file(text).path(), &Map::new()).unwrap_err().to_string();
            assert!(error.contains(words) && !error.contains("s3cret"), "{error}");
        };
        check("\n", "names nobody");
        check("u1\n{\"s3cret\": \"u2\"}", "line 2: has no user_id");
        check("{\"user_id\": \"s3cret\"", "line 1: begins like a JSON object");
        check("{\"user_id\": [\"s3cret\"]}", "line 1: its id is neither");
    }

    #[test]
    fn attributes_are_texts_and_lists_of_them() {
        let options = ["a=1", "b=x=y", "c=1", "c=2", "c=3"].map(str::to_owned);
        assert_eq!(Value::Object(attributes(&options).unwrap()), json!({"a": "1", "b": "x=y", "c": ["1", "2", "3"]}));
        assert!(attributes(&["=x".to_owned()]).is_err() && attributes(&["x".to_owned()]).is_err());
    }
}
