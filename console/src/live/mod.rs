//! Each second: the reports of all nodes become one frame, and everybody is sent it. Public face:
//! [`Tick`] and the methods of [`Console`](crate::Console) in `frames` and `activity`.

mod activity;
mod frames;
mod kept_history;
mod node_frames;
mod node_spans;
mod sampler;

pub(crate) use activity::ActivityFeed;
pub(crate) use frames::reports_of;
pub use sampler::Tick;
pub(crate) use sampler::{Reports, SampleTime, Sampler};
