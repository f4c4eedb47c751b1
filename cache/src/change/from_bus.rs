//! Invalidations by other nodes.

use strata_report::Origin;

use crate::bus::{Message, MessageKind};
use crate::key::{Key, Value};
use crate::pattern::Pattern;
use crate::read::Core;
use crate::target::Target;

impl<K: Key, V: Value> Core<K, V> {
    /// Acts on another node's invalidation. If code of a key or value panics, L1 of this cache is
    /// emptied, so the message has taken effect in any case.
    pub(crate) fn apply_message(&self, message: &Message) {
        self.remove_what_stayed(message);
        self.in_l1(|| self.act_on(message));
    }

    /// A node that does not know this cache's schema leaves its entries in L2. They are removed
    /// before this cache reads L2 again.
    fn remove_what_stayed(&self, message: &Message) {
        let Some(l2) = self.l2.as_ref().filter(|_| !message.removed(self.policy.schema)) else {
            return;
        };
        l2.link.queue(l2.pending_own(match &message.target {
            key @ Target::Key(_) => key.clone(),
            Target::Pattern(_) | Target::Tag(_) | Target::All => Target::All,
        }));
    }

    fn act_on(&self, message: &Message) {
        match &message.target {
            Target::Key(text) => match (text.parse::<K>(), message.kind) {
                (Ok(key), MessageKind::Invalidated) => self.drop_key(&key, Origin::Bus),
                (Ok(key), MessageKind::MarkedStale) => self.mark_stale_in_l1(&key, Origin::Bus),
                // A text that is not a key on this node may mean any key.
                (Err(_), _) => self.apply_all(None),
            },
            Target::Pattern(pattern) => self.apply_all(Some(pattern)),
            Target::Tag(tag) => {
                self.tags.heard(tag, message.sequence);
                self.overtake_tag(tag, Origin::Bus);
            }
            Target::All => self.apply_all(None),
        }
    }

    fn apply_all(&self, pattern: Option<&Pattern>) {
        self.drop_all(pattern);
        self.recorder.note_pattern(pattern, Origin::Bus);
        self.recorder.invalidation(Target::matching(pattern).scope(), Origin::Bus);
    }
}
