//! A key that an operator loads anew.

use std::future::ready;
use std::sync::Arc;

use strata_console::{Answer, Console, ConsoleError, ConsoleSettings, NodeClient, SourceReader};
use strata_report::{JobKind, JobState, RefreshState, SourceLook};
use tokio_util::sync::CancellationToken;

use crate::support::{FakeNode, everybody_may_act, operator};

/// The database behind `users`. Whoever reads through it fills L1 of the node.
struct FakeSource {
    node: Arc<FakeNode>,
    fails: bool,
}

impl SourceReader for FakeSource {
    fn knows(&self, cache: &str) -> bool {
        cache == "users"
    }

    fn look<'a>(&'a self, _cache: &'a str, _key: &'a str) -> Answer<'a, SourceLook> {
        Box::pin(ready(Ok(SourceLook::Absent)))
    }

    fn read<'a>(&'a self, _cache: &'a str, key: &'a str) -> Answer<'a, ()> {
        if self.fails {
            return Box::pin(ready(Err(ConsoleError::SourceFailed("the disk is full".to_owned()))));
        }
        self.node.script().l1.insert(key.to_owned(), 0);
        Box::pin(ready(Ok(())))
    }
}

/// A node that holds `42`, loaded a minute ago, before a source.
fn house(fails: bool) -> (Arc<FakeNode>, Console) {
    let node = FakeNode::new("1");
    node.script().l1.insert("42".to_owned(), 60_000);
    let source = FakeSource { node: Arc::clone(&node), fails };
    let settings = ConsoleSettings {
        sources: vec![Arc::new(source)],
        tasks: None,
        ..ConsoleSettings::from(everybody_may_act())
    };
    let faces = vec![Arc::clone(&node) as Arc<dyn NodeClient>];
    (node, Console::start(faces, settings, CancellationToken::new()))
}

#[tokio::test(start_paused = true)]
async fn the_job_is_kept_as_what_was_asked_for() {
    let (node, console) = house(false);
    let job = console.refresh_key(&operator(), "users", "42").await.unwrap();
    assert_eq!((job.state, job.kind), (JobState::Done, JobKind::Refresh));
    assert_eq!(console.job(job.id).unwrap(), job);
    let script = node.script();
    assert_eq!((script.n_marked_stale, script.n_invalidations), (1, 0));
    let audit = console.audit();
    assert_eq!(audit.len(), 1, "one deed, one line");
    assert_eq!(audit[0].action, "refresh_key");
    assert_eq!(audit[0].result, "Done: loaded anew on 1 node.");
}

#[tokio::test(start_paused = true)]
async fn no_node_keeps_the_older_value_and_the_job_says_what_each_holds() {
    let (node, _) = house(false);
    let other = FakeNode::new("2");
    other.script().l1.insert("42".to_owned(), 60_000);
    let settings = ConsoleSettings {
        sources: vec![Arc::new(FakeSource { node: Arc::clone(&node), fails: false })],
        tasks: None,
        ..ConsoleSettings::from(everybody_may_act())
    };
    let faces = [&node, &other, &FakeNode::new("3")]
        .map(|node| Arc::clone(node) as Arc<dyn NodeClient>)
        .into();
    let console = Console::start(faces, settings, CancellationToken::new());
    let job = console.refresh_key(&operator(), "users", "42").await.unwrap();
    let on_nodes: Vec<_> =
        job.refreshed[..3].iter().map(|place| (place.node.as_str(), place.state)).collect();
    assert_eq!(
        on_nodes,
        [("1", RefreshState::Loaded), ("2", RefreshState::Removed), ("3", RefreshState::Absent)]
    );
    assert!(!other.script().l1.contains_key("42"));
    let told = console.audit().remove(0).result;
    assert_eq!(told, "Done: loaded anew on 1 node, older copy removed on 1 node.");
}

#[tokio::test(start_paused = true)]
async fn a_source_that_fails_is_told_and_stays_in_the_job() {
    let (_node, console) = house(true);
    let refused = console.refresh_key(&operator(), "users", "42").await.unwrap_err();
    assert_eq!(refused, ConsoleError::SourceFailed("the disk is full".to_owned()));
    let job = console.jobs().remove(0);
    assert_eq!((job.state, job.kind), (JobState::Failed, JobKind::Refresh));
    assert_eq!(job.errors[0].what, "Strata failed to read the source: the disk is full.");
    assert!(console.audit()[0].result.ends_with("the disk is full."));
}
