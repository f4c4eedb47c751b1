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
    pub(crate) fn ticket(&self, key: K, token: Token) -> Ticket<K> {
        let (text, label) = (key.to_string(), self.label(&key));
        Ticket { key, text, token, stamp: self.node.shared().stamp(), label }
    }
}
