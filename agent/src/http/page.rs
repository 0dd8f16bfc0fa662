//! Pages of lists: how many from where, and where the others are.

use axum::http::header;
use axum::response::AppendHeaders;

use super::query::{Asked, Kind, Parameter};

/// In one answer, unless said.
pub(super) const USUAL: u32 = 100;
/// In one answer, at most.
pub(super) const MOST: u32 = 1_000;

/// How many in one answer.
pub(super) const LIMIT: Parameter =
    Parameter { name: "limit", about: "How many in one answer; 100 unless said.", kind: Kind::Whole(1, MOST as u64) };
/// How many before the first one.
pub(super) const OFFSET: Parameter =
    Parameter { name: "offset", about: "How many to leave out before the first one.", kind: Kind::Whole(0, 1_000_000) };

/// A page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    limit: usize,
    offset: usize,
    total: usize,
}

impl Page {
    /// The page that is asked for, of so many.
    pub(super) fn of(asked: &Asked, total: usize) -> Self {
        Self { limit: asked.limit(USUAL) as usize, offset: asked.parsed("offset").unwrap_or(0), total }
    }

    /// Its part of the list.
    pub(super) fn cut<'a, T>(&self, list: &'a [T]) -> &'a [T] {
        let from = self.offset.min(list.len());
        let until = from.saturating_add(self.limit).min(list.len());
        list.get(from..until).unwrap_or_default()
    }

    /// The header `Link` with the next and the previous page, where there are any.
    pub(super) fn links(&self, path: &str, query: Option<&str>) -> AppendHeaders<Option<(header::HeaderName, String)>> {
        let link = |offset: usize, what: &str| {
            let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
            link(path, query, &[(LIMIT.name, number(self.limit)), (OFFSET.name, number(offset))], what)
        };
        let next = self.offset.saturating_add(self.limit);
        let previous = self.offset.min(self.total).saturating_sub(self.limit);
        let links =
            [(next < self.total).then(|| link(next, "next")), (self.offset > 0).then(|| link(previous, "prev"))];
        let links: Vec<String> = links.into_iter().flatten().collect();
        AppendHeaders((!links.is_empty()).then(|| (header::LINK, links.join(", "))))
    }
}

/// A link to the same with these parameters in the place of those that were asked for.
pub(super) fn link(path: &str, query: Option<&str>, with: &[(&str, i64)], what: &str) -> String {
    let others = query.unwrap_or_default().split('&').filter(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        !pair.is_empty() && with.iter().all(|(changed, _)| *changed != name)
    });
    let with = with.iter().map(|(name, value)| format!("{name}={value}"));
    let query: Vec<String> = with.chain(others.map(str::to_owned)).collect();
    format!("<{path}?{}>; rel=\"{what}\"", query.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_lead_to_each_other_and_end() {
        let check = |query: &str, total: usize, page: &[usize], links: &str| {
            let asked =
                Asked::of(Some(query), &[LIMIT, OFFSET, Parameter { name: "q", about: "", kind: Kind::Text(9) }]);
            let found = Page::of(&asked.unwrap(), total);
            let list: Vec<usize> = (0..total).collect();
            assert_eq!(found.cut(&list), page, "{query}");
            let AppendHeaders(header) = found.links("/all", Some(query));
            assert_eq!(header.map(|(_, value)| value).unwrap_or_default(), links, "{query}");
        };
        check("", 3, &[0, 1, 2], "");
        check("limit=2", 3, &[0, 1], "</all?limit=2&offset=2>; rel=\"next\"");
        check("limit=2&offset=2&q=%41", 3, &[2], "</all?limit=2&offset=0&q=%41>; rel=\"prev\"");
        check(
            "q=a&offset=1&limit=1",
            3,
            &[1],
            "</all?limit=1&offset=2&q=a>; rel=\"next\", </all?limit=1&offset=0&q=a>; rel=\"prev\"",
        );
        check("limit=2&offset=1000000", 3, &[], "</all?limit=2&offset=1>; rel=\"prev\"");
        check("limit=2", 0, &[], "");
    }
}
