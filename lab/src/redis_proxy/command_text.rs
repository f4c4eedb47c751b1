use strata_cache::script_name;

use super::resp::{Answer, Command, Word};

/// A command to Redis as a learner reads it: without what stands before every key, and without
/// values.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CommandText {
    text: String,
    tells: AnswerDetail,
}

/// What is shown of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AnswerDetail {
    No,
    /// Whether there was anything at all.
    Anything,
    /// What was there.
    Found,
    /// Whether another node had taken it.
    Leased,
    /// Whether it was done.
    Done,
    /// It is not worth a line where it found nothing.
    Rows,
}

/// The names of one namespace, which no learner needs to read.
#[derive(Clone, Debug)]
pub(crate) struct KeyNames {
    entries: String,
    beside: String,
    globs: String,
}

/// Commands that set up connections, read the bus, count or inspect.
const UNTOLD: [&str; 18] = [
    "AUTH",
    "CLIENT",
    "DBSIZE",
    "EXEC",
    "GETRANGE",
    "HELLO",
    "INFO",
    "MULTI",
    "PING",
    "SCRIPT",
    "SELECT",
    "SLOWLOG",
    "STRLEN",
    "TIME",
    "XLEN",
    "XRANGE",
    "XREAD",
    "XREVRANGE",
];
const LEASE: &[u8] = b"lease:";
/// So many keys are named.
const N_NAMED: usize = 3;

impl CommandText {
    /// `None` where the command is of no interest to a learner.
    pub(crate) fn of(command: &Command, names: &KeyNames) -> Option<Self> {
        let (first, rest) = command.words.split_first()?;
        let name = first.text().to_ascii_uppercase();
        match name.as_str() {
            name if UNTOLD.contains(&name) => None,
            "EVALSHA" => script(rest, names),
            "SCAN" => scan(rest, names),
            _ if names.is_of_bus(rest.first()?) => None,
            "SET" if rest.get(1)?.start.starts_with(LEASE) => Some(lease(rest, names)),
            "MGET" | "UNLINK" | "DEL" | "EXISTS" => {
                let keys = rest.iter().map(|key| names.short(key)).collect::<Vec<_>>();
                let tells = if name == "MGET" { AnswerDetail::Anything } else { AnswerDetail::No };
                Some(Self { text: format!("{name} {}", listed(&keys, command.n_words - 1)), tells })
            }
            "HGET" | "HMGET" => {
                let mut words = vec![names.short(rest.first()?)];
                words.extend(rest.iter().skip(1).map(Word::text));
                Some(Self {
                    text: format!("{name} {}", words.join(" ")),
                    tells: AnswerDetail::Anything,
                })
            }
            _ => {
                let tells = if name == "GET" { AnswerDetail::Found } else { AnswerDetail::No };
                Some(Self { text: format!("{name} {}", names.short(rest.first()?)), tells })
            }
        }
    }

    /// With its answer; `None` where it turns out to be of no interest.
    pub(crate) fn answered(self, answer: &Answer) -> Option<String> {
        let Self { text, tells } = self;
        if let Some(error) = &answer.error {
            let error = String::from_utf8_lossy(error);
            let word = error.split(' ').next().unwrap_or_default();
            // The script is not there yet: it is loaded, and asked for once more.
            return (word != "NOSCRIPT").then(|| format!("{text}: {word}"));
        }
        let told = match tells {
            AnswerDetail::Rows if answer.ends_empty => return None,
            AnswerDetail::Found | AnswerDetail::Anything if !answer.has_value => ": nothing",
            AnswerDetail::Found if answer.text.starts_with(LEASE) => ": leased",
            AnswerDetail::Leased if answer.text.starts_with(LEASE) => ": leased already",
            AnswerDetail::Leased if answer.has_value => ": there already",
            AnswerDetail::Done if answer.number == Some(0) => ": refused",
            _ => "",
        };
        Some(format!("{text}{told}"))
    }
}

