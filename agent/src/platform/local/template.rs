//! The placeholders of `run` and `stop`.

use teal_rollout::colour::Colour;

/// What an instance's placeholders stand for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values<'a> {
    pub(super) environment: &'a str,
    pub(super) component: &'a str,
    pub(super) colour: Colour,
    pub(super) slot: u16,
    pub(super) version: &'a str,
    pub(super) port: u16,
}

const WORDS: [&str; 6] = ["version", "port", "colour", "slot", "component", "environment"];

/// The placeholders as a message lists them.
pub(super) fn listed() -> String {
    WORDS.map(|word| format!("{{{word}}}")).join(" ")
}

/// The first placeholder that nobody fills in.
pub(super) fn unknown(text: &str) -> Option<&str> {
    pieces(text).find_map(|piece| match piece {
        Piece::Word(word) if !WORDS.contains(&word) => Some(word),
        _ => None,
    })
}

/// `text` with its placeholders filled in; the values themselves are not looked into.
pub(super) fn fill(text: &str, values: Values<'_>) -> String {
    let mut filled = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Word("version") => filled.push_str(values.version),
            Piece::Word("port") => filled.push_str(&values.port.to_string()),
            Piece::Word("colour") => filled.push_str(values.colour.as_str()),
            Piece::Word("slot") => filled.push_str(&values.slot.to_string()),
            Piece::Word("component") => filled.push_str(values.component),
            Piece::Word("environment") => filled.push_str(values.environment),
            Piece::Word(other) => filled.extend(["{", other, "}"]),
        }
    }
    filled
}

/// Where a command line says its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    /// The word before, where the version is a word of its own: `--version {version}`.
    pub(super) behind: Option<String>,
    /// What stands before and after it in its word.
    pub(super) around: (String, String),
}

/// Every place of `words` where the version stands, everything else filled in.
pub(super) fn patterns(words: &[String], values: Values<'_>) -> Vec<Pattern> {
    let places = words.iter().enumerate().filter_map(|(at, word)| {
        let (before, after) = word.split_once("{version}").filter(|(_, after)| !after.contains("{version}"))?;
        let around = (fill(before, values), fill(after, values));
        if !around.0.is_empty() || !around.1.is_empty() {
            return Some(Pattern { behind: None, around });
        }
        // Alone it would be any word.
        Some(Pattern { behind: Some(fill(words.get(at.checked_sub(1)?)?, values)), around })
    });
    places.collect()
}

enum Piece<'a> {
    Text(&'a str),
    /// A lower-case word that stood in braces.
    Word(&'a str),
}

fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((word, after)) = rest.strip_prefix('{').and_then(|inner| inner.split_once('}'))
            && !word.is_empty()
            && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        {
            rest = after;
            return Some(Piece::Word(word));
        }
        let end = rest.char_indices().skip(1).find(|&(_, c)| c == '{').map_or(rest.len(), |(at, _)| at);
        let (text, after) = rest.split_at(end);
        rest = after;
        Some(Piece::Text(text))
    })
}

/// Whether a version may stand in a command line: it is no path, no option and no shell syntax.
pub(super) fn is_version(version: &str) -> bool {
    version.len() <= 128
        && version.starts_with(|c: char| c.is_ascii_alphanumeric())
        && version.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'+' | b':' | b'@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_in_and_other_braces_pass_by() {
        let check = |text: &str, expected: &str| {
            let values = Values {
                environment: "prod",
                component: "api",
                colour: Colour::Green,
                slot: 2,
                version: "v{port}",
                port: 8101,
            };
            assert_eq!(fill(text, values), expected);
        };
        check("/srv/{component}/{version}/api", "/srv/api/v{port}/api");
        check("{environment}-{colour}-{slot}:{port}", "prod-green-2:8101");
        check(r#"{"a":{port}}"#, r#"{"a":8101}"#);
        check("{}{{port}}${port}{", "{}{8101}$8101{");
        check("ä{ö}{port}", "ä{ö}8101");
        check("", "");
    }

    #[test]
    fn a_version_is_looked_for_where_it_cannot_be_taken_for_anything_else() {
        let check = |run: &[&str], expected: &[(Option<&str>, &str, &str)]| {
            let (environment, component, colour, version) = ("prod", "api", Colour::Green, "");
            let values = Values { environment, component, colour, slot: 2, version, port: 8101 };
            let words: Vec<String> = run.iter().map(|word| (*word).to_owned()).collect();
            let found: Vec<_> = patterns(&words, values)
                .into_iter()
                .map(|Pattern { behind, around: (before, after) }| (behind, before, after))
                .collect();
            let owned = |(behind, before, after): &(Option<&str>, &str, &str)| {
                (behind.map(ToOwned::to_owned), (*before).to_owned(), (*after).to_owned())
            };
            assert_eq!(found, expected.iter().map(owned).collect::<Vec<_>>(), "{run:?}");
        };
        check(&["python3", "/srv/{component}/{version}/app.py", "{port}"], &[(None, "/srv/api/", "/app.py")]);
        check(&["api", "--port={port}", "--tag", "{version}"], &[(Some("--tag"), "", "")]);
        check(&["{version}", "{version}:{version}"], &[]);
        check(&["sh", "-c", "exec api-{version} {port}"], &[(None, "exec api-", " 8101")]);
    }

    #[test]
    fn only_words_in_braces_can_be_unknown() {
        assert_eq!(unknown("{version} {} {A} {\"a\": 1}"), None);
        assert_eq!(unknown("{port}{prot}"), Some("prot"));
    }

    #[test]
    fn a_version_is_neither_a_path_nor_an_option() {
        for good in ["v1.2.3", "1.2.3-rc.1+build", "sha256:ab12", "2026-11-23"] {
            assert!(is_version(good), "{good}");
        }
        for bad in ["", "../v1", "a/b", "--help", ".hidden", "v1 v2", "v$(id)", &"v".repeat(129)] {
            assert!(!is_version(bad), "{bad}");
        }
    }
}
