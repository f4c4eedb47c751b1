use crate::screens;

/// A page.
pub(crate) struct ListedPage {
    /// Its address; a part that begins with a colon stands for any name.
    pub(crate) path: &'static str,
    /// Its name; a page of many names, such as those of caches, is named after its address.
    pub(crate) title: &'static str,
    /// The letter that leads to it, after a `g`; `None` where the navigation leaves it out.
    pub(crate) letter: Option<&'static str>,
    /// What draws it; `None` for the overview, which is made of live parts.
    pub(crate) draw: Option<screens::DrawPage>,
}

macro_rules! page {
    ($path:literal, $title:literal, $letter:expr, $draw:ident) => {
        ListedPage {
            path: $path,
            title: $title,
            letter: $letter,
            draw: Some(|request| Box::pin(screens::$draw(request))),
        }
    };
}

/// Every page, in the order of the navigation.
const PAGES: &[ListedPage] = &[
    ListedPage { path: "/", title: "Overview", letter: Some("o"), draw: None },
    page!("/caches/:cache", "", None, cache),
    page!("/keys", "Keys", Some("k"), keys),
    page!("/nodes", "Nodes", Some("n"), nodes),
    page!("/redis", "Redis", Some("r"), redis),
    page!("/activity", "Activity", Some("a"), activity),
    #[cfg(feature = "lab")]
    page!("/lab", "Lab", Some("l"), tour),
    #[cfg(feature = "lab")]
    page!("/lab/:lesson", "", None, lesson),
    #[cfg(feature = "lab")]
    page!("/lab/compare", "Compare", None, compare),
    #[cfg(feature = "lab")]
    page!("/lab/measured", "Measured", None, measured),
];

/// The path of every page, as axum writes it.
pub fn page_paths() -> impl Iterator<Item = String> {
    let part = |part: &'static str| match part.strip_prefix(':') {
        Some(name) => format!("{{{name}}}"),
        None => part.to_owned(),
    };
    PAGES.iter().map(move |page| page.path.split('/').map(part).collect::<Vec<_>>().join("/"))
}

/// The title of a document, which names the program as well.
pub(crate) fn full_title(title: &str) -> String {
    format!("{title} · Strata")
}

/// The pages of the navigation, each with its letter.
pub(crate) fn in_navigation() -> impl Iterator<Item = (&'static ListedPage, &'static str)> {
    let has_lab = has_lab();
    let pages = PAGES.iter().filter(move |page| has_lab || !page.is_of_lab());
    pages.filter_map(|page| Some((page, page.letter?)))
}

/// Whether the program has a lab.
fn has_lab() -> bool {
    #[cfg(feature = "lab")]
    return crate::api::context::lab().is_some();
    #[cfg(not(feature = "lab"))]
    false
}

impl ListedPage {
    /// Its name at an address; the page of a cache or lesson is named after that one.
    pub(super) fn title_at(&self, path: &str) -> String {
        let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or(path);
        #[cfg(feature = "lab")]
        if let (true, Some(lesson)) = (self.is_of_lab(), strata_lab::Lesson::find(last)) {
            return lesson.title.to_owned();
        }
        if self.title.is_empty() { last.to_owned() } else { self.title.to_owned() }
    }

    fn is_of_lab(&self) -> bool {
        self.path.starts_with("/lab")
    }
}

/// The page that is asked for, where the program has it.
pub(super) fn page_of(request: &screens::PageRequest) -> Option<&'static ListedPage> {
    page_at(request.path()).filter(|page| request.has_lab() || !page.is_of_lab())
}

/// The page at a path; one that is listed by its own address before one that takes any name.
fn page_at(path: &str) -> Option<&'static ListedPage> {
    let wanted = parts(path);
    let is_named = |(part, wanted): (&&str, &&str)| part == wanted || part.starts_with(':');
    let is_at = |page: &&ListedPage| {
        let listed = parts(page.path);
        listed.len() == wanted.len() && listed.iter().zip(&wanted).all(is_named)
    };
    PAGES.iter().find(|page| parts(page.path) == wanted).or_else(|| PAGES.iter().find(is_at))
}

fn parts(path: &str) -> Vec<&str> {
    path.split('/').filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_dashboard_is_put_under_the_path_of_a_page() {
        for path in page_paths() {
            let first = path.split('/').nth(1).unwrap_or_default();
            if first.is_empty() {
                continue;
            }
            let base = format!("/{first}").parse::<crate::BasePath>();
            assert!(matches!(base, Err(crate::base_path::BasePathError::Taken(_))), "{first}");
        }
    }

    #[test]
    fn a_page_is_found_by_its_address() {
        let at = |path: &str| page_at(path).map(|page| page.path);
        assert_eq!(at("/"), Some("/"));
        assert_eq!(at("/caches/users"), Some("/caches/:cache"));
        for none in ["/caches", "/caches/", "/caches/users/more", "/none"] {
            assert_eq!(at(none), None, "{none}");
        }
        #[cfg(feature = "lab")]
        assert_eq!(at("/lab/compare"), Some("/lab/compare"));
    }

    #[test]
    fn an_address_that_ends_with_a_slash_is_that_of_the_same_page() {
        let at = |path: &str| page_at(path).map(|page| page.path);
        assert_eq!(at("/keys/"), Some("/keys"));
        assert_eq!(at("/caches/users/"), Some("/caches/:cache"));
        #[cfg(feature = "lab")]
        for (path, page) in [
            ("/lab/compare/", "/lab/compare"),
            ("/lab/measured/", "/lab/measured"),
            ("/lab/herd/", "/lab/:lesson"),
        ] {
            assert_eq!(at(path), Some(page));
        }
        let title_of = |path: &str| page_at(path).unwrap().title_at(path);
        assert_eq!(title_of("/"), "Overview");
        assert_eq!(title_of("/keys/"), "Keys");
        assert_eq!(title_of("/caches/users/"), "users");
    }

    #[test]
    fn a_page_of_many_names_is_named_after_its_address() {
        let title_of = |path: &str| page_at(path).unwrap().title_at(path);
        assert_eq!(title_of("/nodes"), "Nodes");
        assert_eq!(title_of("/caches/users"), "users");
    }

    #[test]
    fn no_two_pages_have_the_same_address_or_letter() {
        for (i, page) in PAGES.iter().enumerate() {
            let mut others = PAGES[i + 1..].iter();
            let is_same = |other: &ListedPage| {
                other.path == page.path || page.letter.is_some() && other.letter == page.letter
            };
            assert!(!others.any(is_same), "{}", page.path);
        }
    }

    /// The list as browser tests and screenshots read it.
    #[cfg(feature = "lab")]
    #[test]
    fn browser_tests_know_every_page() {
        let row = |page: &ListedPage| serde_json::json!({ "path": page.path, "title": page.title, "letter": page.letter });
        let listed: Vec<_> = PAGES.iter().map(row).collect();
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../end2end/support/pages.json");
        let known: Vec<serde_json::Value> =
            serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let wanted = serde_json::to_string(&listed).unwrap();
        assert_eq!(known, listed, "end2end/support/pages.json should be: {wanted}");
    }
}
