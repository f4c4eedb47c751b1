use leptos::prelude::*;

/// A dialog that a button opens by `popovertarget`, also without JavaScript; Escape closes it.
#[component]
pub(crate) fn Dialog(
    /// Its id.
    id: &'static str,
    /// Its heading.
    title: &'static str,
    /// What it shows.
    children: Children,
) -> impl IntoView {
    let heading = || format!("{id}-title");
    view! {
        <div id=id class="dialog" popover="auto" role="dialog" aria-labelledby=heading()>
            <div class="dialog-head">
                <h2 id=heading()>{title}</h2>
                <button
                    type="button"
                    class="button"
                    popovertarget=id
                    popovertargetaction="hide"
                >
                    "Close"
                </button>
            </div>
            {children()}
        </div>
    }
    .into_any()
}
