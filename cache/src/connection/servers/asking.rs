//! What asks the server that a slot is being moved to: each command begins with ASKING.

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Cmd, Pipeline, RedisFuture, Value, cmd, pipe};

/// Sends ASKING before each command.
pub(in crate::connection) struct Asking<'a>(
    pub(in crate::connection) &'a mut MultiplexedConnection,
);

impl ConnectionLike for Asking<'_> {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let mut both = pipe();
            both.add_command(cmd("ASKING")).add_command(command.clone());
            let replies = self.0.req_packed_commands(&both, 0, 2).await?;
            Ok(replies.into_iter().nth(1).unwrap_or(Value::Nil))
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            if pipeline.is_transaction() {
                return self.0.req_packed_commands(pipeline, offset, count).await;
            }
            let mut all = pipe();
            for command in pipeline.cmd_iter() {
                all.add_command(cmd("ASKING")).add_command(command.clone());
            }
            let replies = self.0.req_packed_commands(&all, 2 * offset, 2 * count).await?;
            Ok(replies.into_iter().skip(1).step_by(2).collect())
        })
    }

    fn get_db(&self) -> i64 {
        self.0.get_db()
    }
}
