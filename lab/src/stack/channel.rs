use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, watch};

use crate::redis_proxy::LinkState;

/// Stands for Redis's pub/sub between the nodes of a sandbox. It delivers at most once, to the nodes
/// that are subscribed and connected at that moment. A node that is cut off never gets what was
/// published meanwhile, and does not learn that it missed something.
pub struct Channel {
    hub: ChannelHub,
    /// The state of the link to this node. `None` where it cannot be cut.
    link: Option<watch::Receiver<LinkState>>,
}

/// What one node receives on a channel.
pub struct Subscription {
    messages: mpsc::Receiver<Message>,
}

/// A message to one node. It counts as under way until it is dropped.
pub struct Message {
    /// The item that changed.
    pub id: u64,
    n_under_way: Arc<AtomicUsize>,
}

/// What all channels of one sandbox share. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct ChannelHub {
    subscribers: Arc<Mutex<Vec<Subscriber>>>,
    n_under_way: Arc<AtomicUsize>,
}

struct Subscriber {
    link: Option<watch::Receiver<LinkState>>,
    sender: mpsc::Sender<Message>,
}

// As Redis does with slow clients: what does not fit is dropped.
const MAX_UNREAD: usize = 1_000;

impl Channel {
    /// Receives what is published from now on.
    pub fn subscribe(&self) -> Subscription {
        let (sender, messages) = mpsc::channel(MAX_UNREAD);
        self.hub.subscribers().push(Subscriber { link: self.link.clone(), sender });
        Subscription { messages }
    }

    /// Sends to all subscribed nodes that are not cut off. Does not wait.
    pub fn publish(&self, id: u64) {
        let mut subscribers = self.hub.subscribers();
        subscribers.retain(|subscriber| !subscriber.sender.is_closed());
        for subscriber in subscribers.iter().filter(|subscriber| subscriber.receives()) {
            let _ = subscriber.sender.try_send(Message::new(id, &self.hub));
        }
    }
}

impl Subscription {
    /// The next message. `None` when no node is left that could publish.
    pub async fn receive(&mut self) -> Option<Message> {
        self.messages.recv().await
    }
}

impl Message {
    fn new(id: u64, hub: &ChannelHub) -> Self {
        hub.n_under_way.fetch_add(1, Ordering::AcqRel);
        Self { id, n_under_way: Arc::clone(&hub.n_under_way) }
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        self.n_under_way.fetch_sub(1, Ordering::AcqRel);
    }
}

impl ChannelHub {
    /// The channel of one node.
    pub(crate) fn channel(&self, link: Option<watch::Receiver<LinkState>>) -> Channel {
        Channel { hub: self.clone(), link }
    }

    /// Whether nothing is under way.
    pub(crate) fn is_quiet(&self) -> bool {
        self.n_under_way.load(Ordering::Acquire) == 0
    }

    fn subscribers(&self) -> MutexGuard<'_, Vec<Subscriber>> {
        self.subscribers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscriber {
    fn receives(&self) -> bool {
        self.link.as_ref().is_none_or(|link| link.borrow().receives())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_is_cut_off_never_hears_what_was_said_meanwhile() {
        let (link, hub) = (watch::Sender::new(LinkState::default()), ChannelHub::default());
        let one = hub.channel(None);
        let other = hub.channel(Some(link.subscribe()));
        let mut subscription = other.subscribe();
        one.publish(1);
        link.send_modify(|condition| condition.is_bus_silent = true);
        one.publish(2);
        link.send_replace(LinkState::default());
        one.publish(3);
        assert!(!hub.is_quiet());
        for expected in [1, 3] {
            assert_eq!(subscription.receive().await.map(|messages| messages.id), Some(expected));
        }
        assert!(hub.is_quiet());
    }
}
