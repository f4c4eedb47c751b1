use strata_report::DeadLetterQuery;

/// What is shown, to whom.
pub(super) struct DeadLettersView<'a> {
    pub(super) cache: &'a str,
    pub(super) query: &'a DeadLetterQuery,
    /// Whether the list begins at the oldest.
    pub(super) is_first: bool,
    /// Why the visitor may not act.
    pub(super) refusal: Option<String>,
}
