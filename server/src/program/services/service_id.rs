use std::fmt;

use percent_encoding::percent_decode_str;
use strata_app::encode;

/// Names a service: its namespace, and the name of its Redis where that has one. As a text and in
/// addresses it is `shop` or `eu:shop`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ServiceId {
    pub(super) redis: Option<String>,
    pub(super) namespace: String,
}

impl ServiceId {
    pub(super) fn new(redis: Option<&str>, namespace: &str) -> Self {
        Self { redis: redis.map(str::to_owned), namespace: namespace.to_owned() }
    }

    /// The path below that of the program.
    pub(super) fn path(&self) -> String {
        path_of(&self.to_string())
    }
}

/// The path below that of the program, for the name of a service as it is in addresses.
pub(super) fn path_of(name: &str) -> String {
    format!("/s/{}", encode(name))
}

impl fmt::Display for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.redis {
            Some(redis) => write!(f, "{redis}:{}", self.namespace),
            None => f.write_str(&self.namespace),
        }
    }
}

/// The name of a service in a path, and what comes after it; `None` where the path names none.
pub(super) fn of_path(path: &str) -> Option<(String, &str)> {
    let below = path.strip_prefix("/s/")?;
    let end = below.find('/').unwrap_or(below.len());
    let (name, rest) = below.split_at(end);
    let name = percent_decode_str(name).decode_utf8_lossy().into_owned();
    Some((name, if rest.is_empty() { "/" } else { rest }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_service_however_it_is_written() {
        for (path, name, rest) in [
            ("/s/shop", "shop", "/"),
            ("/s/shop/", "shop", "/"),
            ("/s/%73hop/keys", "shop", "/keys"),
            ("/s/eu:shop/keys/a%2Fb", "eu:shop", "/keys/a%2Fb"),
            ("/s/eu%3Ashop/", "eu:shop", "/"),
            ("/s/s/s/x", "s", "/s/x"),
            ("/s/api/api/v1/nodes", "api", "/api/v1/nodes"),
            ("/s/a%2Fb/c", "a/b", "/c"),
            ("/s//x", "", "/x"),
            ("/s/%FF", "\u{fffd}", "/"),
        ] {
            assert_eq!(of_path(path), Some((name.to_owned(), rest)), "{path}");
        }
        for path in ["/", "/s", "/nodes", "/st/shop"] {
            assert_eq!(of_path(path), None, "{path}");
        }
    }

    #[test]
    fn the_same_namespace_in_two_redis_is_two_services() {
        let (eu, us) = (ServiceId::new(Some("eu"), "shop"), ServiceId::new(Some("us"), "shop"));
        assert_eq!((eu.path(), us.path()), ("/s/eu:shop".into(), "/s/us:shop".into()));
        assert_eq!(ServiceId::new(None, "shop").path(), "/s/shop");
    }
}
