//! Invalidations of a tag, of a pattern, and of the whole cache.

use std::sync::Arc;

use strata_report::{Effect, Origin, Scope};

use super::guards::OnInterrupt;
use crate::connection::Away;
use crate::key::{Key, Value};
use crate::l1::TooMany;
use crate::l2::Progress;
use crate::pattern::Pattern;
use crate::read::Core;
use crate::target::Target;

impl<K: Key, V: Value> Core<K, V> {
    /// Overtakes every entry that carries the tag.
    pub(crate) async fn invalidate_tag(self: Arc<Self>, tag: String) -> Effect {
        self.overtake_unwritten(|| vec![Target::tag(&tag)]);
        let interrupted = OnInterrupt::run(|| {
            self.queue(|l2| vec![l2.pending(Target::tag(&tag))]);
            self.overtake_tag(&tag, Origin::Local);
        });
        let effect = match &self.l2 {
            None => Effect::Off,
            Some(l2) => match l2.invalidate_tag(&tag).await {
                Err(Away) => Effect::Queued,
                Ok(sequence) => {
                    self.tags.heard(&tag, sequence);
                    Effect::Marked
                }
            },
        };
        interrupted.disarm();
        self.overtake_tag(&tag, Origin::Local);
        effect
    }

    pub(crate) fn overtake_tag(&self, tag: &str, origin: Origin) {
        self.tags.invalidate(tag, || self.fence.raise_tick());
        self.recorder.note_tag(tag, origin);
        self.recorder.invalidation(Scope::Tag, origin);
    }

    /// Removes the entries that match the pattern, or all entries if there is none.
    pub(crate) async fn invalidate_all(
        self: Arc<Self>,
        pattern: Option<Pattern>,
        progress: Arc<Progress>,
    ) -> Effect {
        let target = Target::matching(pattern.as_ref());
        self.overtake_unwritten(|| vec![target.clone()]);
        // This comes first, so that no fill that began before is kept. It is repeated at the end,
        // for fills that read L2 while it was being emptied.
        self.in_l1(|| self.drop_all(pattern.as_ref()));
        let interrupted = OnInterrupt::run(|| {
            self.queue(|l2| vec![l2.pending(target.clone())]);
            self.in_l1(|| self.drop_all(pattern.as_ref()));
        });
        let effect = match &self.l2 {
            Some(l2) => self.effect(l2.remove_matching(pattern.as_ref(), &progress).await),
            None => Effect::Off,
        };
        interrupted.disarm();
        self.in_l1(|| self.drop_all(pattern.as_ref()));
        self.recorder.note_pattern(pattern.as_ref(), Origin::Local);
        self.recorder.invalidation(target.scope(), Origin::Local);
        effect
    }

    /// Overtakes every fill, and every entry that matches. The memory is reclaimed soon after.
    pub(crate) fn drop_all(&self, pattern: Option<&Pattern>) {
        match pattern.map(|pattern| self.patterns.add(pattern, || self.fence.raise_tick())) {
            Some(Ok(number)) => {
                self.fence.overtake_all();
                self.patterns.settled(number);
                self.node.shared().reclaim_soon();
            }
            Some(Err(TooMany)) => {
                self.recorder.gaps.add(1);
                self.empty();
            }
            None => self.empty(),
        }
    }
}
