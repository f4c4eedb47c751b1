use leptos::prelude::*;
use web_sys::Element;

use super::address;
use super::morph;
use crate::api::{self, ApiError, PageExtent};
use crate::live::{Live, LiveState};
use crate::parts::{PartOwner, all_live};
use crate::visitor::Visitor;

/// The page that is shown, and how it is kept up to date: the server is asked for it again as often
/// as it says of itself, and at once where a link or a form leads elsewhere.
#[derive(Clone, Copy)]
pub(crate) struct PageUpdates {
    parts: StoredValue<PartOwner, LocalStorage>,
    /// Where the page stands.
    address: RwSignal<String>,
    /// The address of what is shown, which may be the page before.
    shown: StoredValue<String>,
    /// Grows where the page is wanted again that is shown already.
    n_refreshes: RwSignal<u32>,
    /// Why the drawing is not up to date.
    behind: RwSignal<Option<String>>,
    is_fetching: StoredValue<bool>,
    n_requests: StoredValue<u32>,
    /// The number of the newest answer.
    newest: StoredValue<u32>,
    /// Frames since it was drawn.
    n_frames: StoredValue<u32>,
}

impl PageUpdates {
    /// Starts from the page that the server drew, and keeps it up to date from now on.
    pub(crate) fn follow(parts: PartOwner) -> Self {
        let updates = Self {
            parts: StoredValue::new_local(parts),
            address: RwSignal::new(address::here()),
            shown: StoredValue::new(address::here()),
            n_refreshes: RwSignal::new(0),
            behind: RwSignal::new(None),
            is_fetching: StoredValue::new(false),
            n_requests: StoredValue::new(0),
            newest: StoredValue::new(0),
            n_frames: StoredValue::new(0),
        };
        updates.follow_address();
        updates.follow_frames();
        updates.tell_when_behind();
        super::links::follow(updates);
        super::forms::follow(updates);
        super::long_lists::follow();
        updates
    }

    /// Leads to another page, or has the one drawn again that is shown already.
    pub(super) fn go(self, to: &str) {
        if address::is_here(to) {
            return self.n_refreshes.update(|n| *n += 1);
        }
        if address::push(to).is_err() {
            // The browser leads there by itself.
            let _ = window().location().set_href(to);
            return;
        }
        window().scroll_to_with_x_and_y(0.0, 0.0);
        self.stand_here();
    }

    /// Shows the page of the address that the browser says it is at.
    pub(super) fn stand_here(self) {
        let here = address::here();
        if self.address.with_untracked(|address| *address != here) {
            self.address.set(here);
        }
    }

    fn follow_address(self) {
        let refusal = Visitor::of_page().refusal();
        Effect::new(move |before: Option<()>| {
            self.address.track();
            // The page says who may act, so it is drawn again when that changes.
            refusal.track();
            self.n_refreshes.track();
            // What the server drew first is what is wanted first.
            if before.is_some() {
                self.is_fetching.set_value(false);
                mark_busy(true);
                self.fetch();
            }
        });
    }

    fn follow_frames(self) {
        let live = expect_context::<Live>();
        // The words of alerts change more often than their number does.
        let alerts = Memo::new(move |_| live.frame.with(|frame| frame.alerts));
        Effect::new(move |before: Option<_>| {
            live.frame.track();
            let now = alerts.get();
            let Some(before) = before else { return now };
            if live.state.get_untracked() == LiveState::Live {
                self.n_frames.update_value(|n| *n += 1);
                let is_old = frames_between().is_some_and(|n| self.n_frames.get_value() >= n);
                // What led elsewhere may have failed.
                let is_elsewhere = !self.shown.with_value(|shown| self.stands_at(shown));
                if is_old || is_elsewhere || before != now && has_alerts() {
                    self.fetch();
                }
            }
            now
        });
    }

    fn tell_when_behind(self) {
        let live = expect_context::<Live>();
        // A server that is lost altogether, or another one, is told above every page.
        let is_told = move || [LiveState::Lost, LiveState::Updated].contains(&live.state.get());
        Effect::new(move |_| {
            let why = self.behind.get().filter(|_| !is_told());
            if let Some(place) = document().get_element_by_id("behind") {
                // What cannot be shown is no reason to stop.
                let _ = if why.is_some() {
                    place.remove_attribute("hidden")
                } else {
                    place.set_attribute("hidden", "")
                };
                if let Ok(Some(place)) = place.query_selector(".why") {
                    place.set_text_content(why.as_deref());
                }
            }
        });
    }

    fn fetch(self) {
        if self.is_fetching.get_value() {
            return;
        }
        self.is_fetching.set_value(true);
        self.n_requests.update_value(|n| *n += 1);
        self.n_frames.set_value(0);
        let number = self.n_requests.get_value();
        let address = self.address.get_untracked();
        leptos::task::spawn_local(async move {
            let answer = api::fetch_page(&address, self.extent(&address)).await;
            if self.stands_at(&address) && self.newest.get_value() < number {
                self.newest.set_value(number);
                self.take(answer, number, &address).await;
            }
        });
    }

    /// Of the page that is shown, what lives in it need not be drawn again.
    fn extent(self, address: &str) -> PageExtent {
        let is_shown = self.shown.with_value(|shown| shown == address);
        if is_shown && all_live() { PageExtent::AroundLiveParts } else { PageExtent::Whole }
    }

    /// A page that has gone on to another address has no use for an answer.
    fn stands_at(self, address: &str) -> bool {
        self.address.with_untracked(|now| now == address)
    }

    async fn take(self, answer: Result<String, ApiError>, number: u32, address: &str) {
        match answer {
            Ok(html) => {
                self.behind.set(None);
                let is_wanted = || self.stands_at(address) && self.newest.get_value() == number;
                if let Some(main) = main() {
                    self.shown.set_value(String::new());
                    show(&main, &html, is_wanted).await;
                    address::mark_links();
                    self.parts.get_value().take_over().await;
                    if is_wanted() {
                        self.shown.set_value(address.to_owned());
                    }
                }
            }
            Err(error) => self.behind.set(Some(error.sentence())),
        }
        // A newer request marks the page itself.
        if self.n_requests.get_value() == number {
            self.is_fetching.set_value(false);
            mark_busy(false);
        }
    }
}

async fn show(main: &Element, html: &str, is_wanted: impl Fn() -> bool) {
    if morph::show_by_card(main, html, is_wanted).await.is_err() {
        // Somebody changed the page in between. At once nobody can, and what the browser reads it
        // does not refuse.
        let _ = morph::show(main, html);
    }
}

fn main() -> Option<Element> {
    document().get_element_by_id("main")
}

fn mark_busy(busy: bool) {
    if let Some(main) = main() {
        // Only an ornament is lost where it cannot be set.
        let _ = main.set_attribute("aria-busy", if busy { "true" } else { "false" });
    }
}

// A drawing without the attribute holds until somebody asks for another.
fn frames_between() -> Option<u32> {
    document().get_element_by_id("page")?.get_attribute("data-every-s")?.parse().ok()
}

fn has_alerts() -> bool {
    document().get_element_by_id("alerts").is_some()
}
