//! What the lab's pages ask of the server: to run a lesson, to steer the run, and to remember which
//! lessons a browser has run.

mod compare;
mod measure;
mod progress;
mod run;
mod settings;
mod wait;

pub use compare::{Compare, StopComparison};
pub use measure::{Measure, StopMeasuring};
pub(crate) use progress::{LessonProgress, lessons_done};
pub use run::{ChangeFault, FinishRun, ForgetProgress, RunForm, StartRun, StepRun, StopRun};
