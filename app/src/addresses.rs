use std::fmt::Write as _;

use strata_report::{Job, Scope};

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
    format!("/keys?cache={}&key={}", encode(cache), encode(key))
}

/// Where the keys that match are listed.
pub(crate) fn pattern_address(cache: &str, pattern: &str) -> String {
    format!("/keys?cache={}&pattern={}", encode(cache), encode(pattern))
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
    format!("/caches/{}?view=dead-letters", encode(cache))
}

/// Where a run of the lab is watched.
#[cfg(feature = "lab")]
pub(crate) fn run_address(topic: &str, id: &str) -> String {
    format!("/lab/{topic}?run={}", encode(id))
}

/// Where strategies are compared.
#[cfg(feature = "lab")]
pub const COMPARE_PATH: &str = "/lab/compare";

/// Where a comparison can be run, and shared.
#[cfg(feature = "lab")]
pub fn comparison_address(comparison: &strata_lab::Comparison) -> String {
    let field = |(name, text): (String, String)| format!("{}={}", encode(&name), encode(&text));
    let fields: Vec<String> = comparison.fields().into_iter().map(field).collect();
    format!("{COMPARE_PATH}?{}", fields.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

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
