//! Capped lists of lines in Redis.

use std::collections::HashMap;
use std::time::Duration;

use redis::{cmd, pipe};

use crate::clock::millis;
use crate::connection::{CallError, Link};

/// A capped list of lines in Redis that survives a restart of the program: a stream beside the bus.
#[derive(Clone, Copy, Debug)]
pub struct Journal<'a> {
    /// Its name: `a-z`, `0-9`, `_` and `-`.
    pub name: &'a str,
    /// About this many lines are kept.
    pub max_lines: usize,
    /// How long it is kept after its newest line; `None` is for ever.
    pub kept_for: Option<Duration>,
}

impl Journal<'_> {
    fn key(&self, namespace: &str) -> String {
        format!("{{{namespace}}}!journal:{}", self.name)
    }
}

impl Link {
    /// Appends all lines or, if Redis is away, perhaps some of them. The caller may try again.
    pub(crate) async fn append(
        &self,
        namespace: &str,
        journal: Journal<'_>,
        lines: &[String],
    ) -> Result<(), CallError> {
        let key = journal.key(namespace);
        let mut append = pipe();
        for line in lines {
            append.cmd("XADD").arg(&key).arg("MAXLEN").arg("~").arg(journal.max_lines);
            append.arg("*").arg("l").arg(line);
        }
        if let Some(kept_for) = journal.kept_for {
            append.cmd("PEXPIRE").arg(&key).arg(millis(kept_for)).ignore();
        }
        self.inspect::<Vec<String>>(&append).await.map(|_| ())
    }

    pub(crate) async fn newest(
        &self,
        namespace: &str,
        journal: Journal<'_>,
    ) -> Result<Vec<String>, CallError> {
        type Lines = Vec<(String, HashMap<String, String>)>;
        let mut newest = cmd("XREVRANGE");
        newest.arg(journal.key(namespace)).arg("+").arg("-");
        newest.arg("COUNT").arg(journal.max_lines);
        let lines: Lines = self.inspect(&newest).await?;
        Ok(lines.into_iter().filter_map(|(_, mut fields)| fields.remove("l")).collect())
    }
}
