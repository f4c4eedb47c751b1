//! What the address of the page asks for, and the addresses that ask for something else.

use strata_console::NodesQuery;

use crate::addresses::{at, encode};
use crate::screens::PageRequest;

/// So many caches are side by side, and are compared at a time.
pub(super) const CACHES_AT_ONCE: usize = 12;

/// What is asked for: which nodes, which caches, and whether copies are compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NodesAddress {
    pub(super) query: NodesQuery,
    /// Which page of caches, counted from 0.
    pub(super) caches: usize,
    pub(super) compares: bool,
}

impl NodesAddress {
    pub(super) fn of(request: &PageRequest) -> Self {
        let page = |name| {
            let page = request.field(name).and_then(|page| page.parse::<usize>().ok());
            page.unwrap_or(1).saturating_sub(1)
        };
        let query = NodesQuery { page: page("page"), ..NodesQuery::of(|name| request.field(name)) };
        Self { query, caches: page("caches"), compares: request.field("compare").is_some() }
    }

    /// The same with another query.
    pub(super) fn with(&self, query: NodesQuery) -> Self {
        Self { query, ..self.clone() }
    }

    /// What a form keeps that asks for other nodes: all but their names and states.
    pub(super) fn kept(&self) -> Vec<(&'static str, String)> {
        let is_kept = |(name, _): &(&str, String)| !["name", "state"].contains(name);
        self.query.fields().into_iter().filter(is_kept).chain(self.view()).collect()
    }

    /// What is shown of the nodes.
    fn view(&self) -> impl Iterator<Item = (&'static str, String)> {
        let compares = self.compares.then(|| ("compare", "1".to_owned()));
        number("caches", self.caches).into_iter().chain(compares)
    }

    /// Where it is shown.
    pub(super) fn href(&self) -> String {
        let fields = self.query.fields().into_iter().chain(self.view());
        let fields = joined(fields.chain(number("page", self.query.page)));
        let mark = if fields.is_empty() { "" } else { "?" };
        at(&format!("/nodes{mark}{fields}"))
    }

    /// The path of the rows of these nodes, as many as one answer has.
    pub(super) fn rows(&self, format: &str) -> String {
        let asked = [("format", format.to_owned()), ("limit", "1000".to_owned())];
        let fields = joined(asked.into_iter().chain(self.query.fields()));
        format!("/api/v1/nodes/rows?{fields}")
    }

    /// The caches of the page of caches that is asked for, its number, and how many there are.
    pub(super) fn shown<'a>(&self, caches: &'a [String]) -> (&'a [String], usize, usize) {
        let n_pages = caches.len().div_ceil(CACHES_AT_ONCE).max(1);
        let page = self.caches.min(n_pages - 1);
        let first = page * CACHES_AT_ONCE;
        let last = (first + CACHES_AT_ONCE).min(caches.len());
        (&caches[first..last], page, n_pages)
    }
}

/// The field of a page, which people count from 1.
fn number(name: &'static str, page: usize) -> Option<(&'static str, String)> {
    (page > 0).then(|| (name, (page + 1).to_string()))
}

fn joined(fields: impl Iterator<Item = (&'static str, String)>) -> String {
    let fields: Vec<_> = fields.map(|(name, text)| format!("{name}={}", encode(&text))).collect();
    fields.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(app: Option<&str>) -> NodesAddress {
        let query = NodesQuery {
            name: "pod 1".to_owned(),
            app: app.map(str::to_owned),
            page: 1,
            ..NodesQuery::default()
        };
        NodesAddress { query, caches: 2, compares: true }
    }

    #[test]
    fn an_address_says_all_that_is_asked_for_and_nodes_without_a_program_are_not_all_nodes() {
        let rest = "caches=3&compare=1&page=2";
        assert_eq!(address(None).href(), format!("/nodes?name=pod%201&{rest}"));
        assert_eq!(address(Some("")).href(), format!("/nodes?name=pod%201&no_app=1&{rest}"));
        assert_eq!(address(Some("api")).href(), format!("/nodes?name=pod%201&app=api&{rest}"));
        assert_eq!(NodesAddress::default().href(), "/nodes");
        let rows = "/api/v1/nodes/rows?format=csv&limit=1000&name=pod%201&no_app=1";
        assert_eq!(address(Some("")).rows("csv"), rows);
    }

    #[test]
    fn one_behind_the_last_page_of_caches_is_the_last() {
        let names: Vec<String> = (0..30).map(|n| n.to_string()).collect();
        assert_eq!(address(None).shown(&names), (&names[24..], 2, 3));
        assert_eq!(address(None).shown(&[]), (&[][..], 0, 1));
    }
}
