use strata_report::SourceLook;

use crate::Answer;

/// All that a console asks of the source behind caches: the truth, past every cache.
pub trait SourceFace: Send + Sync + 'static {
    /// Whether it stands behind this cache.
    fn knows(&self, cache: &str) -> bool;

    /// One key in the source, without reading or filling any cache. Says itself where the source
    /// does not answer; an error is for a text that is no key.
    fn look<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, SourceLook>;

    /// Reads one key as the service does, so that a cache which has it not, or has it marked as
    /// stale, loads it. Counts as one read.
    fn read<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, ()>;
}
