//! Which commands nodes send to Redis, by what needs them.

/// What a node does on Redis, and what becomes of it where a command is refused.
pub(super) struct Need {
    pub(super) subject: &'static str,
    /// What is lost without it; `None` where nodes cannot do without.
    pub(super) without: Option<&'static str>,
    pub(super) trials: &'static [Trial],
}

/// One command as nodes send it.
pub(super) struct Trial {
    pub(super) words: &'static [&'static str],
    pub(super) sent: Sent,
}

/// Servers and ACLs may allow a command and refuse it in scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    Alone,
    InScript,
}

impl Trial {
    /// The command's name.
    pub(super) fn command(&self) -> &'static str {
        self.words[0]
    }
}

/// A word that stands for a key of its own: `@` and a name. Keys of one name hold one type.
pub(super) const KEY: char = '@';

const fn alone(words: &'static [&'static str]) -> Trial {
    Trial { words, sent: Sent::Alone }
}

const fn scripted(words: &'static [&'static str]) -> Trial {
    Trial { words, sent: Sent::InScript }
}

/// All of them. A test compares the list with the commands that the code sends.
pub(super) const NEEDS: &[Need] = &[
    Need {
        subject: "Entries in L2",
        without: None,
        trials: &[
            alone(&["PING"]),
            alone(&["SET", "@entry", "v", "PX", "60000"]),
            alone(&["SET", "@lease", "v", "NX", "GET", "PX", "60000"]),
            alone(&["GET", "@entry"]),
            alone(&["MGET", "@entry", "@lease"]),
            alone(&["STRLEN", "@entry"]),
            alone(&["GETRANGE", "@entry", "0", "9"]),
            alone(&["SCAN", "0", "MATCH", "@entry", "COUNT", "10"]),
            alone(&["TIME"]),
            alone(&["PEXPIRE", "@entry", "60000"]),
            scripted(&["TIME"]),
            scripted(&["SET", "@entry", "v", "PX", "60000"]),
            scripted(&["GET", "@entry"]),
            scripted(&["GETRANGE", "@entry", "0", "9"]),
            scripted(&["SETRANGE", "@entry", "0", "w"]),
            scripted(&["EXISTS", "@entry"]),
            scripted(&["PEXPIRE", "@entry", "60000"]),
            scripted(&["DEL", "@lease"]),
            scripted(&["UNLINK", "@entry"]),
            alone(&["UNLINK", "@entry"]),
        ],
    },
    Need {
        subject: "Invalidations between nodes",
        without: None,
        trials: &[
            scripted(&["INCR", "@number"]),
            scripted(&["XADD", "@bus", "MAXLEN", "~", "100", "*", "field", "v"]),
            scripted(&["XTRIM", "@bus", "MAXLEN", "~", "100"]),
            scripted(&["XREVRANGE", "@bus", "+", "-", "COUNT", "1"]),
            alone(&["XADD", "@bus", "*", "field", "v"]),
            alone(&["XREAD", "COUNT", "10", "STREAMS", "@bus", "0"]),
            alone(&["XREVRANGE", "@bus", "+", "-", "COUNT", "1"]),
            scripted(&["HSET", "@hash", "field", "v"]),
            scripted(&["HSETNX", "@hash", "field", "v"]),
            scripted(&["HGET", "@hash", "field"]),
            scripted(&["HMGET", "@hash", "field", "other"]),
            scripted(&["HEXISTS", "@hash", "field"]),
            scripted(&["HLEN", "@hash"]),
            alone(&["HGET", "@hash", "field"]),
            alone(&["HGETALL", "@hash"]),
            alone(&["ZADD", "@schemas", "1", "m"]),
            scripted(&["ZADD", "@schemas", "1", "m"]),
            scripted(&["ZRANGE", "@schemas", "0", "-1", "WITHSCORES"]),
            alone(&["ZRANGE", "@schemas", "0", "-1"]),
            scripted(&["ZREM", "@schemas", "m"]),
            scripted(&["SCAN", "0", "MATCH", "@bus", "COUNT", "10"]),
        ],
    },
    Need {
        subject: "Tags",
        without: Some("entries with tags are not kept in L2"),
        trials: &[
            alone(&["HMGET", "@hash", "field", "other"]),
            scripted(&["HINCRBY", "@counts", "field", "1"]),
            scripted(&["HSCAN", "@counts", "0", "COUNT", "10"]),
            scripted(&["HRANDFIELD", "@counts", "1"]),
            scripted(&["HDEL", "@counts", "field"]),
            scripted(&["SETBIT", "@bits", "7", "1"]),
            scripted(&["GETBIT", "@bits", "7"]),
        ],
    },
    Need {
        subject: "Durable write-behind",
        without: Some("a durable write-behind acknowledges nothing"),
        trials: &[
            scripted(&["XGROUP", "CREATE", "@writes", "group", "0", "MKSTREAM"]),
            scripted(&["XADD", "@writes", "*", "field", "v"]),
            scripted(&[
                "XREADGROUP",
                "GROUP",
                "group",
                "c",
                "COUNT",
                "1",
                "STREAMS",
                "@writes",
                ">",
            ]),
            scripted(&["XPENDING", "@writes", "group", "-", "+", "10"]),
            scripted(&["XCLAIM", "@writes", "group", "c", "0", "1-1"]),
            scripted(&["XINFO", "STREAM", "@writes"]),
            scripted(&["XRANGE", "@writes", "-", "+", "COUNT", "1"]),
            scripted(&["XACK", "@writes", "group", "1-1"]),
            scripted(&["XDEL", "@writes", "1-1"]),
            scripted(&["XLEN", "@writes"]),
            alone(&["XLEN", "@writes"]),
        ],
    },
    Need {
        subject: "Structures",
        without: Some("hashes, lists and counters answer with an error"),
        trials: &[
            scripted(&["RPUSH", "@list", "v"]),
            scripted(&["LPUSH", "@list", "v"]),
            scripted(&["LTRIM", "@list", "0", "9"]),
            scripted(&["LLEN", "@list"]),
            alone(&["LRANGE", "@list", "0", "9"]),
            scripted(&["INCRBY", "@number", "1"]),
        ],
    },
    Need {
        subject: "Seen from elsewhere",
        without: Some("consoles elsewhere do not see the nodes"),
        trials: &[
            alone(&["HSET", "@fleet", "field", "v"]),
            alone(&["HEXISTS", "@fleet", "field"]),
            alone(&["HDEL", "@fleet", "field"]),
            alone(&["HSCAN", "@fleet", "0", "COUNT", "10"]),
            alone(&["TYPE", "@fleet"]),
            alone(&["ZREVRANGE", "@schemas", "0", "9"]),
            alone(&["ZCARD", "@schemas"]),
            alone(&["XTRIM", "@bus", "MAXLEN", "~", "100"]),
            scripted(&["HGETALL", "@fleet"]),
            scripted(&["PTTL", "@fleet"]),
            scripted(&["TYPE", "@fleet"]),
            scripted(&["ZREMRANGEBYSCORE", "@schemas", "-inf", "0"]),
        ],
    },
    Need {
        subject: "Figures of Redis",
        without: Some(
            "the dashboard lacks figures of Redis; without INFO an older state that comes back may \
             go unnoticed",
        ),
        trials: &[alone(&["INFO", "server"]), alone(&["DBSIZE"]), alone(&["SLOWLOG", "GET", "1"])],
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    /// The names in a text that stand between one of the beginnings and the mark that ends it.
    fn named(text: &str, begin: &str, end: char) -> BTreeSet<String> {
        let rests = text.split(begin).skip(1);
        let names = rests.filter_map(|rest| rest.split_once(end)).map(|(name, _)| name);
        let is_command =
            |name: &&str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase());
        names.filter(is_command).map(str::to_owned).collect()
    }

    fn sources(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("doctor") {
                sources(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(fs::read_to_string(path).unwrap());
            }
        }
    }

    #[test]
    fn every_command_that_the_code_sends_is_tried_the_way_it_is_sent() {
        let mut found = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        let (mut alone, mut in_scripts) = (BTreeSet::new(), BTreeSet::new());
        for text in &found {
            alone.append(&mut named(text, "cmd(\"", '"'));
            in_scripts.append(&mut named(text, "redis.call('", '\''));
            in_scripts.append(&mut named(text, "redis.pcall('", '\''));
        }
        assert!(alone.len() > 10 && in_scripts.len() > 20, "the search finds commands");
        let tried = |sent: Sent| {
            let trials = NEEDS.iter().flat_map(|need| need.trials);
            let of = trials.filter(move |trial| trial.sent == sent);
            of.map(|trial| trial.command().to_owned()).collect::<BTreeSet<_>>()
        };
        // Asked by the examination itself, or where a connection begins, which is a finding.
        let itself = ["CONFIG", "HELLO", "AUTH", "ASKING", "SENTINEL", "CLUSTER"];
        let mut apart = BTreeSet::from(itself.map(str::to_owned));
        apart.append(&mut tried(Sent::Alone));
        let missing: Vec<_> = alone.difference(&apart).collect();
        assert!(missing.is_empty(), "sent alone and not tried: {missing:?}");
        let tried = tried(Sent::InScript);
        let missing: Vec<_> = in_scripts.difference(&tried).collect();
        assert!(missing.is_empty(), "sent in scripts and not tried: {missing:?}");
    }
}
