//! How Redis remembers the invalidation of more tags than it keeps by name.

/// The folding of tags that are too many to be kept by name.
///
/// Beyond the limit the older half is folded, some tags with each invalidation. A slice is a bitmap
/// of 128 KiB beside the hash, used as a Bloom filter: each tag sets five bits. A slice covers tags
/// invalidated up to its last number. It mistakes a tag that was not folded for a folded one in 3
/// of 10 000 cases. Beyond 32 slices the oldest is forgotten. Any tag may then have been
/// invalidated up to that slice's last number, the horizon; the same holds for the time before
/// there were slices.
///
/// Nodes of an earlier version do not know slices. To them a folded tag was invalidated at `since`,
/// which is raised before any tag is folded. When they delete the hash, the slices no longer count.
pub(super) const FOLD: &str = "
local BITS, MAX_SLICES, AT_ONCE = 1048576, 32, 100
local function read_slices(tags)
  local slices = {}
  for id, last, n in string.gmatch(redis.call('HGET', tags, 'slices') or '', '(%d+):(%d+):(%d+)') do
    slices[#slices + 1] = {id = id, last = last, n = tonumber(n)}
  end
  return slices
end
local function write_slices(tags, slices)
  local texts = {}
  for i, slice in ipairs(slices) do
    texts[i] = slice.id .. ':' .. slice.last .. ':' .. string.format('%.0f', slice.n)
  end
  redis.call('HSET', tags, 'slices', table.concat(texts, ' '))
end
local function each_bit(tag, act)
  local hash = redis.sha1hex(tag)
  for i = 1, 40, 8 do
    if act(tonumber(string.sub(hash, i, i + 7), 16) % BITS) then return true end
  end
  return false
end
-- An evicted bitmap may have held any tag. One extra bit shows that the bitmap is there.
local function may_have(tags, slice, tag)
  local bitmap = tags .. ':' .. slice.id
  if redis.call('GETBIT', bitmap, BITS) == 0 then return true end
  return not each_bit(tag, function(bit) return redis.call('GETBIT', bitmap, bit) == 0 end)
end
-- About the median of the numbers at which tags were invalidated.
local function middle(tags)
  local sample, numbers = redis.call('HRANDFIELD', tags, 128, 'WITHVALUES'), {}
  for i = 1, #sample, 2 do
    if string.sub(sample[i], 1, 4) == 'tag:' then
      numbers[#numbers + 1] = tonumber(sample[i + 1])
    end
  end
  table.sort(numbers)
  return numbers[math.ceil(#numbers / 2)]
end
local function begin_slice(tags, since, horizon)
  local last, slices = middle(tags), read_slices(tags)
  local newest = slices[#slices]
  if #slices == MAX_SLICES then
    local oldest = table.remove(slices, 1)
    horizon = oldest.last
    redis.call('HINCRBY', tags, 'forgotten', oldest.n)
  end
  local id = newest and string.format('%.0f', newest.id % MAX_SLICES + 1) or '1'
  slices[#slices + 1] = {id = id, last = string.format('%.0f', last), n = 0}
  redis.call('UNLINK', tags .. ':' .. id)
  redis.call('SETBIT', tags .. ':' .. id, BITS, 1)
  since = string.format('%.0f', math.max(tonumber(since), last))
  redis.call('HSET', tags, 'since', since, 'horizon', horizon)
  write_slices(tags, slices)
  return slices
end
local function fold(tags, max)
  local known = redis.call('HMGET', tags, 'cursor', 'since', 'horizon')
  local cursor, slices = known[1], nil
  if cursor then
    slices = read_slices(tags)
  elseif redis.call('HLEN', tags) > max then
    cursor, slices = '0', begin_slice(tags, known[2], known[3] or known[2])
  end
  if not slices or #slices == 0 then return end
  local slice = slices[#slices]
  local last, n = tonumber(slice.last), 0
  local found = redis.call('HSCAN', tags, cursor, 'COUNT', AT_ONCE)
  for i = 1, #found[2], 2 do
    local field, number = found[2][i], tonumber(found[2][i + 1])
    if string.sub(field, 1, 4) == 'tag:' and number <= last then
      each_bit(string.sub(field, 5), function(bit)
        redis.call('SETBIT', tags .. ':' .. slice.id, bit, 1)
      end)
      redis.call('HDEL', tags, field)
      n = n + 1
    end
  end
  slice.n = slice.n + n
  write_slices(tags, slices)
  redis.call('HINCRBY', tags, 'folded', n)
  if found[1] == '0' then
    redis.call('HDEL', tags, 'cursor')
  else
    redis.call('HSET', tags, 'cursor', found[1])
  end
end
";
