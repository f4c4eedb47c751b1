//! The end of a node, for those who wait for it.

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use super::shared::Shared;
use crate::user_code::BoxFuture;

/// However long it takes, nobody waits longer.
const LONGEST: Duration = Duration::from_secs(3);

const POLL: Duration = Duration::from_millis(2);

/// The end of a node, which goes on whether or not it is awaited. See
/// [`Node::shutdown`](crate::Node::shutdown).
#[derive(Debug)]
pub struct Shutdown {
    ended: Ended,
}

struct Ended(Arc<Shared>);

impl std::fmt::Debug for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.id())
    }
}

impl Shutdown {
    pub(super) fn of(shared: &Arc<Shared>) -> Self {
        Self { ended: Ended(Arc::clone(shared)) }
    }
}

impl IntoFuture for Shutdown {
    type Output = ();
    type IntoFuture = BoxFuture<'static, ()>;

    /// Until every background task of the node has ended and consoles were told that it has left;
    /// three seconds at most.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let shared = self.ended.0;
            let ending = async {
                while shared.tasks.has_any() {
                    tokio::time::sleep(POLL).await;
                }
                #[cfg(feature = "fleet")]
                if let Some(presence) = &shared.presence {
                    presence.left().await;
                }
            };
            let _ = tokio::time::timeout(LONGEST, ending).await;
        })
    }
}
