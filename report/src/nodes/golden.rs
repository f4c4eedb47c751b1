//! The form of each request and answer, as it was released.

use crate::{
    CacheEvents, CacheKey, CacheKeys, CacheName, CacheReport, CacheValue, Cause, DeadLetterAction,
    DeadLetterMove, DeadLetterPage, DeadLetterQuery, DeadLetterRequest, DeadLetterResult,
    DeadLetterRow, EntryLook, Event, KeyMatch, KeyRow, L1Keys, L1Query, L1Survey, L2Look,
    LogHistogram, NodeAnswer, NodeError, NodeRequest, Origin, Scope, What,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Each line of the file is the released form of the value at its place.
fn are_released<T>(golden: &str, values: &[T])
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let lines: Vec<&str> = golden.lines().collect();
    assert_eq!(lines.len(), values.len(), "one line for each");
    for (line, value) in lines.into_iter().zip(values) {
        assert_eq!(&serde_json::from_str::<T>(line).unwrap(), value, "{line}");
        let written = serde_json::to_string(value).unwrap();
        assert_eq!(written, line, "the form has changed: add a new file, keep this");
        let later = line.replacen('{', r#"{"what_comes_later": [1, {}],"#, 1);
        assert_eq!(&serde_json::from_str::<T>(&later).unwrap(), value, "more may be added");
    }
}

fn name() -> CacheName {
    CacheName { cache: "users".to_owned() }
}

fn key() -> CacheKey {
    CacheKey { cache: "users".to_owned(), key: "42".to_owned() }
}

fn query() -> L1Query {
    let after = Some("41".to_owned());
    L1Query { cache: "users".to_owned(), pattern: "4*".to_owned(), after, limit: 10 }
}

fn requests() -> Vec<NodeRequest> {
    vec![
        NodeRequest::LookL1(key()),
        NodeRequest::LookL2(key()),
        NodeRequest::ListL1(query()),
        NodeRequest::MatchL1(query()),
        NodeRequest::AmongL1(CacheKeys {
            cache: "users".to_owned(),
            keys: vec!["42".to_owned(), "43".to_owned()],
        }),
        NodeRequest::SurveyL1(name()),
        NodeRequest::EventsOf(key()),
        NodeRequest::GroupOf(key()),
        NodeRequest::Refresh(key()),
        NodeRequest::DropFromL1(key()),
        NodeRequest::ShowValue(CacheValue { cache: "users".to_owned(), value: "{}".to_owned() }),
        NodeRequest::Details(name()),
    ]
}

/// Those that came after the first release.
fn later_requests() -> Vec<NodeRequest> {
    let (cache, key) = ("users".to_owned(), Some("4*".to_owned()));
    let query = DeadLetterQuery { key, until_ms: Some(7), ..DeadLetterQuery::default() };
    vec![
        NodeRequest::DeadLetters(DeadLetterRequest {
            cache: cache.clone(),
            query: query.clone(),
            after: Some("5-0".to_owned()),
            limit: 10,
        }),
        NodeRequest::MoveDeadLetters(DeadLetterMove {
            cache,
            action: DeadLetterAction::Drop,
            query,
            from: None,
        }),
    ]
}

fn later_answers() -> Vec<NodeAnswer> {
    let row = DeadLetterRow {
        id: "5-0".to_owned(),
        node: "pod-7".to_owned(),
        key: "42".to_owned(),
        value: Some("{}".to_owned()),
        version: 3,
        tries: 2,
        reason: "duplicate key".to_owned(),
        since_ms: 1_763_000_000_000,
    };
    let next = Some("5-0".to_owned());
    let page = DeadLetterPage { rows: vec![row], next, total: 4, ..DeadLetterPage::default() };
    let moved =
        DeadLetterResult { dropped: 1, examined: 2, left: 3, ..DeadLetterResult::default() };
    let errors = [NodeError::NoWriteBehind(name()), NodeError::DeadLettersAway(name())];
    [NodeAnswer::DeadLetters(page), NodeAnswer::DeadLettersMoved(moved)]
        .into_iter()
        .chain(errors.map(|error| NodeAnswer::Failed { error }))
        .collect()
}

fn entry() -> EntryLook {
    EntryLook {
        value: Some("{\"name\":\"Anna\"}".to_owned()),
        value_hidden: false,
        fresh: true,
        served_stale: false,
        age_ms: 7,
        expires_in_ms: Some(60_000),
        version: Some(3),
        tags: vec!["team:1".to_owned()],
        bytes: Some(64),
    }
}

fn answers() -> Vec<NodeAnswer> {
    let row = KeyRow { key: "42".to_owned(), l1: vec!["pod-7".to_owned()], ..KeyRow::default() };
    let event = Event {
        seq: 5,
        at_ms: 1_763_000_000_000,
        node: "pod-7".to_owned(),
        cache: "users".to_owned(),
        key: Some("42".to_owned()),
        what: What::Loaded { took_us: 1_500 },
    };
    let mut bytes = LogHistogram::default();
    bytes.record(64);
    let survey = L1Survey {
        entries: 2,
        sampled: true,
        expiring: vec![0, 2],
        bytes: Some(bytes),
        ..L1Survey::default()
    };
    let events =
        CacheEvents { events: vec![event], last: 9, dropped: 1, since_ms: Some(1_762_999_999_000) };
    let matches =
        KeyMatch { n_keys: 12, samples: vec!["42".to_owned()], is_partial: true, n_scanned: 3_000 };
    vec![
        NodeAnswer::Entry { entry: Some(entry()) },
        NodeAnswer::Entry { entry: None },
        NodeAnswer::L2 { look: Some(L2Look::Entry(entry())) },
        NodeAnswer::L2 { look: Some(L2Look::Leased) },
        NodeAnswer::Keys(L1Keys { n_keys: 12, rows: vec![row], is_partial: false }),
        NodeAnswer::Matches(matches),
        NodeAnswer::Survey(survey),
        NodeAnswer::Events(events),
        NodeAnswer::Group { group: Some("user".to_owned()) },
        NodeAnswer::Value { value: None },
        NodeAnswer::Done { changed: true },
    ]
    .into_iter()
    .chain(errors().into_iter().map(|error| NodeAnswer::Failed { error }))
    .collect()
}

fn errors() -> Vec<NodeError> {
    vec![
        NodeError::UnknownCache(name()),
        NodeError::BadKey(key()),
        NodeError::NoKeyText(name()),
        NodeError::BadPattern { pattern: "[".to_owned() },
        NodeError::OnlyObserved(name()),
        NodeError::NoLoader(name()),
        NodeError::SourceFailed { why: "open the database".to_owned() },
        NodeError::Gone { node: "pod-7".to_owned() },
        NodeError::Refused { because: "this node shows no values".to_owned() },
        NodeError::Unsupported { version: "0.1.0".to_owned() },
    ]
}

#[test]
fn what_was_asked_and_answered_is_read_for_ever() {
    are_released(include_str!("golden/requests-1.jsonl"), &requests());
    are_released(include_str!("golden/answers-1.jsonl"), &answers());
    are_released(include_str!("golden/requests-2.jsonl"), &later_requests());
    are_released(include_str!("golden/answers-2.jsonl"), &later_answers());
}

#[test]
fn a_request_goes_by_the_kind_that_stands_in_it() {
    for request in requests().into_iter().chain(later_requests()) {
        let written: serde_json::Value = serde_json::to_value(&request).unwrap();
        assert_eq!(written["kind"], request.kind());
        assert_eq!(request.cache(), "users");
    }
}

#[test]
fn what_an_earlier_release_leaves_out_has_a_default() {
    for request in requests().into_iter().chain(later_requests()) {
        let bare = format!("{{\"kind\":\"{}\"}}", request.kind());
        let read: NodeRequest = serde_json::from_str(&bare).unwrap();
        assert_eq!((read.kind(), read.cache()), (request.kind(), ""));
    }
    for answer in answers().into_iter().chain(later_answers()) {
        let written = serde_json::to_value(&answer).unwrap();
        let bare = format!("{{\"kind\":{}}}", written["kind"]);
        assert!(serde_json::from_str::<NodeAnswer>(&bare).is_ok(), "{bare}");
    }
    let sparse = r#"{"kind":"entry","entry":{}}"#;
    assert!(serde_json::from_str::<NodeAnswer>(sparse).is_ok(), "an entry may lack fields too");
    let report = r#"{"kind":"report","cache":"users"}"#;
    let report = serde_json::from_str::<NodeAnswer>(report).unwrap();
    let users = CacheReport { cache: "users".to_owned(), ..CacheReport::default() };
    assert_eq!(report, NodeAnswer::Report(Box::new(users)));
}

#[test]
fn what_a_later_release_says_is_other() {
    let later = r#"{"kind":"later","cache":"users"}"#;
    assert_eq!(serde_json::from_str::<NodeRequest>(later).unwrap(), NodeRequest::Other);
    assert_eq!(serde_json::from_str::<NodeAnswer>(later).unwrap(), NodeAnswer::Other);
    let error = r#"{"kind":"failed","error":{"reason":"later","cache":"users"}}"#;
    let other = NodeAnswer::Failed { error: NodeError::Other };
    assert_eq!(serde_json::from_str::<NodeAnswer>(error).unwrap(), other);
    let look = r#"{"kind":"l2","look":{"state":"later"}}"#;
    let unreadable = NodeAnswer::L2 { look: Some(L2Look::Unreadable) };
    assert_eq!(serde_json::from_str::<NodeAnswer>(look).unwrap(), unreadable);
}

#[test]
fn one_event_of_a_later_release_does_not_take_the_others_away() {
    let event = |what: &str| {
        format!(r#"{{"seq":1,"at_ms":1,"node":"1","cache":"users","key":"1","what":{what}}}"#)
    };
    let events = [
        r#"{"kind":"written"}"#,
        r#"{"kind":"teleported","to":{"x":1}}"#,
        r#"{"kind":"removed","cause":"bored","age_ms":1}"#,
        r#"{"kind":"invalidated","scope":"galaxy","origin":"moon","pattern":null}"#,
    ];
    let events = events.map(event).join(",");
    let answer = format!(r#"{{"kind":"events","events":[{events}],"last":4}}"#);
    let NodeAnswer::Events(read) = serde_json::from_str(&answer).unwrap() else { panic!() };
    let whats: Vec<_> = read.events.into_iter().map(|event| event.what).collect();
    assert_eq!(whats[..2], [What::Written, What::Other]);
    assert_eq!(whats[2], What::Removed { cause: Cause::Other, age_ms: Some(1) });
    let (scope, origin) = (Scope::Other, Origin::Other);
    assert_eq!(whats[3], What::Invalidated { scope, origin, pattern: None });
    let writes = r#"{"cache":"users","kind":"tape"}"#;
    let writes: crate::WriteBehindReport = serde_json::from_str(writes).unwrap();
    assert_eq!(writes.kind, crate::WriteBehindKind::Other);
}
