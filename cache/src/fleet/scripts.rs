//! The steps of the fleet that must be atomic. Each declares every key that it touches and gives
//! every key that it writes a time to live.

use redis::Script;

use crate::connection::scripts;

/// A node that has not beaten for so long is forgotten, milliseconds.
pub(super) const FORGOTTEN_AFTER_MS: u64 = 600_000;

/// So many wants are heard at most, each of so many bytes.
const MAX_WANTS: usize = 64;
pub(super) const MAX_WANT_BYTES: usize = 16 * 1_024;

/// No fleet has so many consoles: the wants are removed, and those who live say theirs again.
const ABSURD_WANTS: usize = 1_024;

/// What consoles and nodes leave for each other lives for so long, milliseconds.
pub(super) const KEPT_MS: u64 = 60_000;

scripts! {
    script;

    /// One beat of a node: it is there, and this is its card and its report. Writes all that the
    /// node needs to exist, whatever was lost. The first beat of a run that has no report removes
    /// that of the run before. Answers the time in milliseconds, whether a card lies there, and
    /// each console whose time is not over with what it wants; the others are removed.
    /// KEYS: nodes, card, now, want. ARGV: the node, its card or nothing, milliseconds to live, its
    /// report or nothing, milliseconds to live, 1 for the first beat of a run.
    BEAT, "fleet beat" =
        "local now = time_ms()
         fit(KEYS[1], 'zset')
         redis.call('ZADD', KEYS[1], text(now), ARGV[1])
         redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(now - FORGOTTEN))
         -- Redis's clock was set back.
         redis.call('ZREMRANGEBYSCORE', KEYS[1], text(now + KEPT), '+inf')
         redis.call('PEXPIRE', KEYS[1], FORGOTTEN)
         if ARGV[2] ~= '' then redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3]) end
         if ARGV[4] ~= '' then redis.call('SET', KEYS[3], ARGV[4], 'PX', ARGV[5]) end
         if ARGV[4] == '' and ARGV[6] == '1' then redis.call('UNLINK', KEYS[3]) end
         -- What lives for ever is no card.
         fit(KEYS[2], 'string')
         local has_card = redis.call('PTTL', KEYS[2]) > 0
         local answer = {text(now), has_card and '1' or '0'}
         fit(KEYS[4], 'hash')
         if redis.call('HLEN', KEYS[4]) > ABSURD_WANTS then redis.call('UNLINK', KEYS[4]) end
         local wants = redis.call('HGETALL', KEYS[4])
         local heard = 0
         if #wants > 0 and redis.call('PTTL', KEYS[4]) < 0 then
           redis.call('PEXPIRE', KEYS[4], KEPT)
         end
         for i = 1, #wants, 2 do
           if #wants[i + 1] <= MAX_WANT_BYTES and holds(wants[i + 1], now) then
             heard = heard + 1
             if heard <= MAX_WANTS then
               answer[#answer + 1] = wants[i]
               answer[#answer + 1] = wants[i + 1]
             end
           else
             redis.call('HDEL', KEYS[4], wants[i])
           end
         end
         return answer";

    /// A node leaves: removes all that is its own, unless another run has its id by now.
    /// KEYS: nodes, card, now, asks. ARGV: the node, its card as it just lay there.
    GOODBYE, "fleet goodbye" =
        "local card = redis.pcall('GET', KEYS[2])
         if type(card) == 'string' and card ~= ARGV[2] then return 0 end
         redis.pcall('ZREM', KEYS[1], ARGV[1])
         redis.call('UNLINK', KEYS[2], KEYS[3], KEYS[4])
         return 1";

    /// Notes a namespace for those who look for one. Of a part of the list, forgets those not seen for
    /// a day and those that nobody noted: their time is no number, or far ahead. Answers where the
    /// next part begins. KEYS: namespaces. ARGV: the namespace, milliseconds to live, where the part
    /// begins.
    NOTE_NAMESPACE, "fleet namespace" =
        "local now = time_ms()
         fit(KEYS[1], 'hash')
         redis.call('HSET', KEYS[1], ARGV[1], text(now))
         local part = redis.call('HSCAN', KEYS[1], ARGV[3], 'COUNT', 256)
         local seen = part[2]
         for i = 1, #seen, 2 do
           local at = tonumber(seen[i + 1])
           if not at or at < now - ARGV[2] or at > now + KEPT then redis.call('HDEL', KEYS[1], seen[i]) end
         end
         redis.call('PEXPIRE', KEYS[1], ARGV[2])
         return part[1]";

    /// A console says what it wants. Answers the time in milliseconds, and whether what it wanted
    /// before was still there. KEYS: want. ARGV: the console, what it wants.
    WANT, "fleet want" =
        "fit(KEYS[1], 'hash')
         local was_there = redis.call('HEXISTS', KEYS[1], ARGV[1])
         redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
         redis.call('PEXPIRE', KEYS[1], KEPT)
         return {text(time_ms()), text(was_there)}";

    /// A console wants nothing any more. KEYS: want, its replies. ARGV: the console.
    UNWANT, "fleet unwant" =
        "redis.pcall('HDEL', KEYS[1], ARGV[1])
         redis.call('UNLINK', KEYS[2])
         return 1";

    /// A console asks. KEYS: asks to all, or to one. ARGV: how many are kept, the ask.
    ASK, "fleet ask" =
        "fit(KEYS[1], 'stream')
         redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'a', ARGV[2])
         redis.call('PEXPIRE', KEYS[1], KEPT)
         return 1";

    /// A node answers, where the console still wants anything: else nobody would
    /// read it. Answers whether it did. KEYS: want, the console's replies. ARGV: the console, how many
    /// are kept, the reply.
    REPLY, "fleet reply" =
        "fit(KEYS[1], 'hash')
         local want = redis.call('HGET', KEYS[1], ARGV[1])
         if not want or not holds(want, time_ms()) then return 0 end
         fit(KEYS[2], 'stream')
         redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], '*', 'r', ARGV[3])
         redis.call('PEXPIRE', KEYS[2], KEPT)
         return 1";

    /// A node sends consoles events, each as far as it still wants anything. Answers to how many.
    /// KEYS: want, the consoles' replies. ARGV: how many are kept, each console with its events.
    EVENTS, "fleet events" =
        "fit(KEYS[1], 'hash')
         local now, sent = time_ms(), 0
         for i = 2, #KEYS do
           local want = redis.call('HGET', KEYS[1], ARGV[2 * i - 2])
           if want and holds(want, now) then
             fit(KEYS[i], 'stream')
             redis.call('XADD', KEYS[i], 'MAXLEN', '~', ARGV[1], '*', 'e', ARGV[2 * i - 1])
             redis.call('PEXPIRE', KEYS[i], KEPT)
             sent = sent + 1
           end
         end
         return sent";
}

/// Words that the scripts share.
const COMMON: &str = "
local function text(number)
  return string.format('%.0f', number)
end
local function time_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
-- Removes what somebody else has put there.
local function fit(key, kind)
  local there = redis.call('TYPE', key)
  there = there.ok or there
  if there ~= 'none' and there ~= kind then redis.call('UNLINK', key) end
end
-- Whether a console's want can be read and its time is not over.
local function holds(want, now)
  local is_json, read = pcall(cjson.decode, want)
  local ends = is_json and type(read) == 'table' and tonumber(read['until'])
  return ends and ends > now and ends <= now + 2 * KEPT
end
";

fn script(body: &str) -> Script {
    let times = format!("local FORGOTTEN, KEPT = {FORGOTTEN_AFTER_MS}, {KEPT_MS}\n");
    let wants = format!(
        "local MAX_WANTS, MAX_WANT_BYTES, ABSURD_WANTS = \
         {MAX_WANTS}, {MAX_WANT_BYTES}, {ABSURD_WANTS}\n"
    );
    Script::new(&format!("{times}{wants}{COMMON}{body}"))
}
