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
