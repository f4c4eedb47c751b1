use leptos::prelude::*;

const N_STREAMS: u32 = 7;

/// What a layer let through, widening until it is the whole of the next layer.
#[component]
pub(super) fn Sink(
    /// The share that the layer above answered; `None` while nothing reached it.
    answered: Memo<Option<f64>>,
    /// How much sinks, in words.
    #[prop(into)]
    text: Signal<String>,
) -> impl IntoView {
    let draw = move |path: fn(f64, u32) -> String, i| match answered.get() {
        Some(answered) if answered < 1.0 => path(answered, i),
        _ => String::new(),
    };
    let body = move || draw(|answered, _| body(answered), 0);
    let streams = (0..N_STREAMS).map(|i| {
        let d = move || draw(stream, i);
        view! { <path class="stream" d=d /> }
    });
    view! {
        <div class="sink">
            <svg aria-hidden="true" viewBox="0 0 1000 100" preserveAspectRatio="none">
                <path class="reads" d=body />
                {streams.collect_view()}
            </svg>
            <p>{move || text.get()}</p>
        </div>
    }
    .into_any()
}

fn body(answered: f64) -> String {
    let left = (answered * 1_000.0).round();
    format!("M{left} 0C{left} 60 0 40 0 100L1000 100L1000 0Z")
}

// One of several lines that spread from what was let through to the whole width below.
fn stream(answered: f64, i: u32) -> String {
    let along = (f64::from(i) + 0.5) / f64::from(N_STREAMS);
    let left = answered * 1_000.0;
    let top = (left + along * (1_000.0 - left)).round();
    let bottom = (along * 1_000.0).round();
    format!("M{top} 0C{top} 60 {bottom} 40 {bottom} 100")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_start_in_what_was_let_through() {
        assert_eq!(stream(0.5, 0), "M536 0C536 60 71 40 71 100");
        assert_eq!(stream(0.0, 3), "M500 0C500 60 500 40 500 100");
    }
}
