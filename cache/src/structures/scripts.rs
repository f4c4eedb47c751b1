use redis::Script;

use crate::connection::scripts;

scripts! {
    Script::new;

    /// Sets fields; answers how many are new. One call for each, since Lua unpacks only some
    /// thousand.
    /// KEYS: hash. ARGV: milliseconds to live, then field and value by turns.
    SET_FIELDS, "set fields" =
        "local new = 0
         for i = 2, #ARGV, 2 do
           new = new + redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
         end
         redis.call('PEXPIRE', KEYS[1], ARGV[1])
         return new";

    /// Pushes values and trims; answers the length.
    /// KEYS: list. ARGV: milliseconds to live, LPUSH or RPUSH, first and last to keep, then the
    /// values.
    PUSH, "push" =
        "for i = 5, #ARGV do redis.call(ARGV[2], KEYS[1], ARGV[i]) end
         redis.call('LTRIM', KEYS[1], ARGV[3], ARGV[4])
         redis.call('PEXPIRE', KEYS[1], ARGV[1])
         return redis.call('LLEN', KEYS[1])";

    /// Adds; answers the sum as text, since Lua's own numbers are exact to 53 bits only.
    /// KEYS: counter. ARGV: milliseconds to live, what to add.
    ADD, "add" =
        "redis.call('INCRBY', KEYS[1], ARGV[2])
         redis.call('PEXPIRE', KEYS[1], ARGV[1])
         return redis.call('GET', KEYS[1])";

    /// As `ADD`, where only the first write says how long the counter lives.
    ADD_IN_WINDOW, "add in window" =
        "redis.call('INCRBY', KEYS[1], ARGV[2])
         redis.call('PEXPIRE', KEYS[1], ARGV[1], 'NX')
         return redis.call('GET', KEYS[1])";

    /// Sets a counter. SET alone would replace a value of any kind.
    /// KEYS: counter. ARGV: milliseconds to live, the number.
    SET_COUNTER, "set counter" =
        "redis.call('INCRBY', KEYS[1], 0)
         redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[1])
         return 0";
}
