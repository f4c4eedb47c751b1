use std::error::Error;

use strata_lab::{Lab, Lesson, Phase, ResultRow, RunRequest, RunState, Settings, StepMode};
use strata_testing::RedisServer;
use tempfile::TempDir;

/// A lab with a Redis of its own.
pub(crate) struct Laboratory {
    pub(crate) lab: Lab,
    pub(crate) redis: RedisServer,
    _dir: TempDir,
}

impl Laboratory {
    pub(crate) async fn open() -> Result<Self, Box<dyn Error>> {
        let dir = tempfile::tempdir()?;
        let redis = RedisServer::start().await;
        Ok(Self { lab: Lab::new(Some(&redis.url())), redis, _dir: dir })
    }

    /// Runs a lesson as it is, to its end.
    pub(crate) async fn rows(&self, slug: &str) -> Result<Vec<ResultRow>, Box<dyn Error>> {
        let order = order(lesson(slug)?);
        rows_of(self.lab.start(order)?.ended().await)
    }

    /// Runs a lesson with other settings, to its end.
    pub(crate) async fn rows_with(
        &self,
        slug: &str,
        settings: Settings,
    ) -> Result<Vec<ResultRow>, Box<dyn Error>> {
        rows_of(self.lab.start(order_with(lesson(slug)?, settings))?.ended().await)
    }
}

/// A lesson as it is, all at once.
pub(crate) fn order(lesson: &Lesson) -> RunRequest {
    order_with(lesson, (lesson.settings)())
}

/// A lesson with other settings, all at once.
pub(crate) fn order_with(lesson: &Lesson, settings: Settings) -> RunRequest {
    RunRequest {
        topic: lesson.slug.to_owned(),
        experiment: lesson.experiment(&settings),
        settings,
        step_mode: StepMode::AllAtOnce,
        guess: None,
        ticket: String::new(),
    }
}

pub(crate) fn lesson(slug: &str) -> Result<&'static Lesson, Box<dyn Error>> {
    Lesson::find(slug).ok_or_else(|| format!("no lesson {slug}").into())
}

fn rows_of(state: RunState) -> Result<Vec<ResultRow>, Box<dyn Error>> {
    match state.phase {
        Phase::Done => Ok(state.contenders.into_iter().map(|one| one.result).collect()),
        other => Err(format!("it ended as {other:?}").into()),
    }
}
