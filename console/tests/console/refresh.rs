//! A key that an operator loads anew.

use std::future::ready;
use std::sync::Arc;

use strata_console::{Answer, Console, ConsoleError, ConsoleSettings, NodeFace, SourceFace};
use strata_report::{JobKind, JobState, SourceLook};
use tokio_util::sync::CancellationToken;

use crate::support::{FakeNode, everybody_may_act, operator};

/// The database behind `users`. Whoever reads through it fills L1 of the node.
struct FakeSource {
    node: Arc<FakeNode>,
    fails: bool,
}

impl SourceFace for FakeSource {
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
    let faces = vec![Arc::clone(&node) as Arc<dyn NodeFace>];
    (node, Console::start(faces, settings, CancellationToken::new()))
}

#[tokio::test(start_paused = true)]
async fn the_job_is_kept_as_what_was_asked_for() {
    let (node, console) = house(false);
    let job = console.refresh_key(&operator(), "users", "42").await.unwrap();
    assert_eq!((job.state, job.kind), (JobState::Done, JobKind::Refresh));
    assert_eq!(console.job(job.id).unwrap(), job);
    let script = node.script();
    assert_eq!((script.n_softened, script.n_invalidations), (1, 0));
    let audit = console.audit();
    assert_eq!(audit.len(), 1, "one deed, one line");
    assert_eq!(audit[0].action, "refresh_key");
    assert_eq!(audit[0].result, "Done: the value was loaded anew.");
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
