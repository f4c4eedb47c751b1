use std::fmt;
use std::future::Future;
use std::str::FromStr;
use std::sync::Arc;

use serde::Deserialize;

tokio::task_local! {
    static OF_REQUEST: BasePath;
}

/// The path under which browsers find the dashboard: nothing at the root of a host, else such as
/// `/cache`, without a slash at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct BasePath {
    whole: Arc<str>,
    /// How much of it is the program's; the rest leads to one of its services.
    n_program: usize,
}

/// Why a text is no base path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BasePathError {
    /// It does not begin with a slash.
    #[error("{0:?} does not begin with a slash; give it as /cache or /a/b")]
    NoSlash(String),
    /// Two slashes follow each other, so that it could name another host.
    #[error("{0:?} has an empty part; give it as /cache or /a/b")]
    EmptyPart(String),
    /// A part that leads elsewhere.
    #[error("{0:?} has a part that leads elsewhere; give it as /cache or /a/b")]
    Dots(String),
    /// A character that means something else in an address, or has to be written out there.
    #[error("{0:?} has characters other than letters, digits and -._~; give it as /cache or /a/b")]
    Characters(String),
    /// The dashboard itself has such a path, so that a proxy which strips the base and one that does
    /// not could not be told apart.
    #[error("{0:?} is a path of the dashboard itself; choose another one")]
    Taken(String),
}

/// The first parts of the dashboard's own paths. Tests compare them with its pages, routes and files.
const TAKEN: &[&str] = &[
    "activity",
    "alerts",
    "api",
    "caches",
    "demo",
    "events",
    "favicon.svg",
    "healthz",
    "keys",
    "lab",
    "login",
    "logout",
    "metrics",
    "nodes",
    "pkg",
    "readyz",
    "redis",
    "robots.txt",
    "s",
    "scripts",
];

impl BasePath {
    /// That of the request which is being answered; the root outside of one.
    pub fn of_request() -> Self {
        OF_REQUEST.try_with(Clone::clone).unwrap_or_default()
    }

    /// Answers a request under this path: every address that `answer` writes begins with it.
    pub fn scope<F: Future>(self, answer: F) -> impl Future<Output = F::Output> {
        OF_REQUEST.scope(self, answer)
    }

    /// As it stands in an address; empty at the root.
    pub fn as_str(&self) -> &str {
        &self.whole
    }

    /// That of the program, where this is the one of a service which the program shows beside others.
    pub fn of_program(&self) -> &str {
        self.whole.get(..self.n_program).unwrap_or_default()
    }

    /// What leads from the program to one of its services; empty where it is the program's own.
    pub fn of_service(&self) -> &str {
        self.whole.get(self.n_program..).unwrap_or_default()
    }

    /// That of a service which a program with this path shows below it.
    #[must_use]
    pub fn service(&self, path: &str) -> Self {
        let whole = format!("{}{path}", self.of_program());
        Self { whole: whole.trim_end_matches('/').into(), n_program: self.n_program }
    }

    /// The `Path` of a cookie that belongs to the program: whoever logs in at one of its services has
    /// logged in at all.
    pub fn of_cookies(&self) -> &str {
        match self.of_program() {
            "" => "/",
            path => path,
        }
    }

    /// An address as it is below this path; `None` where it is elsewhere.
    pub fn strip<'a>(&self, address: &'a str) -> Option<&'a str> {
        match address.strip_prefix(&*self.whole)? {
            "" => Some("/"),
            rest if rest.starts_with('/') => Some(rest),
            // A query right after it is that of its first page, which a caller has to read.
            _ => None,
        }
    }

    /// One that a proxy strips in any case, so that it may begin as a path of the dashboard itself
    /// does.
    ///
    /// # Errors
    /// Where the text is no path.
    pub fn of_proxy(text: &str) -> Result<Self, BasePathError> {
        read(text).map_err(|wrong| wrong(text.chars().take(64).collect()))
    }

    /// Whether it begins as a path of the dashboard itself does. Then a request from which it was
    /// stripped looks as one from which it was not.
    pub fn is_taken(&self) -> bool {
        self.whole.split('/').nth(1).is_some_and(|first| TAKEN.contains(&first))
    }

    /// A path that a router has found to be one.
    pub fn of_router(path: &str) -> Self {
        let path = path.trim_end_matches('/');
        Self { whole: path.into(), n_program: path.len() }
    }
}

