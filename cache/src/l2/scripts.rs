use std::sync::LazyLock;

use redis::Script;

/// Removes an entry, which takes its lease as well, and announces it on the bus.
/// Answers 1 if an entry, not just a lease, was there.
/// KEYS: entry, bus, sequence. ARGV: magic, then the message.
pub(super) static REMOVE: LazyLock<Script> = LazyLock::new(|| {
    script(
        "local head = redis.pcall('GETRANGE', KEYS[1], 0, #ARGV[1] - 1)
         redis.call('UNLINK', KEYS[1])
         announce(KEYS[2], KEYS[3], 2)
         return head == ARGV[1] and 1 or 0",
    )
});

/// Announces on the bus alone. KEYS: bus, sequence. ARGV: the message.
pub(super) static ANNOUNCE: LazyLock<Script> = LazyLock::new(|| {
    script(
        "announce(KEYS[1], KEYS[2], 1)
         return 0",
    )
});

/// Writes each entry where what lies there still begins as it did when we looked: with our lease,
/// or with the entry that we refresh. KEYS: entries. ARGV: for each key what it must begin with,
/// the entry, and milliseconds to live. Answers 1 or 0 for each.
pub(super) static COMMIT: LazyLock<Script> = LazyLock::new(|| {
    script(
        "local done = {}
         for i, key in ipairs(KEYS) do
           done[i] = 0
           if begins(key, ARGV[3 * i - 2]) then
             redis.call('SET', key, ARGV[3 * i - 1], 'PX', ARGV[3 * i])
             done[i] = 1
           end
         end
         return done",
    )
});

/// Puts a lease in the place of what cannot be used, if it is still there.
/// KEYS: entry. ARGV: what it must begin with, the lease, milliseconds to live.
pub(super) static CLAIM: LazyLock<Script> = LazyLock::new(|| {
    script(
        "if not begins(KEYS[1], ARGV[1]) then return 0 end
         redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
         return 1",
    )
});

/// Marks an entry as invalidated softly and announces it. Answers 1 if an entry was there.
/// KEYS: entry, bus, sequence. ARGV: magic, where "fresh until" stands, then the message.
pub(super) static SOFTEN: LazyLock<Script> = LazyLock::new(|| {
    script(
        "local there = begins(KEYS[1], ARGV[1])
         if there then
           redis.call('SETRANGE', KEYS[1], ARGV[2], string.rep('\\0', 8))
         else
           redis.call('UNLINK', KEYS[1])
         end
         announce(KEYS[2], KEYS[3], 3)
         return there and 1 or 0",
    )
});

/// Writes an entry if the lease is still ours, else removes what is there; announces either way.
/// KEYS: entry, bus, sequence. ARGV: lease, entry, milliseconds to live, then the message.
pub(super) static REPLACE: LazyLock<Script> = LazyLock::new(|| {
    script(
        "local done = 0
         if begins(KEYS[1], ARGV[1]) then
           redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
           done = 1
         else
           redis.call('UNLINK', KEYS[1])
         end
         announce(KEYS[2], KEYS[3], 4)
         return done",
    )
});

/// Gives leases back. KEYS: entries. ARGV: the lease.
pub(super) static RELEASE: LazyLock<Script> = LazyLock::new(|| {
    script(
        "for _, key in ipairs(KEYS) do
           if begins(key, ARGV[1]) then redis.call('DEL', key) end
         end
         return 0",
    )
});

/// Messages carry a sequence number of their own, so that a reader notices any gap.
const COMMON: &str = "
local function announce(bus, sequence, at)
  local n = redis.call('INCR', sequence)
  redis.call('XADD', bus, 'MAXLEN', '~', ARGV[at], '*', 's', n, 'k', ARGV[at + 1],
    'c', ARGV[at + 2], 't', ARGV[at + 3], 'o', ARGV[at + 4])
end
local function begins(key, text)
  return redis.pcall('GETRANGE', key, 0, #text - 1) == text
end
";

fn script(body: &str) -> Script {
    Script::new(&format!("{COMMON}{body}"))
}
