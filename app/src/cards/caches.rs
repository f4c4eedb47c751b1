use leptos::prelude::*;
use strata_report::{CacheFrame, Frame};

use crate::addresses::cache_address;
use crate::format::{self, DASH};
use crate::hints;
use crate::live::Live;
use crate::ui::{Bar, Card, Label, Segment};

/// Where reads of a cache may end.
struct LayerShare {
    class: &'static str,
    share: fn(&CacheFrame) -> Option<f64>,
}

const LAYERS: [LayerShare; 3] = [
    LayerShare { class: "l1", share: |cache| share(cache, cache.recent.outcomes.l1_hit) },
    LayerShare { class: "l2", share: |cache| share(cache, cache.recent.outcomes.l2_hit) },
    LayerShare { class: "source", share: below },
];

/// Every cache in a row, worst first: the one with the largest share of reads below L2. The lab's
/// caches come last.
#[component]
pub(crate) fn Caches() -> impl IntoView {
    let live = expect_context::<Live>();
    let order = Memo::new(move |_| live.frame.with(worst_first));
    view! {
        <Card name="caches" title="Caches" note="last seconds, worst first">
            <table class="caches-table">
                <thead>
                    <tr>
                        <th scope="col">"cache"</th>
                        <th scope="col" class="wide">
                            "answered by L1 · L2 · database"
                        </th>
                        <th scope="col">
                            <Label hint=hints::READS />
                        </th>
                        <th scope="col" class="roomy">
                            "L1 entries"
                        </th>
                        <th scope="col" class="roomy">
                            "L1 weight"
                        </th>
                        <th scope="col" class="roomy">
                            "L2 entries"
                        </th>
                        <th scope="col">
                            <Label hint=hints::LOAD_P95 />
                        </th>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || order.get() key=String::clone let:name>
                        <CacheRow name=name />
                    </For>
                </tbody>
            </table>
        </Card>
    }
    .into_any()
}

#[component]
fn CacheRow(name: String) -> impl IntoView {
    let live = expect_context::<Live>();
    let text = |of: fn(&CacheFrame) -> String| live.cache_text(&name, of);
    let is_here = |cache: &CacheFrame| cache.attached && cache.report.cache == name;
    let is_attached = live.frame.with_untracked(|frame| frame.caches.iter().any(is_here));
    let lab = is_attached.then(|| view! { <span class="badge">"lab"</span> }.into_any());
    let shares = LAYERS.map(|layer| live.cache_share(&name, layer.share));
    let segments = Signal::derive(move || {
        let segment = |(layer, share): (&LayerShare, Signal<Option<f64>>)| Segment {
            class: layer.class,
            share: share.get().unwrap_or(0.0),
        };
        LAYERS.iter().zip(shares).map(segment).collect()
    });
    let percent = |share: Signal<Option<f64>>| {
        view! { <span>{move || format::percent(share.get())}</span> }
    };
    let percents = shares.map(percent).into_iter().collect_view();
    view! {
        <tr>
            <th scope="row"><a href=cache_address(&name)>{name.clone()}</a>{lab}</th>
            <td class="wide">
                <span class="answered-by">
                    <Bar segments=segments />
                    <span class="shares">{percents}</span>
                </span>
            </td>
            <td>{text(reads)}</td>
            <td class="roomy">{text(|cache| format::estimate(cache.report.l1.entries))}</td>
            <td class="roomy">{text(weight)}</td>
            <td class="roomy">
                {text(|cache| cache.l2_entries.map_or(DASH.to_owned(), format::count))}
            </td>
            <td>{text(|cache| format::duration(cache.recent.load_latency.quantile_ns(0.95)))}</td>
        </tr>
    }
    .into_any()
}

fn reads(cache: &CacheFrame) -> String {
    format::rate(cache.recent.per_second(cache.recent.outcomes.reads()))
}

fn weight(cache: &CacheFrame) -> String {
    cache.report.l1.weight_bytes.map_or(DASH.to_owned(), |n| format!("~{}", format::bytes(n)))
}

fn share(cache: &CacheFrame, part: u64) -> Option<f64> {
    let reads = cache.recent.outcomes.reads();
    (reads > 0).then(|| part as f64 / reads as f64)
}

fn below(cache: &CacheFrame) -> Option<f64> {
    let outcomes = &cache.recent.outcomes;
    share(cache, outcomes.reads() - outcomes.l1_hit - outcomes.l2_hit)
}

// Steps of 5 %, so that caches that are alike do not change places each second.
fn worst_first(frame: &Frame) -> Vec<String> {
    let depth = |cache: &CacheFrame| below(cache).map_or(-1, |share| (share * 20.0) as i32);
    let mut caches: Vec<&CacheFrame> = frame.caches.iter().collect();
    caches.sort_by_key(|cache| (cache.attached, std::cmp::Reverse(depth(cache))));
    caches.into_iter().map(|cache| cache.report.cache.clone()).collect()
}

#[cfg(test)]
mod tests {
    use strata_report::{CacheReport, Outcomes, Window};

    use super::*;

    fn cache(name: &str, l1_hit: u64, loaded: u64) -> CacheFrame {
        let outcomes = Outcomes { l1_hit, loaded, ..Outcomes::default() };
        CacheFrame {
            report: CacheReport { cache: name.to_owned(), ..CacheReport::default() },
            recent: Window { span_ms: 1000, outcomes, ..Window::default() },
            ..CacheFrame::default()
        }
    }

    #[test]
    fn the_worst_cache_comes_first_and_an_idle_one_last() {
        let caches = vec![cache("idle", 0, 0), cache("good", 99, 1), cache("bad", 50, 50)];
        let frame = Frame { caches, ..Frame::default() };
        assert_eq!(worst_first(&frame), ["bad", "good", "idle"]);
    }

    #[test]
    fn caches_of_the_lab_come_after_those_of_the_service() {
        let lab = CacheFrame { attached: true, ..cache("lab", 0, 100) };
        let frame = Frame { caches: vec![lab, cache("users", 99, 1)], ..Frame::default() };
        assert_eq!(worst_first(&frame), ["users", "lab"]);
    }

    #[test]
    fn alike_caches_keep_their_order() {
        let caches = vec![cache("a", 981, 19), cache("b", 980, 20)];
        assert_eq!(worst_first(&Frame { caches, ..Frame::default() }), ["a", "b"]);
    }
}
