//! HAProxy's configuration as sections of lines. Nothing is interpreted but what a line's first words say.

/// The words that begin a section; all else belongs to the one before.
const KEYWORDS: [&str; 21] = [
    "acme",
    "backend",
    "cache",
    "crt-store",
    "defaults",
    "fcgi-app",
    "frontend",
    "global",
    "http-errors",
    "listen",
    "log-forward",
    "log-profile",
    "mailers",
    "namespace_list",
    "peers",
    "program",
    "resolvers",
    "ring",
    "traces",
    "userlist",
    "healthcheck",
];

/// One section and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section<'a> {
    keyword: &'a str,
    /// Empty where it has none.
    pub(super) name: &'a str,
    /// HTTP, by itself or by the defaults that it has.
    pub(super) http: bool,
    /// The number of its first line, counted from 0.
    first: usize,
    lines: Vec<&'a str>,
}

/// All sections, in their order.
pub(super) fn sections(text: &str) -> Vec<Section<'_>> {
    let mut found: Vec<Section<'_>> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let words = words(line);
        match words.first() {
            Some(keyword) if KEYWORDS.contains(keyword) => {
                let name = words.get(1).copied().unwrap_or_default();
                let inherited = match words.iter().position(|word| *word == "from") {
                    Some(at) => found.iter().rfind(|one| one.is("defaults") && words.get(at + 1) == Some(&one.name)),
                    // Without a name, the last defaults before; other defaults have none.
                    None => found.iter().rfind(|one| one.is("defaults") && *keyword != "defaults"),
                };
                let http = inherited.is_some_and(|defaults| defaults.http);
                found.push(Section { keyword, name, http, first: number, lines: vec![line] });
            }
            first => {
                let Some(section) = found.last_mut() else { continue };
                if first == Some(&"mode") {
                    section.http = words.get(1) == Some(&"http");
                }
                section.lines.push(line);
            }
        }
    }
    found
}

impl Section<'_> {
    pub(super) fn is(&self, keyword: &str) -> bool {
        self.keyword == keyword
    }

    /// Whether a line begins with this word.
    pub(super) fn has(&self, first: &str) -> bool {
        self.directives().any(|words| words.first() == Some(&first))
    }

    /// Whether requests are handed to this back end.
    pub(super) fn hands_to(&self, backend: &str) -> bool {
        let hands = |first: &str| matches!(first, "use_backend" | "default_backend");
        self.directives().any(|words| words.first().is_some_and(|first| hands(first)) && words.get(1) == Some(&backend))
    }

    /// Whether one of its directives has this word, whatever its case.
    pub(super) fn mentions(&self, word: &str) -> bool {
        self.directives().flatten().any(|one| one.eq_ignore_ascii_case(word))
    }

    /// Where a line goes that is to be asked before all that hand requests on: its number, and how it is indented.
    pub(super) fn before_its_backends(&self) -> (usize, String) {
        let hands = |line: &str| matches!(words(line).first(), Some(&"use_backend" | &"default_backend"));
        let Some(at) = self.lines.iter().position(|line| hands(line)) else { return self.end() };
        // A comment belongs to the line below it.
        let comments = self.lines[..at].iter().rev().take_while(|line| line.trim_start().starts_with('#')).count();
        (self.first + at - comments, indent(self.lines[at]))
    }

    /// Where a line goes that is to be the last one.
    pub(super) fn end(&self) -> (usize, String) {
        let last = self.lines.iter().rposition(|line| !words(line).is_empty()).unwrap_or(0);
        let indented = if last == 0 { "  ".to_owned() } else { indent(self.lines[last]) };
        (self.first + last + 1, indented)
    }

    fn directives(&self) -> impl Iterator<Item = Vec<&str>> {
        self.lines.iter().map(|line| words(line))
    }
}

fn indent(line: &str) -> String {
    line.chars().take_while(|c| c.is_whitespace()).collect()
}

/// The words of a line, up to a comment.
fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().take_while(|word| !word.starts_with('#')).collect()
}
