use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// For names that change with the content.
pub(crate) const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// For all others: a browser asks whether what it has is still the same.
const UNTIL_CHANGED: &str = "no-cache";

/// A file that browsers get.
pub(super) struct File {
    /// Where it is served.
    pub(super) path: &'static str,
    /// Of its content.
    pub(super) hash: &'static str,
    pub(super) plain: &'static [u8],
    /// The same with brotli, and with gzip, where it was compressed.
    pub(super) br: Option<&'static [u8]>,
    pub(super) gz: Option<&'static [u8]>,
}

impl File {
    /// Answers a request with these headers.
    pub(super) fn answer(&self, asked: &HeaderMap) -> Response {
        let (encoding, content) = self.encoded(asked);
        // Each form of it has a tag of its own.
        let tag = format!("\"{}{encoding}\"", self.hash);
        let cached = if self.path.contains(self.hash) { FOR_EVER } else { UNTIL_CHANGED };
        let mut headers = HeaderMap::new();
        let mut add = |name: HeaderName, value: &str| {
            // All of it is plain text.
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        add(header::CACHE_CONTROL, cached);
        add(header::ETAG, &tag);
        add(header::VARY, "accept-encoding");
        if knows(asked, &tag) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        add(header::CONTENT_TYPE, self.content_type());
        if !encoding.is_empty() {
            add(header::CONTENT_ENCODING, encoding);
        }
        (headers, Bytes::from_static(content)).into_response()
    }

    /// The smallest form that the client takes, and its name; the plain one has none.
    fn encoded(&self, asked: &HeaderMap) -> (&'static str, &'static [u8]) {
        let forms = [("br", self.br), ("gzip", self.gz)];
        let taken = forms
            .into_iter()
            .find_map(|(name, content)| accepts(asked, name).then_some(name).zip(content));
        taken.unwrap_or(("", self.plain))
    }

    fn content_type(&self) -> &'static str {
        match self.path.rsplit('.').next() {
            Some("css") => "text/css; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("wasm") => "application/wasm",
            Some("svg") => "image/svg+xml",
            Some("txt") => "text/plain; charset=utf-8",
            _ => "application/octet-stream",
        }
    }
}

/// Whether the client takes an encoding: it names it, and not with the weight 0.
fn accepts(asked: &HeaderMap, encoding: &str) -> bool {
    let mut items = listed(asked, &header::ACCEPT_ENCODING);
    items.any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let is_named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding));
        let mut weights = parts.filter_map(weight);
        is_named && weights.next().is_none_or(|weight| weight > 0.0)
    })
}

fn weight(parameter: &str) -> Option<f32> {
    let (name, value) = parameter.split_once('=')?;
    name.eq_ignore_ascii_case("q").then(|| value.parse().ok()).flatten()
}

/// Whether the client has this very form.
fn knows(asked: &HeaderMap, tag: &str) -> bool {
    let mut tags = listed(asked, &header::IF_NONE_MATCH);
    tags.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// What a header lists with commas, on all its lines.
fn listed<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    const STYLE: File = File {
        path: "/pkg/strata.1f.css",
        hash: "1f",
        plain: b"plain",
        br: Some(b"small"),
        gz: Some(b"middle"),
    };

    fn asked(headers: &[(HeaderName, &str)]) -> HeaderMap {
        let header = |(name, value): &(HeaderName, &str)| (name.clone(), value.parse().unwrap());
        headers.iter().map(header).collect()
    }

    async fn body(accepted: &str) -> (String, String) {
        let answer = STYLE.answer(&asked(&[(header::ACCEPT_ENCODING, accepted)]));
        let encoding = answer.headers().get(header::CONTENT_ENCODING).cloned();
        let encoding = encoding.map_or(String::new(), |name| name.to_str().unwrap().to_owned());
        let body = to_bytes(answer.into_body(), 100).await.unwrap();
        (encoding, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn the_smallest_form_that_a_client_takes_is_sent() {
        for (accepted, encoding, content) in [
            ("gzip, deflate, br, zstd", "br", "small"),
            ("gzip;q=1.0, br;q=0", "gzip", "middle"),
            ("GZIP", "gzip", "middle"),
            ("gzip, br;Q=0", "gzip", "middle"),
            ("br;q=0.0, gzip; q=0.000", "", "plain"),
            ("brotli", "", "plain"),
            ("identity", "", "plain"),
            ("", "", "plain"),
        ] {
            assert_eq!(
                body(accepted).await,
                (encoding.to_owned(), content.to_owned()),
                "{accepted}"
            );
        }
    }

    #[test]
    fn a_file_is_sent_once_and_asked_for_no_more() {
        let first = STYLE.answer(&asked(&[(header::ACCEPT_ENCODING, "br")]));
        assert_eq!(first.headers()[header::CACHE_CONTROL], FOR_EVER);
        assert_eq!(first.headers()[header::VARY], "accept-encoding");
        assert_eq!(first.headers()[header::CONTENT_TYPE], "text/css; charset=utf-8");
        let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
        for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
            let again = [(header::ACCEPT_ENCODING, "br"), (header::IF_NONE_MATCH, known.as_str())];
            assert_eq!(STYLE.answer(&asked(&again)).status(), StatusCode::NOT_MODIFIED, "{known}");
        }
        let plain = STYLE.answer(&asked(&[(header::IF_NONE_MATCH, tag.as_str())]));
        assert_eq!(plain.status(), StatusCode::OK, "another form of it has another tag");
    }

    #[test]
    fn a_name_that_stays_is_asked_for_again() {
        let icon = File { path: "/favicon.svg", ..STYLE };
        assert_eq!(icon.answer(&HeaderMap::new()).headers()[header::CACHE_CONTROL], UNTIL_CHANGED);
    }
}
