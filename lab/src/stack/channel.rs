use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, watch};

use crate::redis_proxy::LinkState;

/// Stands for Redis's pub/sub between the nodes of a sandbox, which deliver at most once: who listens
/// at that moment hears it. What is said while a node is cut off is gone for it, and nothing tells
/// the node that it missed something.
pub struct Channel {
    channels: ChannelHub,
    /// The way to this node; without it nothing can be cut off.
    way: Option<watch::Receiver<LinkState>>,
}

/// What one node hears on a channel.
pub struct Subscription {
    told: mpsc::Receiver<Message>,
}

/// Something that a node hears of. It counts as under way until it is dropped.
pub struct Message {
    /// The item that changed.
    pub id: u64,
    n_under_way: Arc<AtomicUsize>,
}

/// What the channels of one sandbox have in common. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct ChannelHub {
    listeners: Arc<Mutex<Vec<Listener>>>,
    n_under_way: Arc<AtomicUsize>,
}

struct Listener {
    way: Option<watch::Receiver<LinkState>>,
    tell: mpsc::Sender<Message>,
}

// As Redis does with slow clients: what does not fit is gone.
const MAX_UNHEARD: usize = 1_000;

impl Channel {
    /// Listens from now on.
    pub fn subscribe(&self) -> Subscription {
        let (tell, told) = mpsc::channel(MAX_UNHEARD);
        self.channels.listeners().push(Listener { way: self.way.clone(), tell });
        Subscription { told }
    }

    /// Tells whoever listens and is not cut off; waits for nobody.
    pub fn publish(&self, id: u64) {
        let mut listeners = self.channels.listeners();
        listeners.retain(|listener| !listener.tell.is_closed());
        for listener in listeners.iter().filter(|listener| listener.hears()) {
            let _ = listener.tell.try_send(Message::new(id, &self.channels));
        }
    }
}

impl Subscription {
    /// What is heard next; `None` when there is nobody left who could say something.
    pub async fn receive(&mut self) -> Option<Message> {
        self.told.recv().await
    }
}

impl Message {
    fn new(id: u64, channels: &ChannelHub) -> Self {
        channels.n_under_way.fetch_add(1, Ordering::AcqRel);
        Self { id, n_under_way: Arc::clone(&channels.n_under_way) }
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        self.n_under_way.fetch_sub(1, Ordering::AcqRel);
    }
}

impl ChannelHub {
    /// A node's place on the channel.
    pub(crate) fn channel(&self, way: Option<watch::Receiver<LinkState>>) -> Channel {
        Channel { channels: self.clone(), way }
    }

    /// Whether nothing is under way.
    pub(crate) fn is_quiet(&self) -> bool {
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
        let (way, channels) = (watch::Sender::new(LinkState::default()), ChannelHub::default());
        let one = channels.channel(None);
        let other = channels.channel(Some(way.subscribe()));
        let mut ear = other.subscribe();
        one.publish(1);
        way.send_modify(|condition| condition.is_bus_silent = true);
        one.publish(2);
        way.send_replace(LinkState::default());
        one.publish(3);
        assert!(!channels.is_quiet());
        for expected in [1, 3] {
            assert_eq!(ear.receive().await.map(|told| told.id), Some(expected));
        }
        assert!(channels.is_quiet());
    }
}
