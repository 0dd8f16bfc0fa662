//! The module paths that a piece of Rust names, read from its text.

/// `text` with comments and string contents turned to blanks; line breaks stay, so lines can still be counted.
pub(super) fn code(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let blank = |c: char| if c == '\n' { '\n' } else { ' ' };
    while at < chars.len() {
        let end = match (chars[at], chars.get(at + 1)) {
            ('/', Some('/')) => find(&chars, at, |c, i| c[i] == '\n'),
            ('/', Some('*')) => {
                find(&chars, at + 2, |c, i| c[i] == '*' && c.get(i + 1) == Some(&'/')).saturating_add(2)
            }
            ('r', Some('"' | '#')) if at == 0 || !is_word(chars[at - 1]) => raw_end(&chars, at),
            ('"', _) => string_end(&chars, at),
            ('\'', Some('"')) => at + 3,  // the character literal '"'
            ('\'', Some('\\')) => at + 4, // '\n', '\'', '\\'
            _ => at,
        };
        if end == at {
            out.push(chars[at]);
            at += 1;
        }
        while at < end.min(chars.len()) {
            out.push(blank(chars[at]));
            at += 1;
        }
    }
    out
}

fn find(chars: &[char], from: usize, is_end: impl Fn(&[char], usize) -> bool) -> usize {
    (from..chars.len()).find(|i| is_end(chars, *i)).unwrap_or(chars.len())
}

fn string_end(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// The end of `r"..."` or `r#"..."#`; `start` itself for a raw identifier.
fn raw_end(chars: &[char], start: usize) -> usize {
    let hashes = chars[start + 1..].iter().take_while(|c| **c == '#').count();
    if chars.get(start + 1 + hashes) != Some(&'"') {
        return start;
    }
    let closes =
        |c: &[char], i: usize| c[i] == '"' && c[i + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes;
    find(chars, start + 2 + hashes, closes) + 1 + hashes
}

pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether `word` stands in `code` by itself, not as a part of a longer one.
pub(super) fn has_word(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// The part of `code` before its test module, for what is judged in products only.
pub(super) fn product(code: &str) -> &str {
    let start = code.match_indices("#[cfg(test)]").map(|(at, _)| at);
    start
        .clone()
        .find(|at| code[*at..].trim_start_matches("#[cfg(test)]").trim_start().starts_with("mod "))
        .map_or(code, |at| &code[..at])
}

/// The module of a file, from its crate's root: `platform/local/mod.rs` is `[platform, local]`.
pub(super) fn module(file: &str) -> Vec<String> {
    let mut parts: Vec<String> = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main")) {
        parts.pop();
    }
    parts
}

/// Every path that `code` names from its own crate's root, groups written out: `crate::{a, b::{c, d}}` is `[a], [b, c], [b, d]`.
///
/// `super` is followed outside the test module only; within, it means a place one deeper than the file says.
pub(super) fn named(code: &str, module: &[String]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if !code[..at].chars().next_back().is_some_and(|c| is_word(c) || c == '$') {
            expand(code[at + "crate::".len()..].trim_start(), &mut Vec::new(), &mut found);
        }
    }
    let product = product(code);
    for (at, _) in product.match_indices("super::") {
        // The first of a chain counts the rest.
        if product[..at].chars().next_back().is_some_and(|c| is_word(c) || c == ':') {
            continue;
        }
        let mut rest = &product[at..];
        let mut place = module.to_vec();
        while let Some(tail) = rest.strip_prefix("super::") {
            place.pop();
            rest = tail;
        }
        expand(rest.trim_start(), &mut place, &mut found);
    }
    found
}

/// Reads one use-tree (or plain path) from the start of `text`, adds its leaves, and returns the rest.
fn expand<'a>(text: &'a str, place: &mut Vec<String>, found: &mut Vec<Vec<String>>) -> &'a str {
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix('}') {
                return after;
            }
            let before = rest.len();
            rest = expand(rest, place, found).trim_start();
            rest = rest.strip_prefix("as ").map_or(rest, |alias| alias.trim_start_matches(is_word)).trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest);
            if rest.len() == before {
                return rest; // not a use-tree after all
            }
        }
    }
    let name_end = text.find(|c| !is_word(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(name_end);
    if name.is_empty() {
        found.push(place.clone());
        return rest.strip_prefix('*').unwrap_or(rest);
    }
    if name != "self" {
        place.push(name.to_owned());
    }
    let rest = match rest.strip_prefix("::") {
        Some(deeper) => expand(deeper.trim_start(), place, found),
        None => {
            found.push(place.clone());
            rest
        }
    };
    if name != "self" {
        place.pop();
    }
    rest
}

#[test]
fn groups_are_written_out_and_texts_are_not_code() {
    let check = |text: &str, paths: &[&str]| {
        let found = named(&code(text), &["a".to_owned(), "b".to_owned()]);
        assert_eq!(found.iter().map(|path| path.join("::")).collect::<Vec<_>>(), paths, "{text}");
    };
    check("use crate::x;", &["x"]);
    check("use crate::{x, y::{self, Z, W as V}, q::*};", &["x", "y", "y::Z", "y::W", "q"]);
    check("use crate::{\n    x::Y,\n};\ncrate::z::f(1)", &["x::Y", "z::f"]);
    check("use super::{c, d::E};\nuse super::super::f::G;", &["a::c", "a::d::E", "f::G"]);
    check("pub(crate) fn f() {} $crate::x", &[]);
    check("// crate::x\n/* crate::y */ \"crate::\\\"z\" r#\"crate::\"w\"# '\"' crate::v", &["v"]);
    check("let c = '\\''; let s = \"crate::x\"; let r = '\\\\'; crate::y", &["y"]);
}
