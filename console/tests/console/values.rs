//! Values of entries, and who sees them.

use std::sync::Arc;

use strata_cache::{Cache, CacheBuilder, Node};
use strata_console::{
    Access, AccessSettings, Actor, Answer, Console, ConsoleSettings, Credentials, Origin,
    SourceReader,
};
use strata_report::SourceLook;
use tokio_util::sync::CancellationToken;

/// Has the same row for every key.
struct Rows;

impl SourceReader for Rows {
    fn knows(&self, _cache: &str) -> bool {
        true
    }

    fn look<'a>(&'a self, _cache: &'a str, _key: &'a str) -> Answer<'a, SourceLook> {
        let value = r#"{"email":"ada@shop.test","name":"Ada"}"#.to_owned();
        Box::pin(std::future::ready(Ok(SourceLook::Value { value })))
    }

    fn read<'a>(&'a self, _cache: &'a str, _key: &'a str) -> Answer<'a, ()> {
        Box::pin(std::future::ready(Ok(())))
    }
}

type Users = CacheBuilder<String, serde_json::Value>;

/// What a look at one entry shows to somebody of its copy in L1 and in the source.
async fn shown(build: impl FnOnce(Users) -> Users, actor: &Actor) -> (Option<String>, SourceLook) {
    let node = Node::builder("test").start().await.unwrap();
    let cache = build(Cache::builder("users")).build(&node).unwrap();
    let value = serde_json::json!({ "email": "ada@shop.test", "name": "Ada" });
    cache.insert(&"1".to_owned(), value).await;
    let settings = ConsoleSettings {
        sources: vec![Arc::new(Rows)],
        ..Access::new(AccessSettings::default()).into()
    };
    let console = Console::start(vec![Arc::new(node)], settings, CancellationToken::new());
    let look = console.look(actor, "users", "1").await.unwrap();
    let entry = look.l1[0].entry.clone().unwrap();
    assert_eq!(entry.value_hidden, entry.value.is_none());
    assert_eq!(look.l1[0].differs, Some(false), "copies are compared whole");
    (entry.value, look.source.unwrap())
}

fn viewer() -> Actor {
    let access = Access::new(AccessSettings::default());
    access.identify(Credentials::default(), &Origin::default())
}

#[tokio::test]
async fn whoever_may_not_read_values_sees_that_there_is_one() {
    let (value, source) = shown(|cache| cache, &viewer()).await;
    assert_eq!((value, source), (None, SourceLook::Hidden));
    let (value, source) = shown(|cache| cache, &Actor::local()).await;
    assert!(value.unwrap().contains("Ada") && matches!(source, SourceLook::Value { .. }));
}

#[tokio::test]
async fn an_opaque_cache_shows_its_values_to_nobody() {
    let (value, source) = shown(CacheBuilder::opaque, &Actor::local()).await;
    assert_eq!((value, source), (None, SourceLook::Hidden));
    let both = |cache: Users| cache.opaque().redact(|_| ());
    assert_eq!(shown(both, &Actor::local()).await.1, SourceLook::Hidden);
}

#[tokio::test]
async fn what_is_redacted_is_seen_by_nobody_in_the_cache_and_in_the_source() {
    let redact = |cache: Users| cache.redact(|user| user["email"] = "…".into());
    let (value, source) = shown(redact, &Actor::local()).await;
    let redacted = r#"{"email":"…","name":"Ada"}"#;
    assert_eq!(value.as_deref(), Some(redacted));
    assert_eq!(source, SourceLook::Value { value: redacted.to_owned() });
}

#[tokio::test]
async fn a_value_that_cannot_be_redacted_is_hidden() {
    let redact = |cache: Users| cache.redact(|_| panic!("of the program"));
    let (value, source) = shown(redact, &Actor::local()).await;
    assert_eq!((value, source), (None, SourceLook::Hidden));
}
