use super::*;

const COMMANDS: &[u8] =
    b"*2\r\n$3\r\nGET\r\n$1\r\n7\r\n*3\r\n$3\r\nSET\r\n$1\r\n8\r\n$4\r\n\r\n\r\n\r\n";

fn command(words: &[&str]) -> Command {
    let word = |word: &&str| Word { start: word.as_bytes().to_vec(), is_cut: false };
    Command { words: words.iter().map(word).collect(), n_words: words.len() as u64 }
}

fn ends(answers: &[u8]) -> Result<usize, Garbled> {
    Answers::default().read(answers).map(|ended| ended.len())
}

fn one(answer: &[u8]) -> Answer {
    let ended = Answers::default().read(answer).unwrap();
    assert_eq!(ended.len(), 1, "{ended:?}");
    ended.into_iter().next().unwrap()
}

#[test]
fn commands_are_told_apart_wherever_they_are_cut() {
    let expected = [command(&["GET", "7"]), command(&["SET", "8", "\r\n\r\n"])];
    for cut in 0..=COMMANDS.len() {
        let (one, other) = COMMANDS.split_at(cut);
        let mut commands = Commands::default();
        let mut ended = commands.read(one).unwrap();
        ended.extend(commands.read(other).unwrap());
        assert_eq!(ended, expected, "cut at {cut}");
    }
    let mut commands = Commands::default();
    let by_byte = COMMANDS.chunks(1).flat_map(|byte| commands.read(byte).unwrap());
    assert_eq!(by_byte.collect::<Vec<_>>(), expected);
}

#[test]
fn of_a_long_word_only_its_beginning_is_kept() {
    let mut commands = Commands::default();
    let value = "x".repeat(1_000_000);
    let bytes = format!("*3\r\n$3\r\nSET\r\n$1\r\n7\r\n$1000000\r\n{value}\r\n");
    let ended = commands.read(bytes.as_bytes()).unwrap();
    assert_eq!((ended[0].words[2].start.len(), ended[0].words[2].is_cut), (160, true));
    assert_eq!(commands.read(COMMANDS).unwrap().len(), 2, "it goes on behind it");
}

#[test]
fn of_many_words_the_first_are_kept_and_all_counted() {
    let words = "$1\r\n7\r\n".repeat(1_000);
    let ended = Commands::default().read(format!("*1000\r\n{words}").as_bytes()).unwrap();
    assert_eq!((ended[0].words.len(), ended[0].n_words), (MAX_WORDS, 1_000));
}

#[test]
fn what_is_no_command_is_garbled() {
    for bytes in ["PING\r\n", "*x\r\n", "*1\r\n:1\r\n", "*1\r\n$-1\r\n", "\r\n", "*-2\r\n"] {
        assert_eq!(Commands::default().read(bytes.as_bytes()), Err(Garbled), "{bytes:?}");
    }
    assert_eq!(Commands::default().read(b"*0\r\n"), Ok(Vec::new()), "that is answered by nobody");
}

#[test]
fn answers_of_every_kind_end_where_they_end() {
    let answers = [
        "+OK\r\n",
        "-ERR no\r\n",
        ":7\r\n",
        "$5\r\na\r\nbc\r\n",
        "$0\r\n\r\n",
        "$-1\r\n",
        "*0\r\n",
        "*-1\r\n",
        "*2\r\n*2\r\n$1\r\na\r\n*0\r\n:1\r\n",
        "_\r\n",
        ",1.5\r\n",
        "#t\r\n",
        "(123456789012345678901234567890\r\n",
        "=7\r\ntxt:abc\r\n",
        "!5\r\nERR x\r\n",
        "%1\r\n+a\r\n*1\r\n:1\r\n",
        "~2\r\n:1\r\n:2\r\n",
        "|1\r\n+ttl\r\n:1\r\n+OK\r\n",
        "*2\r\n|1\r\n+ttl\r\n:1\r\n+a\r\n+b\r\n",
    ];
    for answer in answers {
        assert_eq!(ends(answer.as_bytes()), Ok(1), "{answer:?}");
    }
    let all = answers.concat();
    let mut cut = Answers::default();
    let n_ended: usize = all.as_bytes().chunks(1).map(|byte| cut.read(byte).unwrap().len()).sum();
    assert_eq!((ends(all.as_bytes()), n_ended), (Ok(answers.len()), answers.len()));
}

#[test]
fn a_push_answers_nothing() {
    assert_eq!(ends(b">2\r\n+invalidate\r\n*1\r\n$1\r\n7\r\n"), Ok(0));
    assert_eq!(one(b">1\r\n:0\r\n$1\r\n7\r\n").number, None);
}

#[test]
fn nothing_is_told_from_something() {
    assert!(!one(b"$-1\r\n").has_value && !one(b"_\r\n").has_value);
    assert!(!one(b"*2\r\n$-1\r\n$-1\r\n").has_value);
    assert!(one(b"*2\r\n$-1\r\n$1\r\n7\r\n").has_value);
    assert!(one(b"*3\r\n:1\r\n:2\r\n*0\r\n").ends_empty);
    assert!(!one(b"*2\r\n*0\r\n:1\r\n").ends_empty);
    assert_eq!(one(b"*1\r\n:0\r\n").number, Some(0));
    assert_eq!(one(b"-NOSCRIPT No such\r\n").error.as_deref(), Some(&b"NOSCRIPT No such"[..]));
}

#[test]
fn what_is_no_answer_is_garbled() {
    let deep = "*1\r\n".repeat(1_000);
    for bytes in ["hello\r\n", "$x\r\n", "*99999999999999999999\r\n", "\r\n", deep.as_str()] {
        assert_eq!(ends(bytes.as_bytes()), Err(Garbled), "{bytes:?}");
    }
}
