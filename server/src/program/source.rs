use strata_cache::ErrorChain;
use strata_console::{Answer, ConsoleError, SourceReader};
use strata_demo::{CacheKey, Site};
use strata_report::SourceLook;

/// The demo's database behind the demo's caches.
pub(crate) struct DemoSource {
    site: Site,
}

impl DemoSource {
    pub(crate) fn new(site: Site) -> Self {
        Self { site }
    }
}

impl SourceReader for DemoSource {
    fn knows(&self, cache: &str) -> bool {
        CacheKey::CACHES.contains(&cache)
    }

    fn look<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, SourceLook> {
        Box::pin(async move {
            Ok(match self.site.source_json(&read(cache, key)?).await {
                Ok(Some(value)) => SourceLook::Value { value },
                Ok(None) => SourceLook::Absent,
                Err(error) => SourceLook::Failed { why: ErrorChain(&error).to_string() },
            })
        })
    }

    fn read<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, ()> {
        Box::pin(async move {
            let key = read(cache, key)?;
            let failed = |error: strata_demo::DemoError| {
                ConsoleError::SourceFailed(ErrorChain(&error).to_string())
            };
            self.site.read_key(&key).await.map_err(failed)
        })
    }
}

fn read(cache: &str, key: &str) -> Result<CacheKey, ConsoleError> {
    let bad = || {
        let (cache, key) = (cache.to_owned(), key.chars().take(64).collect());
        ConsoleError::BadKey { cache, key, reason: "keys of this cache have another form" }
    };
    CacheKey::parse(cache, key).ok_or_else(bad)
}
