mod collector;
mod exposition;
mod families;

pub(crate) use collector::NodeCollector;
