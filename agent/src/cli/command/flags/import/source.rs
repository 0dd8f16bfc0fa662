//! What a file brings: our own document, or Unleash's or flagd's flags as ours.

use std::path::Path;

use serde_json::Value;
use teal_flags::import::{Finding, Imported, flagd, unleash};
use teal_flags::model::{Condition, Document, Flag, Segment, Test};

use crate::cli::command::flags::document::parsed;
use crate::cli::command::flags::fields::read;

/// Whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// What `teal flags export` writes.
    Teal,
    /// What Unleash serves its clients, /api/client/features.
    Unleash,
    /// flagd's flag definitions.
    Flagd,
}

impl Format {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Teal => "Teal's own",
            Self::Unleash => "Unleash",
            Self::Flagd => "flagd",
        }
    }
}

/// What a file brings.
pub(super) struct Source {
    pub(super) format: Format,
    pub(super) document: Document,
    /// What was not carried over as it was.
    pub(super) report: Vec<Finding>,
}

/// Reads a file; `-` is the standard input. An error says what is wrong with it.
pub(super) fn source(path: &Path, format: Option<Format>, prefix: &str) -> Result<Source, String> {
    let bytes = read(path).map_err(|error| error.to_string())?;
    let text = String::from_utf8(bytes).map_err(|_| "is no text in UTF-8".to_owned())?;
    let json = parsed(&text)?;
    let format = match format.or_else(|| guessed(&json)) {
        Some(format) => format,
        None => {
            return Err("is neither Teal's (a list `flags`), nor flagd's (an object `flags`), nor Unleash's (a list `features`): \
                 --format says what it is"
                .to_owned());
        }
    };
    let others = |imported: Result<Imported, _>| {
        imported
            .map(|imported| (imported.document, imported.report))
            .map_err(|error: teal_flags::import::ImportError| error.to_string())
    };
    let (mut document, report) = match format {
        Format::Teal => (Document::from_value(json).map_err(|error| error.to_string())?, Vec::new()),
        Format::Unleash => others(unleash(json.to_string()))?,
        Format::Flagd => others(flagd(json.to_string()))?,
    };
    if !prefix.is_empty() {
        prefixed(&mut document, prefix);
    }
    Ok(Source { format, document, report })
}

fn guessed(json: &Value) -> Option<Format> {
    match (json.get("flags"), json.get("features"), json.get("events")) {
        (Some(Value::Array(_)), ..) => Some(Format::Teal),
        (Some(Value::Object(_)), ..) => Some(Format::Flagd),
        (None, Some(Value::Array(_)), _) | (None, None, Some(Value::Array(_))) => Some(Format::Unleash),
        // A document of segments alone.
        (None, None, None) if json.get("segments").is_some() => Some(Format::Teal),
        _ => None,
    }
}

/// Every name, and every mention of one, begins with the prefix. Salts stay, so that nobody changes side.
fn prefixed(document: &mut Document, prefix: &str) {
    let rename = |name: &mut String| *name = format!("{prefix}{name}");
    let of_condition = |condition: &mut Condition| {
        if let Test::Segment(segment) = &mut condition.test {
            rename(segment);
        }
    };
    for Flag { name, rules, prerequisites, .. } in &mut document.flags {
        rename(name);
        rules.iter_mut().flat_map(|rule| &mut rule.conditions).for_each(of_condition);
        prerequisites.iter_mut().for_each(|one| rename(&mut one.flag));
    }
    for Segment { name, .. } in &mut document.segments {
        rename(name);
    }
    for unread in &mut document.unreadable {
        if let Some(name) = &mut unread.name {
            rename(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, format: Option<Format>, prefix: &str) -> Result<Source, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        source(file.path(), format, prefix)
    }

    #[test]
    fn whose_file_it_is_is_guessed_by_its_shape() {
        let check = |text: &str, expected: Format, flag: &str| {
            let source = read(text, None, "").unwrap();
            assert_eq!((source.format, source.document.flags[0].name.as_str()), (expected, flag), "{text}");
        };
        check(r#"{"flags": [{"name": "a"}]}"#, Format::Teal, "a");
        check("flags:\n- name: a\n  enabled: true\n", Format::Teal, "a");
        check(r#"{"features": [{"name": "A", "enabled": true, "strategies": []}]}"#, Format::Unleash, "a");
        check(
            "flags:\n  a:\n    state: ENABLED\n    variants: {on: true}\n    defaultVariant: on\n",
            Format::Flagd,
            "a",
        );
        let error = read("{}", None, "").map(|_| ()).unwrap_err();
        assert!(error.contains("--format"), "{error}");
        assert!(read(r#"{"flags": {}}"#, Some(Format::Unleash), "").is_err());
    }

    #[test]
    fn a_prefix_is_put_before_every_mention_and_deals_nobody_anew() {
        let text = r#"{"flags": [{"name": "a", "rules": [{"conditions": [{"segment": "s"}]}], "prerequisites": [{"flag": "b"}]}, {"name": "b"}],
            "segments": [{"name": "s"}]}"#;
        let document = read(text, None, "old.").unwrap().document;
        let a = document.flags[0].to_value();
        assert_eq!(
            (&a["name"], &a["salt"], &a["prerequisites"][0]["flag"], &a["rules"][0]["conditions"][0]["segment"]),
            (&"old.a".into(), &"a".into(), &"old.b".into(), &"old.s".into())
        );
        assert_eq!(document.segments[0].name, "old.s");
    }
}
