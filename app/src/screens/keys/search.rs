use leptos::prelude::*;
use strata_report::LevelChoice;

use super::view::KeySearch;
use crate::addresses::at;
use crate::format;
use crate::screens::page_frame::titled_card;

const LEVELS: [(LevelChoice, &str, &str); 3] = [
    (LevelChoice::Any, "any", "L1 and L2"),
    (LevelChoice::L1, "l1", "L1 only"),
    (LevelChoice::L2, "l2", "L2 only"),
];

/// The most rows that a search may ask for; the first where nothing is said.
pub(super) const LIMITS: [u32; 3] = [1_000, 10_000, 100_000];

/// Where to search, and for what.
pub(super) fn card(search: &KeySearch<'_>) -> AnyView {
    let cache = |name: &String| {
        view! { <option value=name.clone() selected=name == search.cache>{name.clone()}</option> }
    };
    let caches = || search.caches.iter().map(cache).collect_view();
    let level = |(level, value, name)| {
        view! { <option value=value selected=level == search.level>{name}</option> }
    };
    let levels = LEVELS.map(level).into_iter().collect_view();
    let limit = |n: u32| {
        view! { <option value=n selected=n == search.limit>{format::count(n.into())}" keys"</option> }
    };
    let limits = LIMITS.map(limit).into_iter().collect_view();
    let (pattern, key) = (search.pattern.map(str::to_owned), search.key.map(str::to_owned));
    titled_card(
        "search-card",
        "Search",
        "looking disturbs no cache",
        view! {
            <div class="searches">
                <form action=at("/keys") method="get" class="ask" role="search" data-testid="search-keys">
                    <div class="field">
                        <label for="search-cache">"Cache"</label>
                        <select id="search-cache" name="cache">{caches()}</select>
                    </div>
                    <div class="field grow">
                        <label for="search">"Pattern"</label>
                        <input id="search" name="pattern" class="mono" required=true autocomplete="off"
                            autocapitalize="off" spellcheck="false" placeholder="author:17:*" value=pattern />
                    </div>
                    <div class="field">
                        <label for="search-level">"In"</label>
                        <select id="search-level" name="level">{levels}</select>
                    </div>
                    <div class="field">
                        <label for="search-limit">"At most"</label>
                        <select id="search-limit" name="limit">{limits}</select>
                    </div>
                    <button type="submit" class="button">"Search"</button>
                    <button type="submit" class="button" name="plan" value="1">"Plan an invalidation"</button>
                </form>
                <form action=at("/keys") method="get" class="ask" data-testid="look-at-key">
                    <div class="field">
                        <label for="look-cache">"Cache"</label>
                        <select id="look-cache" name="cache">{caches()}</select>
                    </div>
                    <div class="field grow">
                        <label for="look-key">"One key"</label>
                        <input id="look-key" name="key" class="mono" required=true autocomplete="off"
                            autocapitalize="off" spellcheck="false" placeholder="4711" value=key />
                    </div>
                    <button type="submit" class="button">"Look at it"</button>
                </form>
            </div>
        },
    )
}

/// What stands where nothing was asked for yet.
pub(super) fn invitation() -> AnyView {
    view! {
        <section class="card wide empty" aria-label="How to search">
            <p>
                "Search for keys. In a pattern "<kbd>"*"</kbd>" stands for any text, "
                <kbd>"?"</kbd>" for one character and "<kbd>"[abc]"</kbd>
                " for one of these; a backslash takes their meaning away."
            </p>
        </section>
    }
    .into_any()
}
