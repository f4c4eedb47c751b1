use redis::Script;

use crate::connection::{ANNOUNCE, scripts};

scripts! {
    script;

    /// Queues a value, removes the key's entry with its lease, and announces it. Returns {1,
    /// version}, {2, version} if it replaced a waiting one, {0} if there is no room, {-1, version}
    /// if a newer one waits.
    /// KEYS: stream, values, aside, sequence, entry, bus.
    /// ARGV: key, schema and value, version or "", capacity, then the message.
    ENQUEUE, "enqueue" =
        "local old = redis.call('HGET', KEYS[2], ARGV[1])
         if not old
           and redis.call('XLEN', KEYS[1]) + redis.call('XLEN', KEYS[3]) >= tonumber(ARGV[4]) then
           return {0}
         end
         local version = ARGV[3]
         if version == '' then version = next_version(KEYS[4]) end
         if old and not above(version, version_of(old)) then return {-1, version_of(old)} end
         redis.call('HSET', KEYS[2], ARGV[1], version .. ':' .. ARGV[2])
         -- The waiting row may have been left to nodes of the older value's schema.
         if not old or schema_of(old) ~= string.match(ARGV[2], '^%d+') then
           redis.call('XADD', KEYS[1], '*', 'k', ARGV[1])
         end
         remove(KEYS[5], 6, 5)
         announce(6, 5)
         return {old and 2 or 1, version}";

    /// Takes rows that no consumer has and this schema can read: first those that nodes of other
    /// schemas have left, then new ones. Leaves the rest to nodes of their schema, by the thousand,
    /// so that none of them is examined twice. Returns {waiting, oldest age in ms or -1, dead
    /// letters, left to other schemas, 1 if there may be more, {id, key, value}…}.
    /// KEYS: stream, values, aside. ARGV: group, consumer, schema, oldest schema, count.
    TAKE, "queue take" =
        "group(KEYS[1], ARGV[1])
         local rows, count, others, looked = {}, tonumber(ARGV[5]), 0, 0
         for _, of in ipairs(consumers()) do
           local schema = string.match(of.name, '^schema:(%d+)$')
           if schema and reads(schema) then
             take_left(rows, of.name, count)
           elseif schema then
             others = others + of.pending
           end
         end
         while #rows < count and looked < 1000 do
           local n = math.min(count - #rows, 1000 - looked)
           local read = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', n,
             'STREAMS', KEYS[1], '>')
           if not read then break end
           looked = looked + #read[1][2]
           for _, row in ipairs(read[1][2]) do
             if hold(rows, row[1], row[2][2]) == 'left' then others = others + 1 end
           end
         end
         local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
         local age = -1
         if oldest then
           local now = redis.call('TIME')
           age = math.max(0, now[1] * 1000 + math.floor(now[2] / 1000)
             - tonumber(string.match(oldest[1], '^%d+')))
         end
         return {redis.call('XLEN', KEYS[1]), age, redis.call('XLEN', KEYS[3]), others,
           looked >= 1000 and 1 or 0, rows}";

    /// Claims rows that their consumer has not touched for long: up to a number of rows on which at
    /// most one consumer fell silent, or else a single row. Examines at most a hundred rows.
    /// Removes consumers that have been silent for ten times as long and hold nothing. Returns
    /// {next cursor, deliveries, {id, key, value}…}.
    /// KEYS: stream, values. ARGV: group, consumer, schema, oldest schema, idle milliseconds,
    /// cursor, count.
    CLAIM, "queue claim" =
        "group(KEYS[1], ARGV[1])
         local rows, n = {}, 0
         local from = ARGV[6] == '0-0' and '-' or '(' .. ARGV[6]
         local found = redis.call('XPENDING', KEYS[1], ARGV[1], 'IDLE', ARGV[5], from, '+', 100)
         local cursor = #found < 100 and '0-0' or found[100][1]
         for at, row in ipairs(found) do
           local id, of = row[1], row[2]
           local deliveries = row[4] + (of == ARGV[2] and 0 or 1)
           local schema = string.match(of, '^schema:(%d+)$')
           if not schema or reads(schema) then
             if #rows > 0 and (deliveries > 2 or #rows >= tonumber(ARGV[7])) then
               cursor = found[at - 1][1]
               break
             end
             local entry = redis.call('XRANGE', KEYS[1], id, id)[1]
             if not entry then
               redis.call('XACK', KEYS[1], ARGV[1], id)
             elseif hold(rows, id, entry[2][2]) == 'held' then
               redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, id, 'RETRYCOUNT', deliveries,
                 'JUSTID')
               n = math.max(n, deliveries)
               if deliveries > 2 then
                 cursor = id
                 break
               end
             end
           end
         end
         if #rows == 0 and cursor == '0-0' then
           for _, of in ipairs(consumers()) do
             if of.pending == 0 and of.name ~= ARGV[2] and of.idle > 10 * ARGV[5] then
               redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], of.name)
             end
           end
         end
         return {cursor, n, rows}";

    /// The current state of the rows that this consumer still has and whose schema it reads: {id,
    /// key, value}….
    /// KEYS: stream, values. ARGV: group, consumer, schema, oldest schema, then id and key of each.
    AGAIN, "queue again" =
        "group(KEYS[1], ARGV[1])
         local rows = {}
         for i = 5, #ARGV, 2 do
           if keep(ARGV[i], 'IDLE', 0) then hold(rows, ARGV[i], ARGV[i + 1]) end
         end
         return rows";

    /// Records that the consumer still works on its rows.
    /// KEYS: stream. ARGV: group, consumer, then ids.
    KEEP, "queue keep" =
        "group(KEYS[1], ARGV[1])
         for i = 3, #ARGV do keep(ARGV[i], 'IDLE', 0) end
         return 0";

    /// Records that the consumer did not fall silent on its rows.
    /// KEYS: stream. ARGV: group, consumer, then ids.
    OUTLIVE, "queue outlive" =
        "group(KEYS[1], ARGV[1])
         for i = 3, #ARGV do keep(ARGV[i], 'IDLE', 0, 'RETRYCOUNT', 1) end
         return 0";

    /// Lets other consumers claim this one's rows at once, as rows on which no consumer fell
    /// silent.
    /// KEYS: stream. ARGV: group, consumer, then ids.
    HAND_OVER, "queue hand over" =
        "group(KEYS[1], ARGV[1])
         for i = 3, #ARGV do keep(ARGV[i], 'IDLE', 86400000, 'RETRYCOUNT', 0) end
         return 0";

    /// Ends rows that the source has. A key that was written again meanwhile waits anew. A dead
    /// letter that is not newer is forgotten. Removes the rows' entries and announces them.
    /// KEYS: stream, values, aside, its ids, then for each row entry and bus.
    /// ARGV: group, then for each row id, key, version, and the message.
    DONE, "queue done" =
        "local any_aside = redis.call('EXISTS', KEYS[4]) == 1
         for row = 0, (#KEYS - 4) / 4 - 1 do
           local k, a = 5 + 4 * row, 2 + 8 * row
           if finish(ARGV[a]) then
             local letter = any_aside and letter_of(ARGV[a + 1])
             if letter and not above(letter.version, ARGV[a + 2]) then
               forget(letter.id, ARGV[a + 1])
             end
             local now = redis.call('HGET', KEYS[2], ARGV[a + 1])
             if now and version_of(now) == ARGV[a + 2] then
               redis.call('HDEL', KEYS[2], ARGV[a + 1])
             elseif now then
               redis.call('XADD', KEYS[1], '*', 'k', ARGV[a + 1])
             end
             remove(KEYS[k], k + 1, a + 3)
             announce(k + 1, a + 3)
           end
         end
         return 0";

    /// Makes a row a dead letter, unless its key was written again meanwhile; then the new value
    /// waits. Of two dead letters of a key the newer one is kept. Returns 1 if this one is kept.
    /// KEYS: stream, values, aside, its ids, entry, bus.
    /// ARGV: group, id, key, version, tries, error, then the message.
    SET_ASIDE, "queue set aside" =
        "if not finish(ARGV[2]) then return 0 end
         local now = redis.call('HGET', KEYS[2], ARGV[3])
         if not now then return 0 end
         if version_of(now) ~= ARGV[4] then
           redis.call('XADD', KEYS[1], '*', 'k', ARGV[3])
           return 0
         end
         local other = ARGV[4] ~= '' and letter_of(ARGV[3])
         local stays = not other or not above(other.version, ARGV[4])
           or #redis.call('XRANGE', KEYS[3], other.id, other.id) == 0
         if stays then
           local id =
             redis.call('XADD', KEYS[3], '*', 'k', ARGV[3], 'v', now, 'n', ARGV[5], 'e', ARGV[6])
           if other then redis.call('XDEL', KEYS[3], other.id) end
           if ARGV[4] ~= '' then redis.call('HSET', KEYS[4], ARGV[3], id .. ':' .. ARGV[4]) end
         end
         redis.call('HDEL', KEYS[2], ARGV[3])
         remove(KEYS[5], 6, 7)
         announce(6, 7)
         return stays and 1 or 0";

    /// Reads dead letters, oldest first, up to a number of them and of bytes. Returns {now in ms,
    /// the total, 1 if there are more up to the end, {id, key, value or "", version, tries,
    /// reason}…}.
    /// KEYS: aside. ARGV: first id, last id or "" for now, count, bytes, 1 for the values too.
    DEAD_LETTERS, "queue dead letters" =
        "local time = redis.call('TIME')
         local now = time[1] * 1000 + math.floor(time[2] / 1000)
         local from, to = ARGV[1], ARGV[2]
         if to == '' or (tonumber(to) and tonumber(to) > now) then
           to = string.format('%.0f', now)
         end
         local count, room, letters, more = tonumber(ARGV[3]), tonumber(ARGV[4]), {}, 0
         repeat
           local rows = redis.call('XRANGE', KEYS[1], from, to, 'COUNT', 16)
           for _, row in ipairs(rows) do
             if #letters >= count or room <= 0 then more = 1 break end
             local of = fields(row[2])
             local value = of.v or ''
             room = room - #value
             letters[#letters + 1] = {row[1], of.k or '', ARGV[5] == '1' and value or '',
               version_of(value), of.n or '', of.e or ''}
             from = '(' .. row[1]
           end
         until more == 1 or #rows < 16
         return {now, redis.call('XLEN', KEYS[1]), more, letters}";

    /// Queues dead letters again. If a value of a key waits that is at least as new, its dead
    /// letter is dropped. A dead letter is removed only after its value waits, so that nothing is
    /// lost if Redis refuses half-way. One without key or value stays. Returns {queued again,
    /// dropped, left}.
    /// KEYS: stream, values, aside, its ids, then for each entry and bus.
    /// ARGV: for each id and the message.
    REDRIVE_MANY, "queue redrive many" =
        "local redriven, dropped = 0, 0
         for at = 0, (#KEYS - 4) / 4 - 1 do
           local k, a = 5 + 4 * at, 1 + 6 * at
           local row = redis.call('XRANGE', KEYS[3], ARGV[a], ARGV[a])[1]
           local of = row and fields(row[2])
           if row and of.k and of.v then
             local waits = redis.call('HGET', KEYS[2], of.k)
             if not waits or above(version_of(of.v), version_of(waits)) then
               redis.call('HSET', KEYS[2], of.k, of.v)
               if not waits or schema_of(waits) ~= schema_of(of.v) then
                 redis.call('XADD', KEYS[1], '*', 'k', of.k)
               end
               remove(KEYS[k], k + 1, a + 1)
               announce(k + 1, a + 1)
               redriven = redriven + 1
             else
               dropped = dropped + 1
             end
             forget(ARGV[a], of.k)
           end
         end
         return {redriven, dropped, redis.call('XLEN', KEYS[3])}";

    /// Forgets dead letters. Returns {forgotten, left}.
    /// KEYS: stream, values, aside, its ids. ARGV: for each id and key.
    FORGET, "queue forget" =
        "local forgotten = 0
         for a = 1, #ARGV, 2 do forgotten = forgotten + forget(ARGV[a], ARGV[a + 1]) end
         return {forgotten, redis.call('XLEN', KEYS[3])}";
}

/// Versions are decimal text, since Lua's numbers are exact only to 2^53. A generated version is
/// the time in microseconds, so that it grows even if Redis loses the last one.
const COMMON: &str = "
local function version_of(stored)
  return string.match(stored, '^%d*')
end
local function above(a, b)
  return #a > #b or (#a == #b and a > b)
end
local function next_version(key)
  local now = redis.call('TIME')
  local version = now[1] * 1000000 + now[2]
  local last = tonumber(redis.call('GET', key) or 0)
  if version <= last then version = last + 1 end
  local text = string.format('%.0f', version)
  redis.call('SET', key, text)
  return text
end
local function group(stream, name)
  if redis.call('EXISTS', stream) == 0 or #redis.call('XINFO', 'GROUPS', stream) == 0 then
    redis.call('XGROUP', 'CREATE', stream, name, '0', 'MKSTREAM')
  end
end
local function finish(id)
  local ours = redis.call('EXISTS', KEYS[1]) == 1
    and redis.call('XACK', KEYS[1], ARGV[1], id) == 1
  if ours then redis.call('XDEL', KEYS[1], id) end
  return ours
end
local function keep(id, ...)
  if not redis.call('XPENDING', KEYS[1], ARGV[1], id, id, 1, ARGV[2])[1] then return false end
  redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, id, 'JUSTID', ...)
  return true
