//! The parts of a reader's context that its load inherits.

use std::collections::HashMap;
use std::io::Error;
use std::sync::{Arc, Mutex};

use strata_cache::Cache;
use tracing::subscriber::set_default;
use tracing::{Event, Instrument, Subscriber, info, info_span};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::support::{eventually, lonely_node};

/// Records the span of each event of this file.
#[derive(Clone, Default)]
struct Noting(Arc<Mutex<Vec<Option<&'static str>>>>);

impl Noting {
    fn taken(&self) -> Vec<Option<&'static str>> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Noting {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if event.metadata().target() == module_path!() {
            let span = context.event_span(event).map(|span| span.name());
            self.0.lock().unwrap().push(span);
        }
    }
}

async fn load() -> Result<Option<u64>, Error> {
    info!("from the load");
    tokio::task::yield_now().await;
    info!("from the load, later");
    Ok(Some(1))
}

tokio::task_local! {
    static TENANT: u64;
}

#[tokio::test]
async fn a_load_a_refresh_and_a_write_run_in_the_span_of_whoever_began_them() {
    let noting = Noting::default();
    let _default = set_default(tracing_subscriber::registry().with(noting.clone()));
    let cache: Cache<u64, u64> = Cache::builder("users").build(&lonely_node().await).unwrap();
    cache.get_or_load(&1, load).instrument(info_span!("a read")).await.unwrap();
    assert_eq!(noting.taken(), [Some("a read"); 2]);
    let many = |_| async { load().await.map(|_| HashMap::new()) };
    cache.get_many(&[2, 3], many).instrument(info_span!("a batch")).await;
    assert_eq!(noting.taken(), [Some("a batch"); 2]);
    let write = async { load().await.map(Option::unwrap_or_default) };
    cache.write_through(&1, write).instrument(info_span!("a write")).await.unwrap();
    assert_eq!(noting.taken(), [Some("a write"); 2]);
    cache.invalidate_softly(&1).await;
    cache.get_or_load(&1, load).instrument(info_span!("a read")).await.unwrap();
    eventually("the refresh ends", async || noting.0.lock().unwrap().len() == 2).await;
    assert_eq!(noting.taken(), [Some("a read"); 2]);
}

#[tokio::test]
async fn a_task_local_is_carried_into_a_load_by_hand() {
    let cache: Cache<u64, u64> = Cache::builder("users").build(&lonely_node().await).unwrap();
    let request = async {
        let bare = || async { Ok::<_, Error>(TENANT.try_with(|tenant| *tenant).ok()) };
        assert_eq!(cache.get_or_load(&1, bare).await.unwrap().value, None, "it does not travel");
        let tenant = TENANT.get();
        let carried = move || TENANT.scope(tenant, async { Ok::<_, Error>(Some(TENANT.get())) });
        let read = cache.get_or_load(&2, carried).await.unwrap();
        assert_eq!(read.value.as_deref(), Some(&7));
    };
    TENANT.scope(7, request).await;
}

/// Records what each closed span of a read says.
#[derive(Clone, Default)]
struct Reads(Arc<Mutex<Vec<String>>>);

/// The fields of one span.
#[derive(Default)]
struct Fields(String);

impl tracing::field::Visit for Fields {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        self.0.push_str(&format!("{}={value:?} ", field.name()));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Reads {
    fn on_new_span(
        &self,
        attributes: &tracing::span::Attributes<'_>,
        id: &tracing::span::Id,
        context: Context<'_, S>,
    ) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        context.span(id).unwrap().extensions_mut().insert(fields);
    }

    fn on_record(
        &self,
        id: &tracing::span::Id,
        values: &tracing::span::Record<'_>,
        context: Context<'_, S>,
    ) {
        values.record(context.span(id).unwrap().extensions_mut().get_mut::<Fields>().unwrap());
    }

    fn on_close(&self, id: tracing::span::Id, context: Context<'_, S>) {
        let span = context.span(&id).unwrap();
        if span.metadata().target() == "strata::read" {
            let fields = span.extensions_mut().remove::<Fields>().unwrap().0;
            self.0.lock().unwrap().push(format!("{} {fields}", span.name()));
        }
    }
}

#[tokio::test]
async fn a_read_has_a_span_with_its_outcome_and_group_and_without_its_key() {
    let reads = Reads::default();
    let _default = set_default(tracing_subscriber::registry().with(reads.clone()));
    let builder = Cache::builder("pages").group("author:{id}");
    let cache: Cache<String, u64> = builder.build(&lonely_node().await).unwrap();
    let key = "author:4711".to_owned();
    cache.get_or_load(&key, || async { Ok::<_, Error>(Some(1)) }).await.unwrap();
    cache.get(&key).await;
    let failing = || async { Err::<Option<u64>, _>(Error::other("the source is away")) };
    cache.get_or_load(&"author:4712".to_owned(), failing).await.unwrap_err();
    let none = |_| async { Ok::<_, Error>(HashMap::new()) };
    cache.get_many(&[key.clone(), "author:4713".to_owned()], none).await;
    let said = std::mem::take(&mut *reads.0.lock().unwrap());
    assert_eq!(said.len(), 4, "{said:?}");
    for (said, fields) in said.iter().zip([
        [
            "cache.read ",
            "cache=\"pages\"",
            "group=\"author:{id}\"",
            "outcome=\"loaded\"",
            "level=\"source\"",
        ],
        [
            "cache.read ",
            "cache=\"pages\"",
            "group=\"author:{id}\"",
            "outcome=\"l1_hit\"",
            "level=\"l1\"",
        ],
        ["cache.read ", "cache=\"pages\"", "group=\"author:{id}\"", "outcome=\"failed\"", ""],
        ["cache.read_many ", "cache=\"pages\"", "keys=2", "l1_hits=1", "failed=0"],
    ]) {
        assert!(fields.iter().all(|field| said.contains(field)), "{said}");
        assert!(!said.contains("471"), "{said}");
    }
}

#[tokio::test]
async fn whoever_asks_for_no_spans_of_reads_gets_none() {
    let reads = Reads::default();
    let filter = tracing_subscriber::filter::Targets::new()
        .with_default(tracing::Level::TRACE)
        .with_target("strata::read", tracing::level_filters::LevelFilter::OFF);
    let _default = set_default(tracing_subscriber::registry().with(filter).with(reads.clone()));
    let cache: Cache<u64, u64> = Cache::builder("users").build(&lonely_node().await).unwrap();
    cache.get_or_load(&1, load).await.unwrap();
    assert!(reads.0.lock().unwrap().is_empty());
}
