//! Shared parts of Lua scripts: the macro that names them, and the functions that announce on the
//! bus.

use std::sync::LazyLock;

use redis::Script;

/// The beginning of every script that announces. `announce(k, at, targets)` appends messages to the
/// bus whose keys begin at `k`: bus, sequence, last numbers. It appends one for each target, or one
/// with the target in its arguments. The arguments begin at `at`. It returns the number of the last
/// message. `remove(entry, k, at)` removes the message's entry under every schema.
///
/// Messages carry a number, so that a reader notices any gap. If the number is lost, it continues
/// at the server's time in microseconds. It therefore never returns to a value that an entry was
/// stamped with.
///
/// The hash of last numbers shows which caches a gap affects. It has the number of each cache's
/// last message, `#` for the last number recorded here, and `*` for the last number that was not
/// recorded, because a node of an earlier version gave it out. The stream keeps about 16 MiB,
/// counting 128 bytes of overhead for each target.
///
/// A sorted set beside the bus lists the cache's schemas other than 0, each with the millisecond
/// until which its entries may live. Each message names the schemas whose entries were removed with
/// it, so that nodes of another schema know that theirs were not.
pub(crate) const ANNOUNCE: &str = "
local known
local function schemas(k, at)
  if known then return known end
  known = {}
  local registry = string.sub(KEYS[k], 1, -4) .. 'schemas:' .. ARGV[at + 2]
  local found = redis.pcall('ZRANGE', registry, 0, -1, 'WITHSCORES')
  -- The key has another type, or may not be read: nodes of other schemas remove their entries
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
-- Acts on the entry at a key, and on the entries of its target under other schemas.
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
  -- Trims first: while memory is full, Redis refuses additions unless something was removed before.
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

/// Declares a module's scripts, each with its name in slow logs and traces. The first argument is
/// the function that builds a script from its text. `NAMED` lists all of them, so that none lacks a
/// name.
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
