//! Invalidations by other nodes.

use strata_report::Origin;

use super::scopes::scope;
use crate::bus::{Message, Subject};
use crate::key::{Key, Value};
use crate::pattern::Pattern;
use crate::read::Core;

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
        l2.link.queue(match &message.subject {
            Subject::Key(text) | Subject::Soft(text) => l2.pending_own(text),
            Subject::Pattern(_) | Subject::Tag(_) | Subject::All => l2.pending_all_own(),
        });
    }

    fn act_on(&self, message: &Message) {
        match &message.subject {
            // A text that is not a key on this node may mean any key.
            Subject::Key(text) => match text.parse::<K>() {
                Ok(key) => self.drop_key(&key, Origin::Bus),
                Err(_) => self.apply_all(None),
            },
            Subject::Soft(text) => match text.parse::<K>() {
                Ok(key) => self.mark_stale_in_l1(&key, Origin::Bus),
                Err(_) => self.apply_all(None),
            },
            Subject::Pattern(text) => match Pattern::parse(text) {
                Ok(pattern) => self.apply_all(Some(&pattern)),
                // A pattern that this version cannot read may match anything.
                Err(_) => self.apply_all(None),
            },
            Subject::Tag(tag) => {
                self.tags.heard(tag, message.sequence);
                self.overtake_tag(tag, Origin::Bus);
            }
            Subject::All => self.apply_all(None),
        }
    }

    fn apply_all(&self, pattern: Option<&Pattern>) {
        self.drop_all(pattern);
        self.recorder.note_pattern(pattern, Origin::Bus);
        self.recorder.invalidation(scope(pattern), Origin::Bus);
    }
}
