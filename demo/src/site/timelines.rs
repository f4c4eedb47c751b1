use std::time::Instant;

use super::Site;
use super::checks::{check_id, check_page};
use crate::cached::CachedTimelines;
use crate::cached::TimelineKey;
use crate::ctx::Ctx;
use crate::error::DemoError;
use crate::reply::{ReadNote, Reply};
use crate::store::TimelinePage;

impl Site {
    /// One page of an author's timeline, newest posts first; past the last page it is empty. It
    /// holds public posts alone, so one cached page serves every caller.
    ///
    /// # Errors
    /// [`DemoError::NotFound`], [`DemoError::Invalid`] or [`DemoError::Source`].
    pub async fn timeline(
        &self,
        ctx: &Ctx,
        author: i64,
        page: u32,
    ) -> Result<Reply<TimelinePage>, DemoError> {
        let started = Instant::now();
        check_id(author)?;
        check_page(page)?;
        let key = TimelineKey { author, page };
        let read = self.timelines.read(ctx.freshness, key).await?;
        let note = ReadNote::new(CachedTimelines::NAME, key, &read, started);
        let page = read.value.ok_or(DemoError::NotFound)?;
        Ok(Reply::of_reads(TimelinePage::clone(&page), vec![note], started))
    }
}
