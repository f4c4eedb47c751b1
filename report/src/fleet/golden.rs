//! This release's forms, as they were released.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::*;
use crate::{CacheReport, Event, NodeReport, What};

/// A released form reads as this value, and the value is written in that form.
fn is_released<T>(golden: &str, value: &T)
where
    T: Serialize + DeserializeOwned + Default + PartialEq + Debug,
{
    assert_eq!(&serde_json::from_str::<T>(golden).unwrap(), value);
    let written = serde_json::to_string_pretty(value).unwrap();
    assert_eq!(written.trim(), golden.trim(), "the form has changed: add a new file, keep this");
    assert_eq!(serde_json::from_str::<T>("{}").unwrap(), T::default(), "all may be left out");
    let later = golden.replacen('{', r#"{"what_comes_later": [1, {}],"#, 1);
    assert_eq!(&serde_json::from_str::<T>(&later).unwrap(), value, "more may be added");
}

fn card() -> NodeCard {
    NodeCard {
        protocol: 1,
        node: "pod-7".to_owned(),
        run: "00ff00ff00ff00ff".to_owned(),
        app: "shop-api".to_owned(),
        version: "2.1.0".to_owned(),
        strata: "0.1.0".to_owned(),
        environment: "production".to_owned(),
        host: "pod-7".to_owned(),
        pid: 1,
        started_at_ms: 1_763_000_000_000,
        caches: vec!["users".to_owned()],
        labels: BTreeMap::from([("zone".to_owned(), "eu".to_owned())]),
        can: vec!["look_l1".to_owned()],
        policy: FleetPolicy { looks: true, ..FleetPolicy::default() },
        signed: true,
        interval_ms: 1_000,
    }
}

fn report() -> FleetReport {
    let cache = CacheReport { cache: "users".to_owned(), l2_puts: 3, ..CacheReport::default() };
    let report = NodeReport {
        node: "pod-7".to_owned(),
        version: "2.1.0".to_owned(),
        started_at_ms: 1_763_000_000_000,
        at_ms: 1_763_000_001_000,
        caches: vec![cache],
        ..NodeReport::default()
    };
    FleetReport {
        protocol: 1,
        run: "00ff00ff00ff00ff".to_owned(),
        beat: 7,
        interval_ms: 1_000,
        acted_on: 12,
        report,
        detailed: vec!["users".to_owned()],
        cut: 2,
        asks: AskCounts { answered: 1, repeated: 1, ..AskCounts::default() },
    }
}

fn want() -> Want {
    let (cache, nodes) = ("users".to_owned(), vec!["pod-7".to_owned()]);
    let events = EventRequest { cache, nodes, ..EventRequest::default() };
    Want {
        until_ms: 1_763_000_010_000,
        interval_ms: 1_000,
        details: vec!["users".to_owned()],
        events: vec![events],
        console: String::new(),
    }
}

/// What is wanted of the events of a key.
fn want_of_key() -> Want {
    let all = want();
    let events = all.events.into_iter().map(|wanted| EventRequest {
        keys: vec!["42".to_owned()],
        signature: "00".repeat(32),
        ..wanted
    });
    Want { events: events.collect(), console: "fedcba0987654321".to_owned(), ..all }
}

fn events() -> NodeEvents {
    let event = Event {
        seq: 12,
        at_ms: 1_763_000_001_000,
        node: "pod-7".to_owned(),
        cache: "users".to_owned(),
        key: Some("42".to_owned()),
        what: What::Loaded { took_us: 1_500 },
    };
    NodeEvents {
        protocol: 1,
        node: "pod-7".to_owned(),
        run: "00ff00ff00ff00ff".to_owned(),
        cache: "users".to_owned(),
        events: vec![event],
        last: 12,
        dropped: 3,
    }
}

fn ask() -> Ask {
    Ask {
        protocol: 1,
        id: "1234567890abcdef".to_owned(),
        console: "fedcba0987654321".to_owned(),
        to: Some("pod-7".to_owned()),
        actor: "anna".to_owned(),
        kind: AskKind::LookL1.as_str().to_owned(),
        body: r#"{"cache":"users","key":"1"}"#.to_owned(),
        deadline_ms: 1_763_000_002_000,
        signature: "00".repeat(32),
    }
}

fn reply() -> Reply {
    Reply {
        protocol: 1,
        ask: "1234567890abcdef".to_owned(),
        node: "pod-7".to_owned(),
        run: "00ff00ff00ff00ff".to_owned(),
        strata: "0.1.0".to_owned(),
        state: ReplyState::Answered,
        because: String::new(),
        body: "null".to_owned(),
        at_least: true,
    }
}

#[test]
fn what_protocol_1_wrote_is_read_for_ever() {
    is_released(include_str!("golden/card-1.json"), &card());
    is_released(include_str!("golden/report-1.json"), &report());
    is_released(include_str!("golden/want-1.json"), &want());
    is_released(include_str!("golden/want-2.json"), &want_of_key());
    is_released(include_str!("golden/events-1.json"), &events());
    is_released(include_str!("golden/ask-1.json"), &ask());
    is_released(include_str!("golden/reply-1.json"), &reply());
}

#[test]
fn a_report_whose_parts_lack_fields_is_read() {
    let sparse = r#"{"report": {"caches": [{"cache": "users", "l1": {"gets": {}}, "loads": {},
        "settings": {}, "invalidations": {"local": {}}, "groups": {"groups": [{}]},
        "hot_keys": {"keys": [{}]}, "what_if": {"points": [{}]}}]}}"#;
    let read: FleetReport = serde_json::from_str(sparse).unwrap();
    assert_eq!(read.report.caches[0].cache, "users");
    assert_eq!(read.report.caches[0].groups.groups.len(), 1);
}

#[test]
fn a_word_of_a_later_release_is_other() {
    assert_eq!(serde_json::from_str::<ReplyState>("\"later\"").unwrap(), ReplyState::Other);
    assert_eq!(serde_json::from_str::<PresenceState>("\"later\"").unwrap(), PresenceState::Other);
    assert_eq!(AskKind::of("later"), AskKind::Other);
    for kind in AskKind::ALL {
        assert_eq!(AskKind::of(kind.as_str()), kind);
        let written = serde_json::to_string(&kind).unwrap();
        assert_eq!(written, format!("\"{}\"", kind.as_str()));
    }
}
