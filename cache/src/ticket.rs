use crate::core::Core;
use crate::fence::Token;
use crate::recorder::Label;
use crate::{Key, Value};

/// A key, and what its fill must still hold in the end; taken before anything is asked.
pub(crate) struct Ticket<K> {
    pub(crate) key: K,
    pub(crate) text: String,
    pub(crate) token: Token,
    /// What an entry in L2 will be stamped with.
    pub(crate) stamp: u64,
    pub(crate) label: Label,
}

impl<K: Key, V: Value> Core<K, V> {
    /// A ticket but for its token. The key's own code runs here, so that where it panics nothing
    /// has begun that others would wait for.
    pub(crate) fn ticket(&self, key: &K) -> impl FnOnce(Token) -> Ticket<K> + use<K, V> {
        let stamp = self.node.shared().stamp();
        let (key, text, label) = (key.clone(), key.to_string(), self.label(key));
        move |token| Ticket { key, text, token, stamp, label }
    }
}
