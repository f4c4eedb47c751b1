//! What happened over the last minutes, hours and day, for charts. Public face: the methods of
//! [`Console`](crate::Console) in `ranges`; inside the crate [`Histories`], [`Rings`],
//! [`HistoryStep`].

mod histories;
mod ranges;
mod ring;
mod rings;
mod step;

pub(crate) use histories::Histories;
pub(crate) use rings::Rings;
pub(crate) use step::HistoryStep;
