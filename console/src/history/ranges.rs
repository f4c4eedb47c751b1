use strata_report::{Past, Range};

use crate::console::Console;
use crate::error::ConsoleError;

impl Console {
    /// All caches of the service together over a range, with what operators did in it.
    pub fn history(&self, range: Range) -> Past {
        let (past, own) = {
            let sampler = self.sampler();
            (sampler.past(range), sampler.own_caches().clone())
        };
        let mut past = self.marked(past, None);
        past.markers.retain(|audited| audited.cache.is_empty() || own.contains(&audited.cache));
        past
    }

    /// One cache over a range, with what operators did to it.
    ///
    /// # Errors
    /// [`ConsoleError::UnknownCache`].
    pub fn cache_history(&self, name: &str, range: Range) -> Result<Past, ConsoleError> {
        self.cache(name)?;
        let past = self.sampler().past_of(name, range);
        Ok(self.marked(past, Some(name)))
    }

    fn marked(&self, past: Past, cache: Option<&str>) -> Past {
        let span_ms = u64::try_from(past.range.span().as_millis()).unwrap_or(u64::MAX);
        let since_ms = self.tick().frame.at_ms.saturating_sub(span_ms);
        Past { markers: self.inner.audit.markers(since_ms, cache), ..past }
    }
}