// `EVALSHA hash n key… argument…`
fn script(words: &[Word], names: &KeyNames) -> Option<CommandText> {
    let hash = words.first()?.text();
    let name = script_name(&hash);
    let tells = match name {
        Some("bus begin") => return None,
        Some("commit" | "claim" | "replace") => AnswerDetail::Done,
        Some("queue take" | "queue claim") => AnswerDetail::Rows,
        _ => AnswerDetail::No,
    };
    let n_keys = words.get(1)?.text().parse().ok()?;
    let keys = || words.iter().skip(2).take(n_keys);
    let entries: Vec<String> = keys().filter_map(|key| names.entry(key)).collect();
    // A script that touches no entry works on the keys beside them.
    let told = match entries.len() {
        0 => keys().next().map_or_else(String::new, |key| names.short(key)),
        n => listed(&entries, n as u64),
    };
    let name = name.map_or_else(|| format!("{hash:.6}…"), str::to_owned);
    // Of several one may be done and another not.
    let tells =
        if entries.len() > 1 && tells == AnswerDetail::Done { AnswerDetail::No } else { tells };
    Some(CommandText { text: format!("EVALSHA {name} {told}").trim_end().to_owned(), tells })
}

// `SCAN cursor MATCH pattern COUNT n`
fn scan(words: &[Word], names: &KeyNames) -> Option<CommandText> {
    let [cursor, _, glob, ..] = words else { return None };
    // Without a cache's name it is a census.
    let pattern = names.pattern(glob)?;
    Some(CommandText {
        text: format!("SCAN {} MATCH {pattern}", cursor.text()),
        tells: AnswerDetail::No,
    })
}

// `SET key lease NX …`, or without NX where a writer takes it over.
fn lease(words: &[Word], names: &KeyNames) -> CommandText {
    let key = words.first().map_or_else(String::new, |key| names.short(key));
    match words.iter().any(|word| word.start == b"NX") {
        true => CommandText { text: format!("SET {key} lease NX"), tells: AnswerDetail::Leased },
        false => CommandText { text: format!("SET {key} lease"), tells: AnswerDetail::No },
    }
}

fn listed(keys: &[String], n_keys: u64) -> String {
    if n_keys <= N_NAMED as u64 + 1 {
        return keys.join(" ");
    }
    let first = keys.iter().take(N_NAMED).map(String::as_str).collect::<Vec<_>>().join(" ");
    format!("{first} … {n_keys} keys")
}

impl KeyNames {
    pub(crate) fn of(namespace: &str) -> Self {
        let entries = format!("{{{namespace}}}:");
        // In a pattern a hyphen is written with a backslash.
        let globs = entries.replace('-', "\\-");
        Self { entries, beside: format!("{{{namespace}}}!"), globs }
    }

    /// The key of an entry or a structure, without its cache.
    fn entry(&self, word: &Word) -> Option<String> {
        let text = word.text();
        let (_, key) = text.strip_prefix(&self.entries)?.split_once(':')?;
        Some(key.to_owned())
    }

    /// What lies beside a cache's entries, without the cache: `tags`, or `writes:values`.
    fn beside(&self, word: &Word) -> Option<String> {
        let text = word.text();
        let mut parts = text.strip_prefix(&self.beside)?.split(':');
        let (first, rest) = (parts.next()?, parts.skip(1));
        Some(rest.fold(first.to_owned(), |name, part| format!("{name}:{part}")))
    }

    fn short(&self, word: &Word) -> String {
        self.entry(word).or_else(|| self.beside(word)).unwrap_or_else(|| word.text())
    }

    fn pattern(&self, glob: &Word) -> Option<String> {
        let text = glob.text();
        let (_, pattern) = text.strip_prefix(&self.globs)?.split_once(':')?;
        Some(pattern.to_owned())
    }

    fn is_of_bus(&self, word: &Word) -> bool {
        self.beside(word).is_some_and(|name| name == "bus")
    }
}

