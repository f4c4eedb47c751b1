use std::sync::Arc;

use crate::runs::{Experiment, ScriptFuture};
use crate::sandbox::{Contender, Sandbox};
use crate::settings::Settings;
use crate::strategies::StrategyKind;

/// One lesson.
#[derive(Debug)]
pub struct Lesson {
    /// Its name in addresses: `/lab/write-behind`.
    pub slug: &'static str,
    /// Its name on a page.
    pub title: &'static str,
    /// The idea, in three sentences.
    pub idea: [&'static str; 3],
    /// What is asked before the result shows.
    pub question: Question,
    /// What to watch for while it runs.
    pub watch_for: &'static str,
    /// What was learned. A test runs the lesson and holds it to this.
    pub learned: &'static str,
    /// What is compared, in the order of the rows.
    pub variants: &'static [Variant],
    /// What it runs with unless told otherwise.
    pub settings: fn() -> Settings,
    /// The script, played once for each variant.
    pub script: fn(Arc<Sandbox>) -> ScriptFuture,
}

/// One of those that a lesson compares.
#[derive(Debug)]
pub struct Variant {
    /// Its name on a screen.
    pub title: &'static str,
    /// What it does.
    pub strategy: StrategyKind,
    /// What is set for it alone.
    pub change: fn(&mut Settings),
}

/// A question with answers to choose from.
#[derive(Debug)]
pub struct Question {
    /// The question.
    pub text: &'static str,
    /// What one may answer.
    pub answers: &'static [&'static str],
    /// Which answer is right, from 0.
    pub right: usize,
}

impl Lesson {
    /// What is run with these settings.
    pub fn experiment(&self, settings: &Settings) -> Experiment {
        let contender = |variant: &Variant| {
            let mut settings = settings.clone();
            (variant.change)(&mut settings);
            Contender { title: variant.title.to_owned(), strategy: variant.strategy, settings }
        };
        Experiment {
            contenders: self.variants.iter().map(contender).collect(),
            script: Arc::new(self.script),
        }
    }
}

impl Variant {
    /// A strategy as it is.
    pub const fn of(strategy: StrategyKind) -> Self {
        Self { title: strategy.title(), strategy, change: |_| () }
    }
}
