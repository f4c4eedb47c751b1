//! What the lab's pages ask of the server: to run a lesson, to steer the run, and to remember which
//! lessons a browser has run.

use leptos::server_fn::ServerFn;

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

/// The addresses of these functions. A program without a lab has none of them.
pub const LAB_FUNCTIONS: [&str; 10] = [
    StartRun::PATH,
    StepRun::PATH,
    FinishRun::PATH,
    ChangeFault::PATH,
    StopRun::PATH,
    ForgetProgress::PATH,
    Compare::PATH,
    StopComparison::PATH,
    Measure::PATH,
    StopMeasuring::PATH,
];
