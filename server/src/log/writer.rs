use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use clap::ValueEnum;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{FilterFn, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::one_line::{one_line, one_line_with_colours};

/// The most lines that wait to be written. Further ones are dropped and counted.
const WAITING: usize = 4_096;

/// Below `info` it would tell the whole address of each request.
const TELLS_ADDRESSES: &str = "tower_http::csrf";

/// How long the end of the program waits for what waits to be written.
const LAST_LINES: Duration = Duration::from_secs(1);

/// The log of the program, for code that ends it at once.
static LOG: OnceLock<Lines> = OnceLock::new();

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs: an object a line.
    Json,
}

/// Writes what waits when it is dropped, at the end of the program.
#[must_use = "the last lines are written when it is dropped"]
pub struct Log(Lines);

/// Takes lines and hands them on to the thread that writes.
#[derive(Clone)]
pub(super) struct Lines {
    pub(super) waiting: SyncSender<Line>,
    dropped: Arc<AtomicU64>,
    format: LogFormat,
}

pub(super) enum Line {
    Text(Vec<u8>),
    /// Everything before has been written once this is dropped.
    Last(SyncSender<()>),
}

/// What nobody could write, and how that is told.
struct Dropped {
    n: Arc<AtomicU64>,
    format: LogFormat,
}

/// One line, as it is made.
pub(super) struct Making {
    text: Vec<u8>,
    lines: Lines,
}

/// Logs to standard error; `STRATA_LOG` says what, for example `debug` or `strata_server=debug`.
pub fn log_to_stderr(format: LogFormat) -> Log {
    let lines = Lines::to(io::stderr(), format);
    let wanted = EnvFilter::builder().with_env_var("STRATA_LOG").try_from_env();
    let wanted = wanted.unwrap_or_else(|_| EnvFilter::new("info"));
    match format {
        LogFormat::Text => in_text(wanted, lines.clone()).init(),
        LogFormat::Json => in_json(wanted, lines.clone()).init(),
    }
    log_panics(lines.clone());
    // A second log of one program would have failed above.
    let _ = LOG.set(lines.clone());
    Log(lines)
}

/// Writes what is wanted to these lines, without whole addresses.
fn in_text(wanted: EnvFilter, lines: Lines) -> impl Subscriber + Send + Sync {
    let log = tracing_subscriber::fmt().with_env_filter(wanted).with_writer(lines);
    // Internal errors would be told with a macro that panics where the writer fails as well.
    let log = log.with_ansi(io::stderr().is_terminal()).log_internal_errors(false);
    log.finish().with(without_addresses())
}

/// The same for programs.
fn in_json(wanted: EnvFilter, lines: Lines) -> impl Subscriber + Send + Sync {
    let log = tracing_subscriber::fmt().with_env_filter(wanted).with_writer(lines);
    let log = log.with_ansi(false).log_internal_errors(false);
    log.json().flatten_event(true).with_span_list(false).finish().with(without_addresses())
}

/// Whole addresses are not logged at any level: a query may hold a key or, by mistake, a token. This
/// only takes away, and adds nothing to what is wanted.
fn without_addresses() -> FilterFn<impl Fn(&Metadata<'_>) -> bool> {
    filter_fn(|of| !of.target().starts_with(TELLS_ADDRESSES) || *of.level() <= Level::INFO)
}

/// Writes what waits, as far as somebody reads; for those who end the program at once.
pub(crate) fn flush() {
    if let Some(lines) = LOG.get() {
        lines.flush();
    }
}

/// A panic is told here too: the hook of the standard library writes to standard error itself, and
/// waits there where nobody reads.
fn log_panics(lines: Lines) {
    std::panic::set_hook(Box::new(move |panic| {
        let thread = thread::current();
        let name = thread.name().unwrap_or("unnamed");
        lines.tell(&format!("strata: thread {name:?} panicked: {panic}"));
    }));
}

impl LogFormat {
    /// A line of the program's own, beside those of events.
    fn line(self, text: &str) -> String {
        match self {
            Self::Text => format!("{}\n", one_line(text)),
            Self::Json => {
                let line =
                    serde_json::json!({ "level": "ERROR", "target": "strata", "message": text });
                format!("{line}\n")
            }
        }
    }
}

impl Log {
    /// Writes a last line, as far as somebody reads.
    pub fn last(self, line: &str) {
        self.0.tell(line);
    }
}

