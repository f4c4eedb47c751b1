use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, watch};

use super::wire::Condition;

/// Stands for Redis's pub/sub between the nodes of a stage, which deliver at most once: who listens
/// at that moment hears it. What is said while a node is cut off is gone for it, and nothing tells
/// the node that it missed something.
pub struct Channel {
    air: Air,
    /// The way to this node; without it nothing can be cut off.
    way: Option<watch::Receiver<Condition>>,
}

/// What one node hears on a channel.
pub struct Ear {
    told: mpsc::Receiver<Told>,
}

/// Something that a node hears of. It counts as under way until it is dropped.
pub struct Told {
    /// The item that changed.
    pub id: u64,
    n_under_way: Arc<AtomicUsize>,
}

/// What the channels of one stage have in common. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Air {
    listeners: Arc<Mutex<Vec<Listener>>>,
    n_under_way: Arc<AtomicUsize>,
}

struct Listener {
    way: Option<watch::Receiver<Condition>>,
    tell: mpsc::Sender<Told>,
}

// As Redis does with slow clients: what does not fit is gone.
const MAX_UNHEARD: usize = 1_000;

impl Channel {
    /// Listens from now on.
    pub fn listen(&self) -> Ear {
        let (tell, told) = mpsc::channel(MAX_UNHEARD);
        self.air.listeners().push(Listener { way: self.way.clone(), tell });
        Ear { told }
    }

    /// Tells whoever listens and is not cut off; waits for nobody.
    pub fn publish(&self, id: u64) {
        let mut listeners = self.air.listeners();
        listeners.retain(|listener| !listener.tell.is_closed());
        for listener in listeners.iter().filter(|listener| listener.hears()) {
            let _ = listener.tell.try_send(Told::new(id, &self.air));
        }
    }
}

impl Ear {
    /// What is heard next; `None` when there is nobody left who could say something.
    pub async fn hear(&mut self) -> Option<Told> {
        self.told.recv().await
    }
}

impl Told {
    fn new(id: u64, air: &Air) -> Self {
        air.n_under_way.fetch_add(1, Ordering::AcqRel);
        Self { id, n_under_way: Arc::clone(&air.n_under_way) }
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.n_under_way.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Air {
    /// A node's place on the channel.
    pub(super) fn channel(&self, way: Option<watch::Receiver<Condition>>) -> Channel {
        Channel { air: self.clone(), way }
    }

    /// Whether nothing is under way.
    pub(super) fn is_quiet(&self) -> bool {
        self.n_under_way.load(Ordering::Acquire) == 0
    }

    fn listeners(&self) -> MutexGuard<'_, Vec<Listener>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener {
    fn hears(&self) -> bool {
        self.way.as_ref().is_none_or(|way| way.borrow().hears())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_is_cut_off_never_hears_what_was_said_meanwhile() {
        let (way, air) = (watch::Sender::new(Condition::default()), Air::default());
        let one = air.channel(None);
        let other = air.channel(Some(way.subscribe()));
        let mut ear = other.listen();
        one.publish(1);
        way.send_modify(|condition| condition.is_deaf = true);
        one.publish(2);
        way.send_replace(Condition::default());
        one.publish(3);
        assert!(!air.is_quiet());
        for expected in [1, 3] {
            assert_eq!(ear.hear().await.map(|told| told.id), Some(expected));
        }
        assert!(air.is_quiet());
    }
}
