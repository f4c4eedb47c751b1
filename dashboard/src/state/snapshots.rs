use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use strata_console::Console;
use strata_report::Snapshot;

/// The newest snapshot, made once for all who begin to read in the same second.
#[derive(Debug, Default)]
pub(crate) struct Snapshots {
    newest: Mutex<Option<(u64, Arc<str>)>>,
}

impl Snapshots {
    /// The one of the newest frame, with its number, as JSON.
    pub(crate) fn newest(&self, build: &str, console: &Console) -> (u64, Arc<str>) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let seq = console.frame().seq;
        if let Some(known) = newest.as_ref().filter(|(known, _)| *known == seq) {
            return known.clone();
        }
        let snapshot = console.snapshot();
        let first = First { build, snapshot: &snapshot };
        // Numbers, strings and lists always become JSON.
        let json = serde_json::to_string(&first).unwrap_or_default();
        newest.insert((snapshot.frame.seq, json.into())).clone()
    }
}

/// What a stream begins with. The build stands first, where a page's script looks for it.
#[derive(Serialize)]
struct First<'a> {
    build: &'a str,
    #[serde(flatten)]
    snapshot: &'a Snapshot,
}
