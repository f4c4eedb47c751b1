use std::time::Duration;

/// The measured results beside their aims, printed as Markdown.
#[derive(Default)]
pub(crate) struct Table(Vec<Row>);

struct Row {
    what: String,
    result: String,
    aim: String,
    is_met: Option<bool>,
    detail: String,
}

impl Table {
    /// A figure that should be at most `aim`.
    pub(crate) fn at_most(&mut self, what: &str, (result, aim): (f64, f64), detail: String) {
        self.add(what, (format!("{result:.2}"), format!("≤ {aim}")), Some(result <= aim), detail);
    }

    /// A figure that should be at least `aim`.
    pub(crate) fn at_least(&mut self, what: &str, (result, aim): (f64, f64), detail: String) {
        self.add(what, (format!("{result:.1}"), format!("≥ {aim}")), Some(result >= aim), detail);
    }

    /// A time that should be at most `aim`.
    pub(crate) fn within(&mut self, what: &str, took: (Duration, Duration), detail: String) {
        let (result, aim) = took;
        let texts = (spoken(result), format!("≤ {}", spoken(aim)));
        self.add(what, texts, Some(result <= aim), detail);
    }

    /// A count that should be exactly `aim`.
    pub(crate) fn exactly(&mut self, what: &str, (result, aim): (u64, u64), detail: String) {
        self.add(what, (result.to_string(), aim.to_string()), Some(result == aim), detail);
    }

    /// A ratio without an aim.
    pub(crate) fn told(&mut self, what: &str, result: f64, detail: String) {
        self.add(what, (format!("{result:.2}"), "–".to_owned()), None, detail);
    }

    /// A time without an aim.
    pub(crate) fn time(&mut self, what: &str, took: Duration, detail: String) {
        self.add(what, (spoken(took), "–".to_owned()), None, detail);
    }

    fn add(
        &mut self,
        what: &str,
        (result, aim): (String, String),
        is_met: Option<bool>,
        detail: String,
    ) {
        self.0.push(Row { what: what.to_owned(), result, aim, is_met, detail });
    }

    pub(crate) fn print(&self) {
        println!("| what | result | aim | | in figures |\n|---|---|---|---|---|");
        for Row { what, result, aim, is_met, detail } in &self.0 {
            let verdict = match is_met {
                Some(true) => "met",
                Some(false) => "missed",
                None => "",
            };
            println!("| {what} | {result} | {aim} | {verdict} | {detail} |");
        }
    }
}

/// A time in a readable unit.
pub(crate) fn spoken(time: Duration) -> String {
    let ns = time.as_nanos() as f64;
    match ns {
        ..1e3 => format!("{ns:.0} ns"),
        ..1e6 => format!("{:.1} µs", ns / 1e3),
        ..1e9 => format!("{:.1} ms", ns / 1e6),
        _ => format!("{:.2} s", ns / 1e9),
    }
}
