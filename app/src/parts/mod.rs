//! The parts of pages that change each second. The server draws each of them, and the browser's
//! program mounts the same component and puts it in the drawn one's place.

mod cache_links;
mod list;
mod live_line;
#[cfg(feature = "csr")]
mod take_over;
mod visitor_badge;

#[cfg(feature = "ssr")]
pub(crate) use list::{BELOW_ALERTS, CACHE_LINKS, HEALTH, LIVE_LINE, Part, VISITOR};
#[cfg(feature = "csr")]
pub(crate) use take_over::{PartOwner, all_live, is_alive};
