use std::fmt::Write as _;

use strata_report::{Job, Scope};

/// A path of the dashboard as an address: below the path under which browsers find it. On the server
/// that is known of the request which is answered, in a browser by the document.
pub fn at(path: &str) -> String {
    let base = base();
    // The first page is at the base itself, whether a router takes a slash at its end or not.
    let below = if base.is_empty() {
        path
    } else {
        path.strip_prefix('/').filter(is_first).unwrap_or(path)
    };
    base + below
}

// Of the address of the first page, what comes after its slash.
fn is_first(rest: &&str) -> bool {
    rest.is_empty() || rest.starts_with('?')
}

/// Where browsers find the dashboard; nothing where that is the root of a host.
#[cfg(feature = "ssr")]
pub(crate) fn base() -> String {
    crate::base_path::BasePath::of_request().as_str().to_owned()
}

/// As on the server.
#[cfg(not(feature = "ssr"))]
pub(crate) fn base() -> String {
    let root = leptos::prelude::document().document_element();
    root.and_then(|root| root.get_attribute("data-base")).unwrap_or_default()
}

/// A path of the program as an address, where [`at`] leads to one of the services that it shows.
#[cfg(feature = "ssr")]
pub fn at_program(path: &str) -> String {
    let base = crate::base_path::BasePath::of_request();
    format!("{}{path}", base.of_program())
}

/// The path of a page's address below the base. One that is elsewhere is left as it is.
pub(crate) fn below_base(path: &str) -> &str {
    stripped(path, &base()).unwrap_or(path)
}

/// Whether a path is one of the dashboard, which may be a part of another program.
#[cfg(any(feature = "csr", test))]
pub(crate) fn is_below_base(path: &str) -> bool {
    stripped(path, &base()).is_some()
}

fn stripped<'a>(path: &'a str, base: &str) -> Option<&'a str> {
    match path.strip_prefix(base)? {
        "" => Some("/"),
        rest => rest.starts_with('/').then_some(rest),
    }
}

/// Where a cache has its page.
pub(crate) fn cache_address(cache: &str) -> String {
    at(&format!("/caches/{}", encode(cache)))
}

/// A text as a part of an address.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~:*,".contains(&byte) {
            out.push(byte as char);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Where one key is looked at.
pub(crate) fn key_address(cache: &str, key: &str) -> String {
    at(&format!("/keys?cache={}&key={}", encode(cache), encode(key)))
}

/// Where the keys that match are listed.
pub(crate) fn pattern_address(cache: &str, pattern: &str) -> String {
    at(&format!("/keys?cache={}&pattern={}", encode(cache), encode(pattern)))
}

/// Whether the page at `path` is the one that a link of the navigation leads to, or lies below it.
pub(crate) fn leads_to(link: &str, path: &str) -> bool {
    let (link, path) = (link.trim_end_matches('/'), path.trim_end_matches('/'));
    let below = path.strip_prefix(link).filter(|_| !link.is_empty());
    path == link || below.is_some_and(|rest| rest.starts_with('/'))
}

/// Where a job is watched, and told once it has ended.
pub(crate) fn job_address(job: &Job) -> String {
    let beside = match job.scope {
        Scope::Key => key_address(&job.cache, &job.target),
        _ => pattern_address(&job.cache, &job.target),
    };
    format!("{beside}&job={}", job.id)
}

/// Where the dead letters of a cache are listed.
#[cfg(feature = "ssr")]
pub(crate) fn dead_letters_address(cache: &str) -> String {
    format!("{}?view=dead-letters", cache_address(cache))
}

/// Where a run of the lab is watched.
#[cfg(feature = "lab")]
pub(crate) fn run_address(topic: &str, id: &str) -> String {
    at(&format!("/lab/{topic}?run={}", encode(id)))
}

/// Where strategies are compared.
#[cfg(feature = "lab")]
pub const COMPARE_PATH: &str = "/lab/compare";

/// Where a comparison can be run, and shared.
#[cfg(feature = "lab")]
pub fn comparison_address(comparison: &strata_lab::Comparison) -> String {
    let field = |(name, text): (String, String)| format!("{}={}", encode(&name), encode(&text));
    let fields: Vec<String> = comparison.fields().into_iter().map(field).collect();
    at(&format!("{COMPARE_PATH}?{}", fields.join("&")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "ssr")]
    #[tokio::test]
    async fn every_address_is_below_the_base_of_the_request() {
        assert_eq!(at("/keys"), "/keys");
        assert_eq!(at("/"), "/");
        let base: crate::base_path::BasePath = "/a/b".parse().unwrap();
        base.scope(async {
            for (path, address) in [
                ("/", "/a/b"),
                ("/?x=1", "/a/b?x=1"),
                ("/keys", "/a/b/keys"),
                ("/api/v1", "/a/b/api/v1"),
            ] {
                assert_eq!(at(path), address);
            }
            assert_eq!(key_address("users", "1"), "/a/b/keys?cache=users&key=1");
            for (address, path) in
                [("/a/b", "/"), ("/a/b/keys", "/keys"), ("/a/bc", "/a/bc"), ("/x", "/x")]
            {
                assert_eq!(below_base(address), path);
                assert_eq!(is_below_base(address), address != path);
            }
        })
        .await;
    }

    #[test]
    fn what_means_something_in_an_address_is_written_out() {
        assert_eq!(encode("author:4:*"), "author:4:*");
        assert_eq!(encode("a b&c=ä"), "a%20b%26c%3D%C3%A4");
        assert_eq!(key_address("users", "<1>"), "/keys?cache=users&key=%3C1%3E");
    }

    #[test]
    fn a_link_of_the_navigation_leads_to_its_page_and_those_below() {
        for (link, path, leads) in [
            ("/", "/", true),
            ("/", "/keys", false),
            ("/keys", "/keys/", true),
            ("/lab", "/lab/stampede", true),
            ("/lab", "/labels", false),
        ] {
            assert_eq!(leads_to(link, path), leads, "{link} {path}");
        }
    }

    #[test]
    fn a_job_stands_beside_what_it_is_about() {
        let mut job = Job { id: 7, cache: "users".into(), target: "4?".into(), ..Job::default() };
        assert_eq!(job_address(&job), "/keys?cache=users&key=4%3F&job=7");
        job.scope = Scope::Pattern;
        assert_eq!(job_address(&job), "/keys?cache=users&pattern=4%3F&job=7");
    }
}
