use redis::cmd;

use super::failed::Failed;
use super::link::Link;
use super::step::Step;
use crate::pattern::escape;

const SCAN_COUNT: usize = 1_000;

impl Link {
    /// Removes every key of a namespace, the bus and write-behinds included. Answers how many.
    pub(crate) async fn erase(&self, namespace: &str) -> Result<u64, Failed> {
        let glob = format!("{}*", escape(&format!("{{{namespace}}}")));
        let (mut cursor, mut erased) = (0, 0);
        loop {
            let mut scan = cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(&glob).arg("COUNT").arg(SCAN_COUNT);
            let (next, n) = self
                .operate(Step::RemoveSome, |mut connection| async move {
                    let (next, keys): (u64, Vec<Vec<u8>>) =
                        scan.query_async(&mut connection).await?;
                    let n: u64 = match keys.is_empty() {
                        true => 0,
                        false => cmd("UNLINK").arg(keys).query_async(&mut connection).await?,
                    };
                    Ok((next, n))
                })
                .await?;
            erased += n;
            cursor = next;
            if cursor == 0 {
                return Ok(erased);
            }
        }
    }
}