impl Word {
    fn text(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.start).into_owned();
        if self.is_cut {
            text.push('…');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(line: &str) -> Command {
        let word = |word: &str| Word {
            start: word.replace("NS", "{lab-1-0}").into_bytes(),
            is_cut: false,
        };
        let words: Vec<Word> = line.split(' ').map(word).collect();
        Command { n_words: words.len() as u64, words }
    }

    fn asked(line: &str) -> Option<CommandText> {
        CommandText::of(&command(line), &KeyNames::of("lab-1-0"))
    }

    fn told(line: &str, answer: &Answer) -> Option<String> {
        asked(line)?.answered(answer)
    }

    fn found() -> Answer {
        Answer { has_value: true, text: b"entry".to_vec(), ..Answer::default() }
    }

    #[track_caller]
    fn reads(line: &str, expected: &str) {
        assert_eq!(told(line, &found()).as_deref(), Some(expected));
    }

    #[test]
    fn a_command_is_told_with_its_key_and_without_its_value() {
        reads("GET NS:lab-1:7", "GET 7");
        reads("GET NS:lab-1:author:7:page:1", "GET author:7:page:1");
        reads("HGET NS:lab-1-data:7 item", "HGET 7 item");
        reads("HGET NS!writes:lab-1:values 7", "HGET writes:values 7");
        reads("HMGET NS!tags:lab-1 since tag:author:7", "HMGET tags since tag:author:7");
        reads("SET NS:lab-1:7 secret PX 10", "SET 7");
        reads("UNLINK NS:lab-1:7 NS:lab-1:8", "UNLINK 7 8");
        reads("get somebody-elses", "GET somebody-elses");
    }

    #[test]
    fn of_many_keys_the_first_are_named() {
        let keys: String = (1..=20).map(|key| format!(" NS:lab-1:{key}")).collect();
        reads(&format!("MGET{keys}"), "MGET 1 2 3 … 20 keys");
        reads("MGET NS:lab-1:1 NS:lab-1:2 NS:lab-1:3 NS:lab-1:4", "MGET 1 2 3 4");
    }

    #[test]
    fn an_answer_is_told_where_it_says_how_things_go_on() {
        let leased = Answer { text: b"lease:0".to_vec(), ..found() };
        let told = |line, answer: &Answer| told(line, answer).unwrap_or_default();
        assert_eq!(told("GET NS:lab-1:7", &Answer::default()), "GET 7: nothing");
        assert_eq!(told("GET NS:lab-1:7", &leased), "GET 7: leased");
        let claim = "SET NS:lab-1:7 lease:1 NX GET PX 10";
        assert_eq!(told(claim, &Answer::default()), "SET 7 lease NX");
        assert_eq!(told(claim, &leased), "SET 7 lease NX: leased already");
        assert_eq!(told(claim, &found()), "SET 7 lease NX: there already");
        assert_eq!(told("MGET NS:lab-1:7 NS:lab-1:8", &leased), "MGET 7 8");
        let full = Answer { error: Some(b"OOM command not allowed".to_vec()), ..found() };
        assert_eq!(told("GET NS:lab-1:7", &full), "GET 7: OOM");
    }

    #[test]
    fn what_sets_up_listens_or_counts_is_not_told() {
        for line in [
            "HELLO 3",
            "CLIENT SETINFO LIB-NAME redis-rs",
            "PING",
            "XREAD COUNT 500 BLOCK 500 STREAMS NS!bus 0-0",
            "GET NS!bus:sequence",
            "SCAN 0 MATCH {lab\\-1\\-0}:* COUNT 1000 TYPE string",
            "STRLEN NS:lab-1:7",
        ] {
            assert_eq!(asked(line), None, "{line}");
        }
    }

    #[test]
    fn the_pattern_of_a_strategy_is_told() {
        reads("SCAN 0 MATCH {lab\\-1\\-0}:lab\\-1:7* COUNT 1000", "SCAN 0 MATCH 7*");
        reads("SCAN 12 MATCH {lab\\-1\\-0}:lab\\-1:* COUNT 1000", "SCAN 12 MATCH *");
    }

    #[test]
    fn a_script_that_is_not_known_has_its_hash() {
        reads("EVALSHA 0123456789 2 NS:lab-1:7 NS!bus secret", "EVALSHA 012345… 7");
    }
}
