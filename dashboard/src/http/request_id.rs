use std::hash::{BuildHasher, RandomState};
use std::time::Instant;

use axum::http::{HeaderMap, HeaderName, HeaderValue};

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_ID_CHARS: usize = 128;

/// The id of a request, in its extensions. Its answer and its lines of the log carry it.
#[derive(Clone, Debug)]
pub struct RequestId(pub(crate) HeaderValue);

impl RequestId {
    /// As text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// The one that the client or a proxy has given it, where that can stand in a log; else a new
    /// one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(REQUEST_ID).filter(|id| is_sane(id));
        Self(given.cloned().unwrap_or_else(new_id))
    }
}

fn is_sane(id: &HeaderValue) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(byte);
    (1..=MAX_ID_CHARS).contains(&id.len()) && id.as_bytes().iter().all(is_plain)
}

fn new_id() -> HeaderValue {
    // Keys of its own each time, so that no two are alike.
    let random = RandomState::new().hash_one(Instant::now());
    let id = HeaderValue::from_str(&format!("{random:016x}"));
    id.unwrap_or(HeaderValue::from_static("none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_for(given: &'static str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(REQUEST_ID, HeaderValue::from_static(given));
        RequestId::of(&headers).as_str().to_owned()
    }

    #[test]
    fn an_id_that_is_given_is_kept_where_it_can_stand_in_a_log() {
        let kept = "Root=1-67891233-abcdef012345678912345678";
        assert_eq!(id_for(kept), kept);
        for odd in ["", "a b", "x\"y", "a\tb", "<b>", &*"x".repeat(129).leak()] {
            let made = id_for(odd);
            assert!(made != odd && made.len() == 16, "{odd:?}: {made}");
        }
    }

    #[test]
    fn no_two_requests_get_the_same_id() {
        let ids: Vec<_> = (0..1_000).map(|_| new_id()).collect();
        let distinct: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
    }
}
