use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Script};

use super::{ANNOUNCE, Bus};
use crate::script::scripts;

scripts! {
    script;

    /// Notices that another run of Redis answers. What lies there may come from a snapshot, or from
    /// a replica that had not received everything, and so be older than what was acknowledged:
    /// entries stamped before the number answered here no longer count. That number is above all of
    /// theirs, and above every number that the asking node has seen: a sequence behind that is an
    /// older state, too. Where Redis does not tell its run, that alone decides.
    /// KEYS: sequence, run. ARGV: the highest number seen, the run's id or nothing.
    BEGIN, "bus begin" =
        "local last, run = tonumber(redis.call('GET', KEYS[1]) or 0), ARGV[2]
         local is_other = run ~= '' and redis.call('HGET', KEYS[2], 'run') ~= run
         if is_other or last < tonumber(ARGV[1]) or redis.call('HEXISTS', KEYS[2], 'floor') == 0 then
           last = math.max(last, tonumber(ARGV[1]))
           redis.call('DEL', KEYS[1])
           begin(KEYS[1])
           if tonumber(redis.call('GET', KEYS[1])) <= last then
             redis.call('SET', KEYS[1], string.format('%.0f', last + 1))
           end
           redis.call('HSET', KEYS[2], 'floor', redis.call('GET', KEYS[1]))
           if run ~= '' then redis.call('HSET', KEYS[2], 'run', run) end
         end
         begin(KEYS[1])
         return redis.call('HGET', KEYS[2], 'floor')";
}

impl Bus {
    /// Gives the sequence a number to begin at. Entries stamped before the number that it answers
    /// do not count. `run_id` is the server's; empty where it tells none.
    pub(crate) async fn begin(
        &self,
        connection: &mut MultiplexedConnection,
        run_id: &str,
    ) -> RedisResult<u64> {
        let mut begin = BEGIN.prepare_invoke();
        begin.key(self.sequence()).key(self.beside("bus:run")).arg(self.seen()).arg(run_id);
        let floor = begin.invoke_async(connection).await?;
        self.saw(floor);
        Ok(floor)
    }
}

fn script(body: &str) -> Script {
    Script::new(&format!("{ANNOUNCE}{body}"))
}