end
local function fields(flat)
  local of = {}
  for i = 1, #flat, 2 do of[flat[i]] = flat[i + 1] end
  return of
end
-- The dead letter of a key, stored as 'id:version'. Earlier builds neither write nor remove these:
-- a dead letter may be missing here, or be gone already.
local function letter_of(key)
  local id, version = string.match(redis.call('HGET', KEYS[4], key) or '', '^(%d+%-%d+):(%d*)$')
  return id and {id = id, version = version}
end
local function forget(id, key)
  local letter = letter_of(key)
  if letter and letter.id == id then redis.call('HDEL', KEYS[4], key) end
  return redis.call('XDEL', KEYS[3], id)
end
local function schema_of(stored)
  return string.match(stored, '^%d*:(%d+):')
end
-- Whether this node reads a schema: its own, or an older one that it can migrate.
local function reads(schema)
  return tonumber(schema) <= tonumber(ARGV[3]) and tonumber(schema) >= tonumber(ARGV[4])
end
local function consumers()
  local all = {}
  for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
    all[#all + 1] = fields(flat)
  end
  return all
end
-- Handles a row that a consumer of the group has been given. The row is held, finished, or left to
-- nodes of its schema, in the name of a consumer that stands for them. Malformed rows are held. A
-- key is held once.
local mine = {}
local function hold(rows, id, key)
  -- A replaced value of another schema may have left a second row.
  if mine[key] then
    finish(id)
    return 'finished'
  end
  local value = redis.call('HGET', KEYS[2], key)
  if not value then
    finish(id)
    return 'finished'
  end
  local schema = schema_of(value)
  if schema and not reads(schema) then
    redis.call('XCLAIM', KEYS[1], ARGV[1], 'schema:' .. schema, 0, id, 'JUSTID')
    return 'left'
  end
  mine[key] = true
  rows[#rows + 1] = {id, key, value}
  return 'held'
end
local function take_left(rows, name, count)
  if #rows >= count then return end
  local left = redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', count - #rows, name)
  for _, row in ipairs(left) do
    local entry = redis.call('XRANGE', KEYS[1], row[1], row[1])[1]
    if not entry then
      redis.call('XACK', KEYS[1], ARGV[1], row[1])
    elseif hold(rows, row[1], entry[2][2]) == 'held' then
      redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, row[1], 'RETRYCOUNT', 1, 'JUSTID')
    end
  end
end
";

fn script(body: &str) -> Script {
    Script::new(&format!("{ANNOUNCE}{COMMON}{body}"))
}
