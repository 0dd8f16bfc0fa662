//! What `set` and `create` can say of a flag, as the fields of a request.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use teal_flags::model::Percentage;

use crate::cli::CliError;

/// Fields of a flag.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Fields {
    /// Switch it on.
    #[arg(long, conflicts_with = "off")]
    on: bool,
    /// Switch it off.
    #[arg(long)]
    off: bool,
    /// The share of users who get it where no rule says otherwise: 0 to 100, such as 25 or 12.5.
    #[arg(long, short, value_name = "PERCENT")]
    rollout: Option<String>,
    /// Only in this environment; may be repeated.
    #[arg(long, short, value_name = "ENV", value_delimiter = ',')]
    pub(super) environment: Vec<String>,
    /// In every environment.
    #[arg(long, conflicts_with = "environment")]
    everywhere: bool,
    /// For people.
    #[arg(long, short, value_name = "TEXT")]
    description: Option<String>,
    /// Any other field as docs/flags.md has it, its value as JSON: --field kind='"operational"'. null puts it back.
    #[arg(long, value_name = "NAME=JSON")]
    field: Vec<String>,
    /// A file with fields as a JSON object, rules for example; - is the standard input.
    #[arg(long, value_name = "FILE")]
    fields: Option<PathBuf>,
}

impl Fields {
    /// As a JSON object. Options go before what the file says.
    pub(super) fn json(&self) -> Result<Map<String, Value>, CliError> {
        let mut fields = match &self.fields {
            Some(path) => object(path)?,
            None => Map::new(),
        };
        let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        for field in &self.field {
            let wrong = |what: String| CliError::usage(format!("--field {field}: {what}"));
            let (name, value) = field.split_once('=').ok_or_else(|| wrong("write it as NAME=JSON".to_owned()))?;
            let quoted = |error| wrong(format!("`{value}` is no JSON ({error}); a text is written '\"{value}\"'"));
            put(name, serde_json::from_str(value).map_err(quoted)?);
        }
        if self.on || self.off {
            put("enabled", self.on.into());
        }
        if let Some(rollout) = &self.rollout {
            let text = rollout.trim_end_matches('%').trim_end();
            let wrong = |error| CliError::usage(format!("--rollout: `{rollout}` {error}"));
            let share: Percentage = text.parse().map_err(wrong)?;
            // Read as text: a float would not be exact.
            put("rollout_percentage", serde_json::from_str(&share.to_string()).unwrap_or_else(|_| json!(text)));
        }
        if self.everywhere {
            put("environments", Value::Null);
        } else if !self.environment.is_empty() {
            put("environments", json!(self.environment));
        }
        if let Some(description) = &self.description {
            put("description", if description.is_empty() { Value::Null } else { json!(description) });
        }
        Ok(fields)
    }
}

/// The JSON object in a file.
fn object(path: &Path) -> Result<Map<String, Value>, CliError> {
    let wrong = |what: String| CliError::usage(format!("--fields {}: {what}", path.display()));
    let text = read(path).map_err(|error| wrong(error.to_string()))?;
    match serde_json::from_slice(&text) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(wrong("is no JSON object such as {\"rules\": []}".to_owned())),
        Err(error) => Err(wrong(format!("is no JSON: {error}"))),
    }
}

/// All of a file, or of the standard input for `-`.
pub(super) fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    if path != Path::new("-") {
        return std::fs::read(path);
    }
    let mut text = Vec::new();
    std::io::stdin().lock().read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_become_fields() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), r#"{"rules": [], "enabled": false}"#).unwrap();
        let fields = Fields {
            on: true,
            rollout: Some("12.50 %".into()),
            environment: vec!["prod".into()],
            description: Some(String::new()),
            field: vec!["kind=\"operational\"".into(), "salt=null".into()],
            fields: Some(file.path().into()),
            ..Fields::default()
        };
        let expected = json!({"rules": [], "enabled": true, "rollout_percentage": 12.5, "environments": ["prod"],
            "description": null, "kind": "operational", "salt": null});
        assert_eq!(Value::Object(fields.json().unwrap()), expected);
        assert!(Fields::default().json().unwrap().is_empty());
    }

    #[test]
    fn what_is_no_field_says_how_it_is_written() {
        let check = |fields: Fields, words: &str| {
            let error = fields.json().unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        };
        check(Fields { rollout: Some("a".into()), ..Fields::default() }, "--rollout: `a` is not a percentage");
        check(Fields { rollout: Some("12.3456".into()), ..Fields::default() }, "more than three decimals");
        check(Fields { rollout: Some("101".into()), ..Fields::default() }, "is more than 100");
        check(Fields { field: vec!["kind".into()], ..Fields::default() }, "NAME=JSON");
        check(Fields { field: vec!["kind=release".into()], ..Fields::default() }, "'\"release\"'");
        check(Fields { fields: Some("/nowhere".into()), ..Fields::default() }, "--fields /nowhere");
    }
}
