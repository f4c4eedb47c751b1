use std::sync::Arc;

use strata_cache::{LoadError, Read};
use strata_demo::Item;
use tokio::task::JoinSet;

use super::LevelsByHand;
use crate::stack::Channel;
use crate::strategies::ChangeError;

/// The famous mistake: tell the other nodes on a channel that forgets, as Redis's pub/sub does.
///
/// Who listens at that moment hears it, once. A node that is cut off for a moment never hears what
/// was said meanwhile, nor that anything was, and keeps its older copy until it expires. The
/// channel here stands for pub/sub: it connects the nodes of this experiment, and delivers at most
/// once.
#[derive(Clone)]
pub struct ForgetfulChannel {
    levels: LevelsByHand,
    channel: Arc<Channel>,
    /// Ends with the last clone.
    _listening: Arc<JoinSet<()>>,
}

impl ForgetfulChannel {
    pub(crate) fn new(levels: LevelsByHand, channel: Channel) -> Self {
        let (mut subscription, l1) = (channel.subscribe(), levels.l1.clone());
        let mut listening = JoinSet::new();
        listening.spawn(async move {
            while let Some(message) = subscription.receive().await {
                l1.invalidate(&message.id).await;
            }
        });
        Self { levels, channel: Arc::new(channel), _listening: Arc::new(listening) }
    }

    pub async fn read(&self, id: u64) -> Result<Read<Item>, LoadError> {
        self.levels.read(id).await
    }

    pub async fn write(&self, item: Item) -> Result<(), ChangeError> {
        let id = item.id;
        self.levels.source.update(&[item]).await?;
        self.levels.redis.remove(id).await?;
        self.levels.l1.invalidate(&id).await;
        self.channel.publish(id);
        Ok(())
    }
}
