use strata_report::LevelChoice;

/// What somebody searches for.
pub(super) struct KeySearch<'a> {
    /// The names of all caches.
    pub(super) caches: Vec<String>,
    /// The cache that was chosen.
    pub(super) cache: &'a str,
    /// The pattern, as typed.
    pub(super) pattern: Option<&'a str>,
    /// The key, where one is looked at.
    pub(super) key: Option<&'a str>,
    /// In which level.
    pub(super) level: LevelChoice,
    /// The most rows.
    pub(super) limit: u32,
    /// Why the visitor may not act.
    pub(super) refusal: Option<String>,
}
