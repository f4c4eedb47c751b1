use strata_report::{Range, RangeHistory};

use crate::clock::in_ms;
use crate::console::Console;
use crate::error::ConsoleError;

impl Console {
    /// All caches of the service together over a range, with what operators did in it.
    pub fn history(&self, range: Range) -> RangeHistory {
        let (history, own) = {
            let sampler = self.sampler();
            (sampler.range(range), sampler.own_caches().clone())
        };
        let mut history = self.marked(history, None);
        history.markers.retain(|audited| audited.cache.is_empty() || own.contains(&audited.cache));
        history
    }

    /// One cache over a range, with what operators did to it.
    ///
    /// # Errors
    /// [`ConsoleError::UnknownCache`].
    pub fn cache_history(&self, name: &str, range: Range) -> Result<RangeHistory, ConsoleError> {
        self.cache(name)?;
        let history = self.sampler().cache_range(name, range);
        Ok(self.marked(history, Some(name)))
    }

    fn marked(&self, history: RangeHistory, cache: Option<&str>) -> RangeHistory {
        let span_ms = in_ms(history.range.span());
        let since_ms = self.tick().frame.at_ms.saturating_sub(span_ms);
        RangeHistory { markers: self.inner.audit.markers(since_ms, cache), ..history }
    }
}
