use serde::Serialize;
use strata_report::ServerKind;

/// What was found about a Redis.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Diagnosis {
    /// The namespace in which everything was tried.
    pub namespace: String,
    /// What the server calls itself; `None` where it could not be asked or does not say.
    pub server: Option<ServerKind>,
    /// One for each thing that was looked at, in the order in which they matter.
    pub findings: Vec<Finding>,
}

impl Diagnosis {
    /// The worst verdict of all.
    pub fn verdict(&self) -> Verdict {
        self.findings.iter().map(|finding| finding.verdict).max().unwrap_or_default()
    }
}

/// What was found about one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// What was looked at, such as "Entries in L2".
    pub subject: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// What was seen, as a sentence without its full stop. Never holds a password.
    pub seen: String,
    /// What to do about it.
    pub advice: Option<String>,
}

/// How one thing is; the later, the worse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nodes have all that they need of it.
    #[default]
    Works,
    /// Nodes work, and lack what the finding says.
    Degrades,
    /// Nodes cannot use this Redis: they go on with L1 alone.
    Fails,
}

impl Finding {
    pub(super) fn works(subject: &'static str, seen: impl Into<String>) -> Self {
        Self { subject, verdict: Verdict::Works, seen: seen.into(), advice: None }
    }

    pub(super) fn degrades(subject: &'static str, seen: impl Into<String>) -> Self {
        Self { verdict: Verdict::Degrades, ..Self::works(subject, seen) }
    }

    pub(super) fn fails(subject: &'static str, seen: impl Into<String>) -> Self {
        Self { verdict: Verdict::Fails, ..Self::works(subject, seen) }
    }

    pub(super) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}
