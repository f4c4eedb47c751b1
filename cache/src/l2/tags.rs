//! Tags in Redis, each with the number of its last invalidation.

use std::sync::Arc;

use redis::{ScriptInvocation, cmd};

use super::keyspace::Keyspace;
use super::scripts;
use crate::connection::{Away, Step};
use crate::target::Target;

/// The greatest number of tags that Redis keeps by name; beyond it the older half is folded. Nodes
/// of an earlier version delete the names at 100 000.
const MAX_TAG_NAMES: usize = 90_000;

impl Keyspace {
    /// Invalidates a tag and tells the other nodes, in one step. Queues it if Redis does not accept
    /// it. `Ok` has the number of the message.
    pub(crate) async fn invalidate_tag(&self, tag: &str) -> Result<u64, Away> {
        let told = self.link.ask(Step::InvalidateTag, &self.tag_removal(tag)).await;
        Ok(self.tag_counts.take(self.or_queue(told, || self.pending(Target::tag(tag)))?))
    }

    /// The latest number of the bus at which each tag may have been invalidated.
    pub(crate) async fn tags(&self, tags: &[Arc<str>]) -> Result<Vec<u64>, Away> {
        let mut hmget = cmd("HMGET");
        hmget.arg(&self.tags).arg("since").arg("horizon");
        for tag in tags {
            hmget.arg(format!("tag:{tag}"));
        }
        let numbers: Vec<Option<u64>> = self.link.ask(Step::Tags, &hmget).await?;
        let [since, horizon, ref by_name @ ..] = numbers[..] else { return Err(Away) };
        let folded = match horizon {
            Some(_) => self.folded(tags.iter().zip(by_name)).await?,
            None => Vec::new(),
        };
        // Without the hash nothing is known of any tag.
        let mut folded = folded.into_iter().map(|number| number.unwrap_or(u64::MAX));
        let mut other = || folded.next().or(since).unwrap_or(u64::MAX);
        Ok(by_name.iter().map(|number| number.unwrap_or_else(&mut other)).collect())
    }

    /// The numbers of tags that are not kept by name, if tags were folded.
    async fn folded(
        &self,
        tags: impl Iterator<Item = (&Arc<str>, &Option<u64>)>,
    ) -> Result<Vec<Option<u64>>, Away> {
        let mut folded = scripts::FOLDED.prepare_invoke();
        folded.key(&self.tags);
        let mut n_asked = 0;
        for (tag, _) in tags.filter(|(_, number)| number.is_none()) {
            folded.arg(&**tag);
            n_asked += 1;
        }
        if n_asked == 0 {
            return Ok(Vec::new());
        }
        Ok(self.link.ask(Step::Tags, &folded).await?)
    }

    pub(crate) fn tag_removal(&self, tag: &str) -> ScriptInvocation<'static> {
        let mut remove = scripts::INVALIDATE_TAG.prepare_invoke();
        remove.key(&self.tags).arg(tag).arg(MAX_TAG_NAMES);
        self.bus.message(&mut remove, &self.cache, &Target::tag(tag));
        remove
    }
}
