//! The cards of the overview, one file each; each reads the live numbers by itself.

mod caches;
mod cross_section;
mod evictions;
mod health;
mod invalidate;
mod l1;
mod l2;
mod latency;
mod outcomes;
mod stacked;
mod traffic;

#[cfg(feature = "ssr")]
pub(crate) use self::{evictions::BANDS as CAUSES, outcomes::BANDS as OUTCOMES};
pub(crate) use caches::Caches;
pub(crate) use cross_section::CrossSection;
pub(crate) use evictions::Evictions;
pub(crate) use health::Health;
pub(crate) use invalidate::Invalidate;
pub(crate) use l1::L1;
pub(crate) use l2::L2;
pub(crate) use latency::Latency;
pub(crate) use outcomes::Outcomes;
pub(crate) use traffic::{FirstTraffic, Traffic};
