use leptos::prelude::*;

/// Has the page drawn again that is shown already.
#[derive(Clone, Copy)]
pub(crate) struct Again(RwSignal<()>);

impl Again {
    /// One for all pages.
    pub(crate) fn provide() {
        provide_context(Self(RwSignal::new(())));
    }

    pub(super) fn track(self) {
        self.0.track();
    }

    pub(super) fn ask(self) {
        self.0.set(());
    }
}
