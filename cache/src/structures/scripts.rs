use redis::Script;

use crate::connection::scripts;

scripts! {
    Script::new;

    /// Sets fields and returns how many are new. Makes one call for each, since Lua can unpack only
    /// some thousand values.
    /// KEYS: hash. ARGV: milliseconds to live, then field and value by turns.
    SET_FIELDS, "set fields" =
        "local new = 0
         for i = 2, #ARGV, 2 do
           new = new + redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
         end
         redis.call('PEXPIRE', KEYS[1], ARGV[1])
         return new";

    /// Pushes values, trims, and returns the length.
    /// KEYS: list. ARGV: milliseconds to live, LPUSH or RPUSH, first and last to keep, then the
    /// values.
    PUSH, "push" =
        "for i = 5, #ARGV do redis.call(ARGV[2], KEYS[1], ARGV[i]) end
         redis.call('LTRIM', KEYS[1], ARGV[3], ARGV[4])
         redis.call('PEXPIRE', KEYS[1], ARGV[1])
         return redis.call('LLEN', KEYS[1])";

    /// Adds and returns the sum as text, since Lua's own numbers are exact only to 53 bits.
    /// KEYS: counter. ARGV: milliseconds to live, what to add.
    ADD, "add" =
        "redis.call('INCRBY', KEYS[1], ARGV[2])
         redis.call('PEXPIRE', KEYS[1], ARGV[1])
         return redis.call('GET', KEYS[1])";

    /// As `ADD`, but only the first write sets how long the counter lives.
    ADD_IN_WINDOW, "add in window" =
        "redis.call('INCRBY', KEYS[1], ARGV[2])
         redis.call('PEXPIRE', KEYS[1], ARGV[1], 'NX')
         return redis.call('GET', KEYS[1])";

    /// Sets a counter. INCRBY comes first, since SET alone would replace a value of any kind.
    /// KEYS: counter. ARGV: milliseconds to live, the number.
    SET_COUNTER, "set counter" =
        "redis.call('INCRBY', KEYS[1], 0)
         redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[1])
         return 0";
}
