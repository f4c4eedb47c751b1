/// What an invalidation has still to do where it is dropped half-way, with its runtime: what L2 may
/// hold waits for the next chance, and L1 is overtaken.
pub(crate) struct Interrupted<F: Fn()>(F);

impl<F: Fn()> Interrupted<F> {
    pub(crate) fn or(rest: F) -> Self {
        Self(rest)
    }

    /// It has come to its end.
    pub(crate) fn never(self) {
        std::mem::forget(self);
    }
}

impl<F: Fn()> Drop for Interrupted<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
