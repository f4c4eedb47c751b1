use std::time::Instant;

use super::Site;
use super::checks::{check_id, check_owner, check_text};
use super::detach::detach;
use crate::cached::CachedPosts;
use crate::ctx::Ctx;
use crate::error::DemoError;
use crate::reply::{ReadNote, Reply};
use crate::store::{Post, PostDraft, PostEdit};

const MAX_TITLE_BYTES: usize = 200;
const MAX_BODY_BYTES: usize = 16 * 1_024;

impl Site {
    /// One post. A draft exists for its author and admins only.
    ///
    /// # Errors
    /// [`DemoError::NotFound`], [`DemoError::Invalid`] or [`DemoError::Source`].
    pub async fn post(&self, ctx: &Ctx, id: i64) -> Result<Reply<Post>, DemoError> {
        let started = Instant::now();
        check_id(id)?;
        let read = self.posts.read(ctx.freshness, id).await?;
        let note = ReadNote::new(CachedPosts::NAME, id, &read, started);
        let post = read.value.ok_or(DemoError::NotFound)?;
        if !post.is_visible_to(ctx.actor) {
            return Err(DemoError::NotFound);
        }
        Ok(Reply::of_reads(Post::clone(&post), vec![note], started))
    }

    /// Makes a post. Its author and admins may.
    ///
    /// # Errors
    /// Any [`DemoError`]; [`DemoError::NotFound`] where there is no such author.
    pub async fn create_post(&self, ctx: &Ctx, draft: PostDraft) -> Result<Reply<Post>, DemoError> {
        let started = Instant::now();
        check_id(draft.author_id)?;
        check_text("title", &draft.title, MAX_TITLE_BYTES)?;
        check_text("body", &draft.body, MAX_BODY_BYTES)?;
        check_owner(ctx.actor, draft.author_id)?;
        let site = self.clone();
        detach(async move {
            let post = site.store.create_post(&draft).await?;
            // Somebody may have asked for this id before it was given, and "not found" is cached.
            let writes = vec![
                site.posts.invalidate(post.id).await,
                site.timelines.invalidate_author(post.author_id).await,
            ];
            Ok(Reply::of_writes(post, writes, started))
        })
        .await
    }

    /// Changes a post. Its author and admins may.
    ///
    /// # Errors
    /// Any [`DemoError`]; [`DemoError::Conflict`] where the edit names a version that is not the
    /// current one.
    pub async fn put_post(
        &self,
        ctx: &Ctx,
        id: i64,
        edit: PostEdit,
    ) -> Result<Reply<Post>, DemoError> {
        let started = Instant::now();
        check_id(id)?;
        if let Some(title) = &edit.title {
            check_text("title", title, MAX_TITLE_BYTES)?;
        }
        if let Some(body) = &edit.body {
            check_text("body", body, MAX_BODY_BYTES)?;
        }
        check_owner(ctx.actor, self.store.author_of(id).await?)?;
        let site = self.clone();
        detach(async move {
            let turn = site.store.row_locks.lock(id).await;
            let post = site.store.put_post(id, &edit).await?;
            let mut writes = vec![site.posts.replace(post.clone()).await];
            drop(turn);
            if edit.title.is_some() || edit.visibility.is_some() {
                writes.push(site.timelines.invalidate_author(post.author_id).await);
            }
            Ok(Reply::of_writes(post, writes, started))
        })
        .await
    }

    /// Removes a post. Its author and admins may.
    ///
    /// # Errors
    /// Any [`DemoError`] but `Conflict`.
    pub async fn delete_post(&self, ctx: &Ctx, id: i64) -> Result<Reply<()>, DemoError> {
        let started = Instant::now();
        check_id(id)?;
        let author = self.store.author_of(id).await?;
        check_owner(ctx.actor, author)?;
        let site = self.clone();
        detach(async move {
            let turn = site.store.row_locks.lock(id).await;
            site.store.delete_post(id).await?;
            let mut writes = vec![site.posts.invalidate(id).await];
            drop(turn);
            writes.push(site.timelines.invalidate_author(author).await);
            Ok(Reply::of_writes((), writes, started))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use strata_cache::Node;

    use super::*;
    use crate::ctx::Caller;
    use crate::store::Store;

    const ADMIN: Ctx = Ctx { actor: Caller::Admin, freshness: crate::ctx::Freshness::Cached };

    #[tokio::test]
    async fn a_writer_waits_until_the_one_before_has_told_the_caches() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(None, dir.path()).await.unwrap();
        store.seed(10).await.unwrap();
        let node = Node::builder("demo-test").start().await.unwrap();
        let site = Site::new(node, store.clone()).unwrap();

        let one_before = store.row_locks.lock(5).await;
        let waiting = tokio::spawn({
            let site = site.clone();
            async move { site.put_post(&ADMIN, 5, text("Second.")).await }
        });
        // Writes share one connection in order, so among so many it would have had its place.
        for _ in 0..20 {
            site.put_post(&ADMIN, 6, text("Other.")).await.unwrap();
        }
        assert_eq!(store.post(5).await.unwrap().unwrap().version, 1);

        drop(one_before);
        let written = waiting.await.unwrap().unwrap().body;
        assert_eq!(written.version, 2);
        assert_eq!(site.post(&ADMIN, 5).await.unwrap().body, written);
    }

    fn text(body: &str) -> PostEdit {
        PostEdit { body: Some(body.to_owned()), ..PostEdit::default() }
    }
}
