use std::fmt;
use std::time::Duration;

use strata_report::{Outcome, Outcomes};

/// What a replay came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Lines requested. The outcomes add up to exactly this.
    pub requests: u64,
    /// How the requests ended.
    pub outcomes: Outcomes,
    /// Lines that are no key: empty, not UTF-8, too long, or with control characters.
    pub skipped: u64,
    /// From the first line to the last answer.
    pub elapsed: Duration,
    /// Why it ended.
    pub end: End,
}

/// Why a replay ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The trace has no more lines.
    Complete,
    /// It was stopped before.
    Stopped,
}

impl Totals {
    /// The share of requests that a level answered, between 0 and 1; `None` without requests.
    pub fn hit_share(&self) -> Option<f64> {
        let hits = self.outcomes.l1_hit + self.outcomes.l2_hit;
        (self.requests > 0).then(|| hits as f64 / self.requests as f64)
    }
}

/// For a terminal: several lines, without a line feed at the end.
impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.elapsed.as_secs_f64();
        write!(f, "{} requests in {seconds:.1} s", self.requests)?;
        if seconds > 0.0 && self.requests > 0 {
            write!(f, ", {:.0} per second", self.requests as f64 / seconds)?;
        }
        if self.end == End::Stopped {
            f.write_str(", stopped before the end of the trace")?;
        }
        for outcome in Outcome::ALL {
            let n = self.outcomes.get(outcome);
            write!(f, "\n  {:<10}{n:>12}", outcome.as_str())?;
            if let Some(share) = self.outcomes.share(outcome) {
                write!(f, "{:>8.1} %", percent(share))?;
            }
        }
        write!(f, "\n  {:<10}{:>12}", "total", self.outcomes.reads())?;
        if let Some(share) = self.hit_share() {
            write!(f, "\n  {:<10}{:>20.1} %", "hit share", percent(share))?;
        }
        if self.skipped > 0 {
            write!(f, "\n  {:<10}{:>12}  lines that are no keys", "skipped", self.skipped)?;
        }
        Ok(())
    }
}

// Cut, not rounded: 99.96 % must not read as 100.0 %.
fn percent(share: f64) -> f64 {
    (share * 1_000.0).floor() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(counts: [u64; 8]) -> Totals {
        let outcomes = Outcomes::from_counts(counts);
        Totals {
            requests: outcomes.reads(),
            outcomes,
            skipped: 2,
            elapsed: Duration::from_millis(1_500),
            end: End::Complete,
        }
    }

    #[test]
    fn the_text_lists_every_outcome_and_their_sum() {
        let text = totals([9_000, 500, 500, 0, 0, 0, 0, 0]).to_string();
        assert!(text.starts_with("10000 requests in 1.5 s, 6667 per second"), "{text}");
        for outcome in Outcome::ALL {
            assert!(text.contains(outcome.as_str()), "{text}");
        }
        assert!(text.contains("\n  l1_hit            9000    90.0 %"), "{text}");
        assert!(text.contains("\n  total            10000"), "{text}");
        assert!(text.contains("\n  skipped              2  lines that are no keys"), "{text}");
    }

    #[test]
    fn a_share_is_never_rounded_up_to_all() {
        let text = totals([99_999, 0, 1, 0, 0, 0, 0, 0]).to_string();
        assert!(text.contains("99.9 %") && !text.contains("100.0 %"), "{text}");
    }

    #[test]
    fn nothing_requested_has_no_shares() {
        let text = totals([0; 8]).to_string();
        assert!(!text.contains('%') && !text.contains("NaN"), "{text}");
    }
}
