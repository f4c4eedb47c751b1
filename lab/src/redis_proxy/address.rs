use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use url::Url;

/// Where Redis listens.
#[derive(Clone, Debug)]
pub(crate) enum Upstream {
    Socket(PathBuf),
    Address(String, u16),
}

const REDIS_PORT: u16 = 6379;

/// Where Redis listens, and what else the address says, as the query of an address of a socket.
pub(crate) fn parse_redis_url(redis_url: &str) -> Option<(Upstream, String)> {
    let url = Url::parse(redis_url).ok()?;
    match url.scheme() {
        "redis" => {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            let said = |text: &str| !text.is_empty();
            for (name, value) in [
                ("db", Some(url.path().trim_matches('/'))),
                ("user", Some(url.username())),
                ("pass", url.password()),
            ] {
                if let Some(value) = value.filter(|value| said(value)) {
                    // Encoded for the address as a whole; the query encodes in its own way.
                    query.append_pair(name, &percent_decode_str(value).decode_utf8().ok()?);
                }
            }
            let host = url.host_str().filter(|host| said(host)).unwrap_or("127.0.0.1");
            let host = host.trim_matches(['[', ']']).to_owned();
            let upstream = Upstream::Address(host, url.port().unwrap_or(REDIS_PORT));
            let query = query.finish();
            Some((upstream, if query.is_empty() { query } else { format!("?{query}") }))
        }
        "redis+unix" | "unix" => {
            let query = url.query().map_or_else(String::new, |query| format!("?{query}"));
            let path = percent_decode_str(url.path()).decode_utf8().ok()?;
            Some((Upstream::Socket(path.as_ref().into()), query))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(url: &str) -> Option<(String, String)> {
        parse_redis_url(url).map(|(upstream, query)| (format!("{upstream:?}"), query))
    }

    #[test]
    fn an_address_keeps_its_database_and_password() {
        let told_of = |upstream: &str, query: &str| Some((upstream.to_owned(), query.to_owned()));
        assert_eq!(told("redis://127.0.0.1"), told_of("Address(\"127.0.0.1\", 6379)", ""));
        assert_eq!(
            told("redis://ann:secret@redis.example:7000/3"),
            told_of("Address(\"redis.example\", 7000)", "?db=3&user=ann&pass=secret")
        );
        assert_eq!(told("redis://[::1]:7000"), told_of("Address(\"::1\", 7000)", ""));
        assert_eq!(
            told("redis+unix:///run/redis.sock?db=2"),
            told_of("Socket(\"/run/redis.sock\")", "?db=2")
        );
    }

    #[test]
    fn what_is_encoded_in_an_address_reaches_redis_as_it_was_meant() {
        for (url, asked) in [
            (
                "redis://:p%40ss%2Fw%23rd%251%2B@127.0.0.1:6390/2",
                "db=2&pass=p%40ss%2Fw%23rd%251%2B",
            ),
            ("redis://te%40m:secret@127.0.0.1", "user=te%40m&pass=secret"),
        ] {
            assert_eq!(told(url).unwrap().1, format!("?{asked}"));
        }
        let (upstream, _) = told("redis+unix:///run/my%20redis/a%25b.sock").unwrap();
        assert_eq!(upstream, "Socket(\"/run/my redis/a%b.sock\")");
    }

    #[test]
    fn nothing_is_put_before_what_is_encrypted() {
        assert_eq!(told("rediss://127.0.0.1"), None);
        assert_eq!(told("nonsense"), None);
    }
}
