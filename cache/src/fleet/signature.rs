//! Signed asks, and signed wishes for events: HMAC-SHA-256 over all that is asked, with a key that
//! nodes and consoles share.

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use strata_report::{Ask, EventRequest, Want};

/// The key that a fleet's nodes and consoles share. Never printed.
#[derive(Clone)]
pub(crate) struct FleetKey(Arc<[u8]>);

impl FleetKey {
    /// `None` where it is empty.
    pub(crate) fn new(key: &str) -> Option<Self> {
        let key = key.trim();
        (!key.is_empty()).then(|| Self(Arc::from(key.as_bytes())))
    }

    /// The signature of an ask, in hexadecimal digits.
    pub(super) fn sign(&self, namespace: &str, ask: &Ask) -> String {
        let code = self.code(namespace, ask).map(|code| code.finalize().into_bytes());
        code.iter().flatten().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether the ask's signature fits what it asks. Takes as long for each that does not.
    pub(super) fn fits(&self, namespace: &str, ask: &Ask) -> bool {
        let (Some(code), Some(signature)) = (self.code(namespace, ask), bytes_of(&ask.signature))
        else {
            return false;
        };
        code.verify_slice(&signature).is_ok()
    }

    /// The signature of events that a console wants, in hexadecimal digits.
    pub(super) fn sign_events(
        &self,
        namespace: &str,
        want: &Want,
        wanted: &EventRequest,
    ) -> String {
        let code = self.code_of_events(namespace, want, wanted);
        let code = code.map(|code| code.finalize().into_bytes());
        code.iter().flatten().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether the signature fits the events that are wanted.
    pub(super) fn fits_events(&self, namespace: &str, want: &Want, wanted: &EventRequest) -> bool {
        let code = self.code_of_events(namespace, want, wanted);
        let (Some(code), Some(signature)) = (code, bytes_of(&wanted.signature)) else {
            return false;
        };
        code.verify_slice(&signature).is_ok()
    }

    fn code_of_events(
        &self,
        namespace: &str,
        want: &Want,
        wanted: &EventRequest,
    ) -> Option<Hmac<Sha256>> {
        let (until, n_nodes) = (want.until_ms.to_string(), wanted.nodes.len().to_string());
        // No ask begins like that: its protocol is a number.
        let mut parts = vec!["events", namespace, &want.console, &until, &wanted.cache, &n_nodes];
        parts.extend(wanted.nodes.iter().chain(&wanted.keys).map(String::as_str));
        self.code_of(&parts)
    }

    fn code(&self, namespace: &str, ask: &Ask) -> Option<Hmac<Sha256>> {
        let (protocol, deadline) = (ask.protocol.to_string(), ask.deadline_ms.to_string());
        let receiver = match &ask.to {
            Some(node) => format!("node:{node}"),
            None => "all".to_owned(),
        };
        let parts = [
            &*protocol,
            namespace,
            &ask.console,
            &ask.id,
            &receiver,
            &ask.kind,
            &ask.body,
            &deadline,
            &ask.actor,
        ];
        self.code_of(&parts)
    }

    /// Each part goes in after its length, so that no two that differ look alike.
    fn code_of(&self, parts: &[&str]) -> Option<Hmac<Sha256>> {
        // Keys of any length fit.
        let mut code = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        for part in parts {
            code.update(&(part.len() as u64).to_be_bytes());
            code.update(part.as_bytes());
        }
        Some(code)
    }
}

fn bytes_of(hexadecimal: &str) -> Option<Vec<u8>> {
    let digits = hexadecimal.as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    digits.len().is_multiple_of(2).then(|| digits.chunks_exact(2).map(byte).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask() -> Ask {
        Ask {
            protocol: 1,
            id: "1".to_owned(),
            console: "c".to_owned(),
            to: Some("pod-7".to_owned()),
            actor: "anna".to_owned(),
            kind: "look_l1".to_owned(),
            body: "{}".to_owned(),
            deadline_ms: 5,
            signature: String::new(),
        }
    }

    #[test]
    fn a_signature_fits_the_ask_that_it_was_made_for_and_no_other() {
        let key = FleetKey::new("secret").unwrap();
        let signed = Ask { signature: key.sign("shop", &ask()), ..ask() };
        assert_eq!(signed.signature.len(), 64);
        assert!(key.fits("shop", &signed));
        let text = |text: &str| text.to_owned();
        let altered = [
            Ask { protocol: 2, ..signed.clone() },
            Ask { id: text("2"), ..signed.clone() },
            Ask { console: text("d"), ..signed.clone() },
            Ask { to: Some(text("pod-8")), ..signed.clone() },
            Ask { to: None, ..signed.clone() },
            Ask { actor: text("bert"), ..signed.clone() },
            Ask { kind: text("refresh"), ..signed.clone() },
            Ask { body: text("{ }"), ..signed.clone() },
            Ask { deadline_ms: 6, ..signed.clone() },
            // The same texts, cut elsewhere.
            Ask { id: text("1p"), to: Some(text("od-7")), ..signed.clone() },
            Ask { signature: String::new(), ..signed.clone() },
            Ask { signature: text("zz"), ..signed.clone() },
            Ask { signature: signed.signature[2..].to_owned(), ..signed.clone() },
        ];
        for altered in &altered {
            assert!(!key.fits("shop", altered), "{altered:?}");
        }
        assert!(!key.fits("shop-2", &signed));
        assert!(!FleetKey::new("another").unwrap().fits("shop", &signed));
    }

    #[test]
    fn events_that_somebody_else_wants_or_of_another_key_are_not_signed_for() {
        let key = FleetKey::new("secret").unwrap();
        let text = |text: &str| vec![text.to_owned()];
        let want = Want { console: "c".to_owned(), until_ms: 5, ..Want::default() };
        let wanted = EventRequest {
            cache: "users".to_owned(),
            nodes: text("pod-7"),
            keys: text("42"),
            ..EventRequest::default()
        };
        let signature = key.sign_events("shop", &want, &wanted);
        let released = "4b305b51ac74936ce41d3dffb81d20c28d78c918bc0a6d561d08ea7c0d25af85";
        assert_eq!(signature, released, "consoles of this release sign like that for ever");
        let signed = EventRequest { signature, ..wanted.clone() };
        assert!(key.fits_events("shop", &want, &signed));
        assert!(!key.fits_events("shop", &want, &wanted), "it has no signature");
        assert!(!key.fits_events("shop-2", &want, &signed));
        for other in
            [Want { console: "d".to_owned(), ..want.clone() }, Want { until_ms: 6, ..want.clone() }]
        {
            assert!(!key.fits_events("shop", &other, &signed), "{other:?}");
        }
        for altered in [
            EventRequest { cache: "posts".to_owned(), ..signed.clone() },
            EventRequest { nodes: text("pod-8"), ..signed.clone() },
            EventRequest { keys: text("43"), ..signed.clone() },
            EventRequest { keys: Vec::new(), ..signed.clone() },
            EventRequest {
                nodes: vec!["pod-7".to_owned(), "42".to_owned()],
                keys: Vec::new(),
                ..signed
            },
        ] {
            assert!(!key.fits_events("shop", &want, &altered), "{altered:?}");
        }
    }
}