impl Lines {
    pub(super) fn to(out: impl Write + Send + 'static, format: LogFormat) -> Self {
        let (waiting, coming) = sync_channel(WAITING);
        let dropped = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&dropped);
        thread::spawn(move || write_all(out, &coming, &Dropped { n: counted, format }));
        Self { waiting, dropped, format }
    }

    /// Takes a line that is none of an event.
    pub(super) fn tell(&self, line: &str) {
        self.take(self.format.line(line).into_bytes());
    }

    /// Waits until everything before has been written, as far as somebody reads.
    fn flush(&self) {
        let (done, is_done) = sync_channel(0);
        if self.waiting.try_send(Line::Last(done)).is_ok() {
            // An error is the end of the sender: that is the sign.
            let _ = is_done.recv_timeout(LAST_LINES);
        }
    }

    fn take(&self, text: Vec<u8>) {
        if self.waiting.try_send(Line::Text(text)).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn write_all(mut out: impl Write, coming: &Receiver<Line>, dropped: &Dropped) {
    for line in coming {
        let written = match line {
            Line::Text(text) => out.write_all(&text),
            Line::Last(done) => {
                let flushed = out.flush();
                drop(done);
                flushed
            }
        };
        let n = dropped.n.swap(0, Ordering::Relaxed);
        if n > 0 && written.is_ok() {
            let line = dropped.format.line(&format!("strata: {n} lines of log were dropped"));
            let _: io::Result<()> = out.write_all(line.as_bytes());
        }
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Making;

    fn make_writer(&'a self) -> Making {
        Making { text: Vec::new(), lines: self.clone() }
    }
}

impl Write for Making {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        let text = std::mem::take(&mut self.text);
        self.lines.take(match (self.lines.format, std::str::from_utf8(&text)) {
            (LogFormat::Text, Ok(line)) => one_line_with_colours(line).into_bytes(),
            // An object a line escapes its texts by itself.
            _ => text,
        });
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.0.flush();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Takes nothing before it is opened.
    struct Stuck {
        open: Receiver<()>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Stuck {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            // An error is the end of the sender: open for good.
            let _ = self.open.recv();
            self.written.lock().unwrap().extend_from_slice(text);
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn who_logs_never_waits_and_what_is_dropped_is_counted() {
        let (opener, open) = sync_channel(0);
        let written = Arc::new(Mutex::new(Vec::new()));
        let lines = Lines::to(Stuck { open, written: Arc::clone(&written) }, LogFormat::Text);
        for n in 0..WAITING + 100 {
            writeln!(lines.make_writer(), "line {n}").unwrap();
        }
        drop(opener);
        drop(Log(lines.clone()));
        // Where the queue was still full, the last lines were not waited for.
        while !String::from_utf8_lossy(&written.lock().unwrap()).contains("were dropped") {
            thread::yield_now();
        }
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        assert!(text.starts_with("line 0\n"), "{text}");
    }

    /// What is written of a warning and of an address, by a layer that tells addresses.
    fn written(wanted: &str) -> String {
        let (opener, open) = sync_channel(0);
        drop(opener);
        let written = Arc::new(Mutex::new(Vec::new()));
        let lines = Lines::to(Stuck { open, written: Arc::clone(&written) }, LogFormat::Text);
        let subscriber = in_text(EnvFilter::new(wanted), lines.clone());
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(target: "tower_http::csrf::service", "a warning");
            tracing::debug!(target: "tower_http::csrf::service", "/login?token=s3same");
        });
        let (done, is_done) = sync_channel::<()>(0);
        lines.waiting.send(Line::Last(done)).unwrap();
        assert!(is_done.recv().is_err(), "everything is written");
        let text = written.lock().unwrap().clone();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn addresses_stay_out_of_the_log_and_nothing_is_logged_that_is_not_wanted() {
        for wanted in ["off", "error", "off,strata_server=trace"] {
            assert_eq!(written(wanted), "", "{wanted}");
        }
        for wanted in ["info", "trace", "tower_http=trace", "tower_http::csrf::service=debug"] {
            let text = written(wanted);
            assert!(text.contains("a warning") && !text.contains("s3same"), "{wanted}: {text}");
        }
    }

    #[test]
    fn an_output_that_fails_ends_nothing() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
        }
        let lines = Lines::to(Closed, LogFormat::Text);
        for n in 0..100 {
            writeln!(lines.make_writer(), "line {n}").unwrap();
        }
        let (done, is_done) = sync_channel::<()>(0);
        lines.waiting.send(Line::Last(done)).unwrap();
        assert!(is_done.recv().is_err(), "the thread lives and has come so far");
    }
}
