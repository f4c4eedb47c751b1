mod collector;
mod exposition;
mod families;
mod http;
mod process;
mod program;

pub(crate) use collector::NodeCollector;
pub(crate) use http::HttpMetrics;
pub(crate) use program::ProgramCollector;
