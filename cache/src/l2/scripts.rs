//! The atomic steps on entries, as Lua scripts.

use redis::Script;

use super::envelope::{HEADER, MAGIC, VERSION_AT};
use super::tag_folding::FOLD;
use crate::connection;
use crate::connection::scripts;

scripts! {
    script;

    /// Removes entries under every schema together with their leases, and announces each on the
    /// bus. Returns how many entries, not counting leases, were there.
    /// KEYS: entries, bus. ARGV: the message, then the target of each entry's message.
    REMOVE, "remove" =
        "local removed, targets, bus = 0, {}, #KEYS - 2
         local function take(key)
           if begins(key, MAGIC) then removed = removed + 1 end
           redis.call('UNLINK', key)
         end
         for i = 1, bus - 1 do
           targets[i] = ARGV[5 + i]
           each(KEYS[i], bus, 1, targets[i], take)
         end
         announce(bus, 1, targets)
         return removed";

    /// Invalidates a tag and announces it. Returns the announcement's number, the number of tags
    /// kept by name, of those folded, and of those forgotten.
    /// KEYS: tags, bus. ARGV: tag, tags kept at most, then the message.
    INVALIDATE_TAG, "invalidate tag" =
        "local n = string.format('%.0f', announce(2, 3))
         redis.call('HSETNX', KEYS[1], 'since', n)
         redis.call('HSET', KEYS[1], 'tag:' .. ARGV[1], n)
         -- The tag is invalidated whether or not other tags can be folded.
         pcall(fold, KEYS[1], tonumber(ARGV[2]))
         local known = redis.call('HMGET', KEYS[1], 'horizon', 'folded', 'forgotten')
         local names = redis.call('HLEN', KEYS[1]) - 1
         return {n, names, known[1] and known[2] or '0', known[1] and known[3] or '0'}";

    /// For tags that are not kept by name, the number of the bus until which each may have been
    /// invalidated; nothing if that is unknown. KEYS: tags. ARGV: the tags.
    FOLDED, "folded tags" =
        "local slices, found = read_slices(KEYS[1]), {}
         local known = redis.call('HMGET', KEYS[1], 'horizon', 'since')
         for i, tag in ipairs(ARGV) do
           found[i] = known[1] or known[2]
           for _, slice in ipairs(known[1] and slices or {}) do
             if may_have(KEYS[1], slice, tag) and tonumber(slice.last) > tonumber(found[i]) then
               found[i] = slice.last
             end
           end
         end
         return found";

    /// Only announces on the bus. KEYS: bus. ARGV: the message.
    ANNOUNCE, "announce" =
        "announce(1, 1)
         return 0";

    /// Writes each entry if the key's content still begins as the caller saw it: with the caller's
    /// lease, or with the entry that it refreshes under a lease beside it, which is given back.
    /// Does not write if the key has a newer row's entry, if a tag was invalidated meanwhile, or if
    /// the entry is empty. Returns 1 or 0 for each.
    /// KEYS: entries, tags, sequence, schemas. ARGV: schema, then for each entry the expected
    /// beginning, the entry, milliseconds to live, stamp, number of tags, the tags.
    COMMIT, "commit" =
        "local done, at = {}, 2
         for i = 1, #KEYS - 3 do
           local key, n = KEYS[i], tonumber(ARGV[at + 4])
           done[i] = 0
           local begins_so = still_begins(key, ARGV[at])
           if begins_so and ARGV[at + 1] == '' then
             redis.call('UNLINK', key)
             done[i] = 1
           elseif begins_so and not holds_newer(key, ARGV[at + 1]) then
             if tags_hold(KEYS[#KEYS - 2], KEYS[#KEYS - 1], ARGV[at + 3], at + 5, n) then
               lives(KEYS[#KEYS], ARGV[1], ARGV[at + 2])
               redis.call('SET', key, ARGV[at + 1], 'PX', ARGV[at + 2])
               done[i] = 1
             else
               redis.call('UNLINK', key)
             end
           end
           at = at + 5 + n
         end
         return done";

    /// Replaces unusable content by a lease, if it is still there.
    /// KEYS: entry. ARGV: its expected beginning, the lease, milliseconds to live.
    CLAIM, "claim" =
        "if not begins(KEYS[1], ARGV[1]) then return 0 end
         redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
         return 1";

    /// Takes the lease of each refresh if the entry still begins as the caller saw it. Returns for
    /// each the lease that is there now, or nothing if the entry has changed.
    /// KEYS: entries. ARGV: the lease, milliseconds to live, then the expected beginning of each
    /// entry.
    ACQUIRE_REFRESH, "acquire refresh" =
        "local held = {}
         for i, key in ipairs(KEYS) do
           held[i] = ''
           if begins(key, ARGV[2 + i]) then
             held[i] = redis.call('GET', lease_beside(key))
             if not held[i] then
               redis.call('SET', lease_beside(key), ARGV[1], 'PX', ARGV[2])
               held[i] = ARGV[1]
             end
           end
         end
         return held";

    /// Renews leases. KEYS: the leases' keys. ARGV: the lease, milliseconds to live.
    RENEW, "renew" =
        "for _, key in ipairs(KEYS) do
           if begins(key, ARGV[1]) then redis.call('PEXPIRE', key, ARGV[2]) end
         end
         return 0";

    /// Marks an entry as invalidated softly, under every schema, cancels the lease of a running
    /// refresh, and announces it. Returns how many entries were there.
    /// KEYS: entry, bus. ARGV: the offset of "fresh until", then the message.
    MARK_STALE, "soften" =
        "local there = 0
         each(KEYS[1], 2, 2, ARGV[5], function(key)
           redis.call('UNLINK', lease_beside(key))
           if begins(key, MAGIC) then
             redis.call('SETRANGE', key, ARGV[1], string.rep('\\0', 8))
             there = there + 1
           else
             redis.call('UNLINK', key)
           end
         end)
         announce(2, 2)
         return there";

    /// Writes an entry if the lease is still held and its tags hold. Otherwise removes the content
    /// of the key, unless it is of a newer row, and likewise the entries of other schemas.
    /// Announces in every case. Returns 1 if nothing came in between; an empty entry is then not
    /// written, and the content is removed.
    /// KEYS: entry, tags, schemas, bus. ARGV: schema, lease, entry, milliseconds to live, stamp,
    /// number of tags, the tags, then the message.
    REPLACE, "replace" =
        "local done, n = 0, tonumber(ARGV[6])
         local function write(key)
           local is_ours = key == KEYS[1] and begins(key, ARGV[2])
           if ARGV[3] == '' then
             if is_ours then done = 1 end
             redis.call('UNLINK', key)
           elseif not holds_newer(key, ARGV[3]) then
             if is_ours and tags_hold(KEYS[2], KEYS[5], ARGV[5], 7, n) then
               lives(KEYS[3], ARGV[1], ARGV[4])
               redis.call('SET', key, ARGV[3], 'PX', ARGV[4])
               done = 1
             else
               redis.call('UNLINK', key)
             end
           end
         end
         each(KEYS[1], 4, 7 + n, ARGV[10 + n], write)
         announce(4, 7 + n)
         return done";

    /// Gives leases back. KEYS: the leases' keys. ARGV: the lease.
    RELEASE, "release" =
        "for _, key in ipairs(KEYS) do
           if begins(key, ARGV[1]) then redis.call('DEL', key) end
         end
         return 0";
}

/// Functions that the scripts share, after the bus's own.
const COMMON: &str = "
local function begins(key, text)
  return redis.pcall('GETRANGE', key, 0, #text - 1) == text
end
-- The key of the lease of a refresh, whose entry stays in place.
local function lease_beside(entry)
  return (string.gsub(entry, '}:', '}!lease:', 1))
end
-- Whether the key's content begins as expected: with a lease, or with the header of an entry. If a
-- lease follows the header, it must lie beside the entry, and is removed.
local function still_begins(key, expected)
  local lease = ''
  if string.sub(expected, 1, #MAGIC) == MAGIC then
    lease = string.sub(expected, HEADER + 1)
    expected = string.sub(expected, 1, HEADER)
  end
  if lease ~= '' then
    local beside = lease_beside(key)
    if not begins(beside, lease) then return false end
    redis.call('UNLINK', beside)
  end
  return begins(key, expected)
end
local function version_of(entry)
  return struct.unpack('>I4I4', entry, VERSION_AT + 1)
end
-- Whether an entry of a newer row lies at the key.
local function holds_newer(key, entry)
  local high, low = version_of(entry)
  if (high == 0 and low == 0) or not begins(key, MAGIC) then return false end
  local there = redis.call('GETRANGE', key, 0, HEADER - 1)
  if #there < HEADER then return false end
  local there_high, there_low = version_of(there)
  return there_high > high or (there_high == high and there_low > low)
end
-- Records until when an entry of this schema may lie in Redis.
local function lives(schemas, schema, ms)
  if schema ~= '0' then
    local until_ms = string.format('%.0f', redis.call('TIME')[1] * 1000 + ms + 1000)
    redis.call('ZADD', schemas, 'GT', until_ms, schema)
  end
end
-- Whether none of n tags was invalidated after the stamp. A tag that the hash does not name was
-- invalidated before the hash was made, or never.
local function tags_hold(tags, sequence, stamp, at, n)
  if n == 0 then return true end
  begin(sequence)
  redis.call('HSETNX', tags, 'since', redis.call('GET', sequence))
  local since = redis.call('HGET', tags, 'since')
  for i = at, at + n - 1 do
    local last = redis.call('HGET', tags, 'tag:' .. ARGV[i]) or since
    if tonumber(last) > tonumber(stamp) then return false end
  end
  return true
end
";

fn script(body: &str) -> Script {
    let magic = str::from_utf8(MAGIC).unwrap_or_default();
    let names = format!("local MAGIC, HEADER, VERSION_AT = '{magic}', {HEADER}, {VERSION_AT}\n");
    Script::new(&format!("{names}{}{COMMON}{FOLD}{body}", connection::ANNOUNCE))
}