impl FromStr for BasePath {
    type Err = BasePathError;

    fn from_str(text: &str) -> Result<Self, BasePathError> {
        let base = Self::of_proxy(text)?;
        if base.is_taken() {
            return Err(BasePathError::Taken(text.chars().take(64).collect()));
        }
        Ok(base)
    }
}

/// What is wrong with a text that is shown.
type Wrong = fn(String) -> BasePathError;

fn read(text: &str) -> Result<BasePath, Wrong> {
    let Some(path) = text.strip_prefix('/') else { return Err(BasePathError::NoSlash) };
    if path.is_empty() {
        return Ok(BasePath::default());
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    for part in path.split('/') {
        if part.is_empty() {
            return Err(BasePathError::EmptyPart);
        }
        if !part.bytes().all(is_plain) {
            return Err(BasePathError::Characters);
        }
        if part == "." || part == ".." {
            return Err(BasePathError::Dots);
        }
    }
    Ok(BasePath::of_router(&format!("/{path}")))
}

impl TryFrom<String> for BasePath {
    type Error = BasePathError;

    fn try_from(text: String) -> Result<Self, BasePathError> {
        text.parse()
    }
}

impl fmt::Display for BasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> Result<BasePath, BasePathError> {
        text.parse()
    }

    #[test]
    fn a_slash_at_its_end_says_nothing() {
        for (text, path) in [
            ("/cache", "/cache"),
            ("/cache/", "/cache"),
            ("/a/b/", "/a/b"),
            ("/", ""),
            ("/a.b~c", "/a.b~c"),
        ] {
            assert_eq!(base(text).unwrap().as_str(), path, "{text}");
        }
    }

    #[test]
    fn what_a_proxy_strips_may_begin_as_a_path_of_the_dashboard() {
        for (text, is_taken) in
            [("/api/cache", true), ("/keys/", true), ("/apis", false), ("/", false)]
        {
            assert_eq!(BasePath::of_proxy(text).unwrap().is_taken(), is_taken, "{text}");
        }
        assert!(matches!(BasePath::of_proxy("/api//x"), Err(BasePathError::EmptyPart(_))));
    }

    #[test]
    fn a_service_is_below_the_program_and_shares_its_cookies() {
        for (program, cookies) in [("/", "/"), ("/a/b", "/a/b")] {
            let program = base(program).unwrap();
            let service = program.service("/s/eu:shop/");
            assert_eq!(service.as_str(), format!("{program}/s/eu:shop"));
            assert_eq!(service.of_program(), program.as_str());
            assert_eq!(service.of_cookies(), cookies);
            assert_eq!(service.service("/s/blog").as_str(), format!("{program}/s/blog"));
        }
    }

    #[test]
    fn what_is_no_path_is_refused_by_name() {
        for text in [
            "",
            "cache",
            "/a//b",
            "//evil",
            "//",
            "/a?b",
            "/a#b",
            "/a b",
            "/a%2fb",
            "/a;b",
            "/a\\b",
            "/../a",
            "/a/./b",
            "/\u{e4}",
            "/a\nb",
            "http://host/a",
            "/\"a",
            "/{a}",
            "/keys",
            "/api/x",
        ] {
            let error = base(text).unwrap_err();
            assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        }
    }

    #[test]
    fn an_address_is_stripped_of_it_part_by_part() {
        let path = base("/a/b").unwrap();
        assert_eq!(path.strip("/a/b"), Some("/"));
        assert_eq!(path.strip("/a/b/"), Some("/"));
        assert_eq!(path.strip("/a/b/keys"), Some("/keys"));
        assert_eq!(path.strip("/a/bc"), None);
        assert_eq!(path.strip("/keys"), None);
        assert_eq!(BasePath::default().strip("/keys"), Some("/keys"));
    }
}
