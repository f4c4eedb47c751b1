//! Writes an event as one line. Its texts may be keys that anybody has chosen, so none of them may
//! begin another line or turn none
//! round.

use strata_report::visible;

/// A text of the program's own, which may quote others.
pub(super) fn one_line(text: &str) -> String {
    shown(text, |_| false)
}

/// A line as it was made for a terminal, with its end. Its colours stay.
pub(super) fn one_line_with_colours(line: &str) -> String {
    shown(line.trim_end_matches('\n'), begins_with_colour) + "\n"
}

/// Whether what begins with an escape sets a colour, and does nothing else.
fn begins_with_colour(text: &str) -> bool {
    let colour = text.strip_prefix("\u{1b}[");
    let rest = colour.map(|text| text.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';'));
    rest.is_some_and(|rest| rest.starts_with('m'))
}

fn shown(text: &str, stays: fn(&str) -> bool) -> String {
    let mut line = String::with_capacity(text.len());
    for (i, c) in text.char_indices() {
        match c == ' ' || stays(&text[i..]) {
            true => line.push(c),
            false => line.push_str(&visible(c.encode_utf8(&mut [0; 4]))),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::mpsc::sync_channel;
    use std::sync::{Arc, Mutex};

    use crate::log::LogFormat;
    use crate::log::writer::{Line, Lines};

    /// What is written of an event whose text anybody may have chosen.
    fn written(format: LogFormat, key: &str) -> String {
        #[derive(Clone, Default)]
        struct Kept(Arc<Mutex<Vec<u8>>>);
        impl Write for Kept {
            fn write(&mut self, text: &[u8]) -> io::Result<usize> {
                self.0.lock().unwrap().extend_from_slice(text);
                Ok(text.len())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let kept = Kept::default();
        let lines = Lines::to(kept.clone(), format);
        let subscriber = tracing_subscriber::fmt().with_writer(lines.clone()).with_ansi(false);
        let log = || tracing::warn!(%key, "a write was set aside: {key}");
        match format {
            LogFormat::Text => tracing::subscriber::with_default(subscriber.finish(), log),
            LogFormat::Json => {
                tracing::subscriber::with_default(subscriber.json().finish(), log);
            }
        }
        lines.tell(&format!("thread panicked: {key}"));
        let (done, is_done) = sync_channel::<()>(0);
        lines.waiting.send(Line::Last(done)).unwrap();
        assert!(is_done.recv().is_err());
        let text = kept.0.lock().unwrap().clone();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn no_key_forges_a_line_of_the_log() {
        let key =
            "7\n2026-01-01T00:00:00Z  INFO strata: all is well\r\u{202e}\u{1b}[2K\u{85}\u{2028}";
        for format in [LogFormat::Text, LogFormat::Json] {
            let text = written(format, key);
            assert_eq!(text.lines().count(), 2, "{text}");
            assert!(!text.contains(['\r', '\u{1b}']), "{text:?}");
        }
        let text = written(LogFormat::Text, key);
        assert!(
            text.contains(r"7\u{a}2026") && !text.contains(['\u{202e}', '\u{2028}']),
            "{text:?}"
        );
        assert!(written(LogFormat::Text, "4711").ends_with("thread panicked: 4711\n"));
    }
}
