use std::future::Future;
use std::pin::Pin;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;
use leptos_router::location::Location;
use web_sys::Element;

use super::morph;
use crate::api;
use crate::live::{Live, LiveState};
use crate::visitor::Visitor;

/// A page that the server draws, asked for again as often as it says.
#[component]
pub(crate) fn ServerDrawnPage(
    /// The name of the page at a path.
    title: fn(&str) -> String,
    /// The page of the first HTML at an address.
    first: fn(String) -> Pin<Box<dyn Future<Output = String> + Send>>,
) -> impl IntoView {
    // The URL of the route would stay behind where one cache's page follows another's.
    let Location { pathname, search, .. } = use_location();
    let address = Memo::new(move |_| match search.get().trim_start_matches('?') {
        "" => pathname.get(),
        search => format!("{}?{search}", pathname.get()),
    });
    let updates = PageUpdates {
        address,
        behind: RwSignal::new(None),
        is_fetching: StoredValue::new(false),
        n_requests: StoredValue::new(0),
        newest: StoredValue::new(0),
        n_frames: StoredValue::new(0),
    };
    updates.follow();
    let first = first(address.get_untracked());
    let live = expect_context::<Live>();
    // A server that is lost altogether, or another one, is told above every page.
    let is_told = move || [LiveState::Lost, LiveState::Updated].contains(&live.state.get());
    let is_behind = move || updates.behind.with(Option::is_some) && !is_told();
    let title = move || title(&pathname.get());
    let main = Suspend::new(async move {
        let html = first.await;
        view! { <main id="main" class="server-drawn" tabindex="-1" inner_html=html></main> }
    });
    view! {
        <Title text=title />
        <div role="alert" class="banner-place">
            <Show when=is_behind>
                <div class="banner behind">
                    <p>
                        <strong>"These numbers stand still. "</strong>
                        {move || updates.behind.get()}
                        " The page keeps trying."
                    </p>
                </div>
            </Show>
        </div>
        {main}
    }
    .into_any()
}

/// What is drawn, and how it is kept up to date.
#[derive(Clone, Copy)]
struct PageUpdates {
    address: Memo<String>,
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
    fn follow(self) {
        let live = expect_context::<Live>();
        let refusal = Visitor::of_page().refusal();
        let is_first_page = is_hydrating();
        let refresh = expect_context::<Refresh>();
        Effect::new(move |before: Option<()>| {
            self.address.track();
            // The page says who may act, so it is drawn again when that changes.
            refusal.track();
            refresh.track();
            // The first HTML holds the drawing already, unless a link led here.
            if before.is_some() || !is_first_page {
                self.is_fetching.set_value(false);
                mark_busy(true);
                self.fetch();
            }
        });
        Effect::new(move |before: Option<()>| {
            live.frame.track();
            if before.is_none() || live.state.get_untracked() != LiveState::Live {
                return;
            }
            self.n_frames.update_value(|n| *n += 1);
            if frames_between().is_some_and(|between| self.n_frames.get_value() >= between) {
                self.fetch();
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
            let answer = api::fetch_page(&address).await;
            if self.stands_at(&address) && self.newest.get_value() < number {
                self.newest.set_value(number);
                self.take(answer, number, &address).await;
            }
        });
    }

    /// A page that is gone, or has gone on to another address, has no use for an answer.
    fn stands_at(self, address: &str) -> bool {
        self.address.try_get_untracked().is_some_and(|now| now == address)
    }

    async fn take(self, answer: Result<String, api::ApiError>, number: u32, address: &str) {
        match answer {
            Ok(html) => {
                self.behind.set(None);
                let is_wanted = || self.stands_at(address) && self.newest.get_value() == number;
                if let Some(main) = main() {
                    show(&main, &html, is_wanted).await;
                }
            }
            Err(error) => self.behind.set(Some(error.sentence())),
        }
        // A newer request marks the page itself.
        if self.n_requests.try_get_value() == Some(number) {
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

// Whether this is the page of the first HTML.
fn is_hydrating() -> bool {
    Owner::current_shared_context().is_some_and(|context| context.during_hydration())
}

fn main() -> Option<Element> {
    document().get_element_by_id("main")
}

fn page() -> Option<Element> {
    document().get_element_by_id("page")
}

fn mark_busy(busy: bool) {
    if let Some(main) = main() {
        // Only an ornament is lost where it cannot be set.
        let _ = main.set_attribute("aria-busy", if busy { "true" } else { "false" });
    }
}

// A drawing without the attribute holds until somebody asks for another.
fn frames_between() -> Option<u32> {
    page()?.get_attribute("data-every-s")?.parse().ok()
}

/// Has the page drawn again that is shown already.
#[derive(Clone, Copy)]
pub(crate) struct Refresh(RwSignal<()>);

impl Refresh {
    /// One for all pages.
    pub(crate) fn provide() {
        provide_context(Self(RwSignal::new(())));
    }

    fn track(self) {
        self.0.track();
    }

    /// Has the page drawn again.
    pub(super) fn request(self) {
        self.0.set(());
    }
}
