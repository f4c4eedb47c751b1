//! Lessons and experiments on caching. Each runs on a real stack of its own, bounded in time and
//! memory.
//!
//! A [`Lab`] starts runs. A run plays its script once for each contender that it compares, each in a
//! `Sandbox`: nodes, a cache, a table and a namespace in Redis of its own.

// Who may import whom: a folder or file imports those on the lines above its own. A test checks it.
//
// - settings, trace
// - redis_proxy
// - stack
// - strategies
// - sandbox
// - runs
// - lessons, compare, measure
// - lab

#![warn(missing_docs)]
// A script is one future made of all the futures inside it.
#![recursion_limit = "256"]

mod compare;
mod lab;
mod lessons;
mod measure;
mod redis_proxy;
mod runs;
mod sandbox;
mod settings;
mod stack;
pub mod strategies;
mod trace;

pub use compare::{ComparedStrategy, Comparison, ComparisonError, ReplayedPart};
pub use lab::{Lab, LabError};
pub use lessons::{Lesson, Question, Variant};
pub use measure::{MeasuredRow, MeasuredTable, MeasurementState, Speed};
pub use runs::{Experiment, NextStep, Phase, Run, RunRequest, RunState, Script, ScriptFuture};
pub use sandbox::{
    Contender, ContenderRun, Fault, HeldOperation, OnNode, ReadResult, ResultRow, Sandbox,
    SandboxError, StepMode,
};
pub use settings::{Settings, SettingsError};
pub use stack::{Call, Channel, Message, PlainRedis, Source, SourceError, Subscription};
pub use strategies::StrategyKind;
pub use trace::{Level, LineKind, Step, TraceLine};
