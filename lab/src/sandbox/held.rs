use std::sync::Arc;

use tokio::task::JoinHandle;

use super::error::SandboxError;
use super::lifecycle::Sandbox;
use super::reads::ReadResult;
use crate::stack::{Call, HeldCall};

/// A read or write that was begun, and is held up or has ended.
pub struct HeldOperation<T> {
    held: HeldCall,
    operations: JoinHandle<Result<T, SandboxError>>,
}

impl Sandbox {
    /// Begins to read an item, and waits until the read is held up at this call, or has ended
    /// without it.
    ///
    /// # Errors
    /// When the sandbox is stopped.
    pub async fn read_until(
        self: &Arc<Self>,
        call: Call,
        node: usize,
        id: u64,
    ) -> Result<HeldOperation<ReadResult>, SandboxError> {
        let sandbox = Arc::clone(self);
        self.act_until(call, async move { sandbox.read(node, id).await }).await
    }

    /// Begins to change an item, and waits until the write is held up at this call, or has ended
    /// without it.
    ///
    /// # Errors
    /// When the sandbox is stopped.
    pub async fn write_until(
        self: &Arc<Self>,
        call: Call,
        node: usize,
        id: u64,
    ) -> Result<HeldOperation<bool>, SandboxError> {
        let sandbox = Arc::clone(self);
        self.act_until(call, async move { sandbox.write(node, id).await }).await
    }

    async fn act_until<T: Send + 'static>(
        &self,
        call: Call,
        act: impl Future<Output = Result<T, SandboxError>> + Send + 'static,
    ) -> Result<HeldOperation<T>, SandboxError> {
        let held = self.source.call_gates().next(call);
        let ended = held.end_guard();
        let operations = tokio::spawn(async move {
            let _ended = ended;
            act.await
        });
        held.entered().await.ok_or(SandboxError::Stopped)?;
        Ok(HeldOperation { held, operations })
    }
}

impl<T> HeldOperation<T> {
    /// Lets it go on to its end; answers what the read or write does.
    ///
    /// # Errors
    /// When the sandbox is stopped or all nodes were killed.
    pub async fn go_on(self) -> Result<T, SandboxError> {
        drop(self.held);
        self.operations.await.unwrap_or(Err(SandboxError::Panicked))
    }
}
