//! The other nodes of a namespace, beside those that a dashboard was given.

use std::sync::Arc;

use strata_cache::Node;
use strata_console::{Console, ConsoleSettings, NodeClient, RemoteNodes};
use tokio_util::sync::CancellationToken;

use crate::state::{Attention, WhenIdle};

/// While nobody looks, so many nodes are read at most: each pod of a service may have a dashboard, and
/// then each reads all others.
const READ_WHEN_IDLE: usize = 32;

/// Which nodes a dashboard shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Shown {
    /// Those that it was given, and the others of their namespace.
    #[default]
    Namespace,
    /// Those that it was given.
    Given,
}

/// The nodes of the namespace through Redis; `None` without one, and where only the given ones are
/// shown. The first node speaks to Redis for them.
pub(super) fn others(nodes: &[Node], shown: Shown) -> Option<RemoteNodes> {
    let first = nodes.first().filter(|_| shown == Shown::Namespace)?;
    let client = first.fleet_client().start()?;
    Some(RemoteNodes::new(first.reaching_all_caches(), client))
}

/// The console over all of them, and who is told that somebody looks.
pub(super) fn start(
    (nodes, others): (Vec<Node>, Option<RemoteNodes>),
    settings: ConsoleSettings,
    shutdown: CancellationToken,
) -> (Console, Option<Arc<Attention>>) {
    let tasks = settings.tasks.clone();
    let nodes = nodes.into_iter().map(|node| Arc::new(node) as Arc<dyn NodeClient>).collect();
    let Some(others) = others else {
        return (Console::start(nodes, settings, shutdown), None);
    };
    let console = Console::start_among((nodes, others.clone()), settings, shutdown);
    let when_idle = WhenIdle::ReadFewRarely(READ_WHEN_IDLE);
    let attention = Arc::new(Attention::new(console.clone(), others, when_idle));
    let paced = Arc::clone(&attention);
    if let Some(tasks) = tasks {
        tasks.spawn("pace of nodes elsewhere", move || {
            let attention = Arc::clone(&paced);
            async move { attention.keep_pace_for_ever().await }
        });
    }
    (console, Some(attention))
}
