//! What a stream does for whom it was opened, asked as the router asks it.

use axum::body::to_bytes;
use prometheus::Registry;
use strata_cache::Node;
use strata_console::{Access, AccessSettings, Console, NodeClient, PeerBounds, PeerLimit, Token};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::state::Parts;

const TOKEN: &str = "a-token-of-operators";

async fn state() -> AppState {
    let node = Node::builder("alone").start().await.unwrap();
    let operators = Token::read_lines(TOKEN, "operator").unwrap();
    let access = Access::new(AccessSettings { operators, ..AccessSettings::default() });
    let shutdown = CancellationToken::new();
    let nodes: Vec<Arc<dyn NodeClient>> = vec![Arc::new(node)];
    let console = Console::start(nodes, access, shutdown.clone());
    let streams = PeerLimit::new(PeerBounds { total: 8, per_peer: 8 });
    AppState::new(Parts::of(console, Registry::new(), streams, shutdown))
}

#[tokio::test]
async fn a_session_that_ended_before_its_stream_began_is_shown_nothing() {
    let state = state().await;
    let origin = Origin::default();
    let logged_in = state.console.log_in(TOKEN, &origin).unwrap();
    let session = OwnSession(logged_in.session.as_str().into());
    state.console.log_out(&logged_in.actor, &logged_in.session);
    let stream = events(
        State(state.clone()),
        Extension(origin),
        Some(Extension(session)),
        Ok(Query(Reader::default())),
    )
    .await;
    let whole = timeout(Duration::from_secs(60), to_bytes(stream.into_body(), usize::MAX)).await;
    assert!(whole.is_ok(), "the stream goes on");
    assert!(whole.unwrap().unwrap().is_empty(), "it brings something");
}
