//! What Lua scripts share: the macro that names them, and the functions that announce on the bus.

use std::sync::LazyLock;

use redis::Script;

/// What every script that announces begins with: `announce(k, at, targets)` appends a message for
/// each target, or one with its own, to the bus whose keys begin at `k`: bus, sequence, last
/// numbers. Its arguments stand at `at`. Answers the last message's number. `remove(entry, k, at)`
/// removes what the message is about under every schema.
///
/// Messages carry a number of their own, so that a reader notices any gap. Where the number is
/// lost it goes on at the server's time in microseconds, so that it never comes back to a value
/// that an entry was stamped with.
///
/// The hash of last numbers tells whom a gap concerns: by cache the number of its last message,
/// `#` the last number recorded here, `*` the last one that was not, because a node of an earlier
/// version gave it out. The stream keeps about 16 MiB, counting 128 bytes for what is around a
/// target.
///
/// A cache's schemas other than 0 stand in a sorted set beside the bus, by the millisecond until
/// which their entries may live. Each message names those whose entries were removed with it, so
/// that nodes of another one know that theirs was not.
pub(crate) const ANNOUNCE: &str = "
local known
local function schemas(k, at)
  if known then return known end
  known = {}
  local registry = string.sub(KEYS[k], 1, -4) .. 'schemas:' .. ARGV[at + 2]
  local found = redis.pcall('ZRANGE', registry, 0, -1, 'WITHSCORES')
  -- Something else lies there, or may not be read: nodes of other schemas remove their entries
  -- themselves.
  if found.err then
    if string.find(found.err, 'WRONGTYPE', 1, true) then redis.call('UNLINK', registry) end
    return known
  end
  local now = #found > 0 and redis.call('TIME')[1] * 1000
  for i = 1, #found, 2 do
    if tonumber(found[i + 1]) > now then
      known[#known + 1] = found[i]
    else
      redis.call('ZREM', registry, found[i])
    end
  end
  return known
end
-- Acts on what lies at an entry's key, and on the entries of its target under other schemas.
local function each(entry, k, at, target, act)
  act(entry)
  local stem = string.sub(KEYS[k], 1, -5) .. ':' .. ARGV[at + 2]
  local function other(key)
    if key ~= entry then act(key) end
  end
  other(stem .. ':' .. target)
  for _, schema in ipairs(schemas(k, at)) do other(stem .. '@' .. schema .. ':' .. target) end
end
local function remove(entry, k, at)
  each(entry, k, at, ARGV[at + 3], function(key) redis.call('UNLINK', key) end)
end
local function begin(sequence)
  if redis.call('EXISTS', sequence) == 0 then
    local now = redis.call('TIME')
    redis.call('SET', sequence, string.format('%.0f', now[1] * 1000000 + now[2]))
  end
end
local function record(last, cache, before, n)
  local known = redis.call('HMGET', last, '#', '*')
  if not known[2] or tonumber(known[1]) ~= before then
    redis.call('HSET', last, '*', string.format('%.0f', before))
  end
  n = string.format('%.0f', n)
  redis.call('HSET', last, '#', n, cache, n)
end
local function announce(k, at, targets)
  local bus, sequence, last = KEYS[k], KEYS[k + 1], KEYS[k + 2]
  -- Trims first: where memory is full, Redis refuses what adds, unless something went before it.
  redis.call('XTRIM', bus, 'MAXLEN', '~', ARGV[at])
  begin(sequence)
  local before, n
  local removed = table.concat(schemas(k, at), ' ')
  for _, target in ipairs(targets or {ARGV[at + 3]}) do
    local room = math.floor(16777216 / (#target + 128))
    room = math.max(1, math.min(room, tonumber(ARGV[at])))
    n = redis.call('INCR', sequence)
    before = before or n - 1
    redis.call('XADD', bus, 'MAXLEN', '~', room, '*', 's', string.format('%.0f', n),
      'k', ARGV[at + 1], 'c', ARGV[at + 2], 't', target, 'o', ARGV[at + 4], 'v', removed)
  end
  record(last, ARGV[at + 2], before, n)
  return n
end
";

/// A script and its name.
pub(crate) type NamedScript = (&'static str, &'static LazyLock<Script>);

/// Declares a module's scripts, each with the name that slow logs and traces call it by, after the
/// function that makes one from its text. `NAMED` has all of them, so that none goes without.
macro_rules! scripts {
    ($make:path; $($(#[$doc:meta])* $script:ident, $name:literal = $body:literal;)*) => {
        $(
            $(#[$doc])*
            pub(crate) static $script: std::sync::LazyLock<redis::Script> =
                std::sync::LazyLock::new(|| $make($body));
        )*

        /// All of them.
        pub(crate) const NAMED: &[$crate::connection::NamedScript] = &[$(($name, &$script)),*];
    };
}
pub(crate) use scripts;
