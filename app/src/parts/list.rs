use leptos::prelude::*;

use super::cache_links::CacheLinks;
use super::live_line::LiveLine;
use super::visitor_badge::VisitorBadge;
use crate::cards::{
    Caches, CrossSection, Evictions, Health, Invalidate, L1, L2, Latency, Outcomes, Traffic,
};

/// A part that lives: the same component on both sides, known by its name.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    /// What the server writes beside it, as `data-part`; with `part-` its id.
    pub(super) name: &'static str,
    /// Its component.
    pub(super) view: fn() -> AnyView,
}

macro_rules! part {
    ($name:literal, $component:ident) => {
        Part { name: $name, view: || view! { <$component /> }.into_any() }
    };
}

/// Whether numbers arrive.
pub(crate) const LIVE_LINE: Part = part!("live-line", LiveLine);
/// Who looks.
pub(crate) const VISITOR: Part = part!("visitor", VisitorBadge);
/// The caches that the palette leads to.
pub(crate) const CACHE_LINKS: Part = part!("cache-links", CacheLinks);
/// What the overview begins with.
pub(crate) const HEALTH: Part = part!("health", Health);
/// The cards of the overview that stand below its alerts.
pub(crate) const BELOW_ALERTS: [Part; 9] = [
    part!("cross-section", CrossSection),
    part!("outcomes", Outcomes),
    part!("evictions", Evictions),
    part!("l1", L1),
    part!("l2", L2),
    part!("latency", Latency),
    part!("caches", Caches),
    part!("invalidate", Invalidate),
    part!("traffic", Traffic),
];

#[cfg(feature = "ssr")]
impl Part {
    /// Draws it, as what the browser's program takes over.
    pub(crate) fn draw(&self) -> AnyView {
        self.place((self.view)())
    }

    /// Draws its place alone, for a page in which it lives.
    pub(crate) fn draw_place(&self) -> AnyView {
        self.place(().into_any())
    }

    fn place(&self, view: AnyView) -> AnyView {
        let id = format!("part-{}", self.name);
        view! { <div class="part" id=id data-part=self.name>{view}</div> }.into_any()
    }
}

/// The part of a name; `None` where another build drew one that this one does not know.
#[cfg(feature = "csr")]
pub(super) fn find(name: &str) -> Option<Part> {
    let parts = [LIVE_LINE, VISITOR, CACHE_LINKS, HEALTH].into_iter().chain(BELOW_ALERTS);
    parts.into_iter().find(|part| part.name == name)
}
