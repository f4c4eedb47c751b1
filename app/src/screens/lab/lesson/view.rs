use strata_lab::{Lesson, Phase, RunState, Settings, StepMode};

/// What a lesson's page is drawn from.
pub(super) struct LessonView {
    pub(super) lesson: &'static Lesson,
    /// What it ran with, or will run with.
    pub(super) settings: Settings,
    pub(super) run: Option<LessonRun>,
    /// Whether the address names a run that is not known any more.
    pub(super) is_gone: bool,
    pub(super) has_redis: bool,
    /// What makes one run of two presses.
    pub(super) ticket: String,
    /// Why the visitor may not run anything.
    pub(super) refusal: Option<String>,
}

/// A run, as it was when somebody looked.
pub(super) struct LessonRun {
    pub(super) id: String,
    pub(super) guess: Option<usize>,
    pub(super) pace: StepMode,
    pub(super) state: RunState,
}

impl LessonRun {
    pub(super) fn is_running(&self) -> bool {
        self.state.phase == Phase::Running
    }
}
