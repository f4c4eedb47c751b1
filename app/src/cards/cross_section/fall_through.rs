use leptos::prelude::*;

const N_STREAMS: u32 = 7;

/// What a layer let through, widening until it is the whole of the next layer.
#[component]
pub(super) fn FallThrough(
    /// The share that the layer above answered; `None` while nothing reached it.
    answered: Signal<Option<f64>>,
    /// How much sinks, in words.
    #[prop(into)]
    text: Signal<String>,
) -> impl IntoView {
    let draw = move |path: fn(f64) -> String| {
        Signal::derive(move || match answered.get() {
            Some(answered) if answered < 1.0 => path(answered),
            _ => String::new(),
        })
    };
    view! {
        <div class="sink">
            <svg aria-hidden="true" viewBox="0 0 1000 100" preserveAspectRatio="none">
                <path class="reads" d=draw(body) />
                <path class="stream" d=draw(streams) />
            </svg>
            <p>{move || text.get()}</p>
        </div>
    }
    .into_any()
}

fn body(answered: f64) -> String {
    let left = (answered * 1_000.0).round() as i64;
    format!("M{left} 0C{left} 60 0 40 0 100L1000 100L1000 0Z")
}

// Lines that spread from what was let through to the whole width below.
fn streams(answered: f64) -> String {
    let left = answered * 1_000.0;
    let stream = |i: u32| {
        let along = (f64::from(i) + 0.5) / f64::from(N_STREAMS);
        let top = (left + along * (1_000.0 - left)).round() as i64;
        let bottom = (along * 1_000.0).round() as i64;
        format!("M{top} 0C{top} 60 {bottom} 40 {bottom} 100")
    };
    (0..N_STREAMS).map(stream).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_start_in_what_was_let_through() {
        let path = streams(0.5);
        assert_eq!(path.matches('M').count(), 7);
        assert!(path.starts_with("M536 0C536 60 71 40 71 100"));
        assert!(path.ends_with("M964 0C964 60 929 40 929 100"));
    }
}
