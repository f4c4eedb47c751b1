use std::time::Instant;

use super::Site;
use super::checks::{check_batch, check_email, check_id, check_len, check_owner, check_text};
use super::detach::detach;
use crate::cached::CachedUsers;
use crate::ctx::Ctx;
use crate::error::DemoError;
use crate::reply::{ReadNote, Reply};
use crate::store::{UserDraft, UserEdit, UserView};

const MAX_NAME_BYTES: usize = 100;
const MAX_BIO_BYTES: usize = 1_000;

impl Site {
    /// One user. The e-mail address is for the user and admins.
    ///
    /// # Errors
    /// [`DemoError::NotFound`], [`DemoError::Invalid`] or [`DemoError::Source`].
    pub async fn user(&self, ctx: &Ctx, id: i64) -> Result<Reply<UserView>, DemoError> {
        let started = Instant::now();
        check_id(id)?;
        let read = self.users.read(ctx.freshness, id).await?;
        let note = ReadNote::new(CachedUsers::NAME, id, &read, started);
        let user = read.value.ok_or(DemoError::NotFound)?;
        Ok(Reply::of_reads(user.seen_by(ctx.actor), vec![note], started))
    }

    /// Up to [`MAX_BATCH`](super::MAX_BATCH) users in the order of `ids`, duplicates included;
    /// `None` stands for one that does not exist. At most one query.
    ///
    /// # Errors
    /// [`DemoError::Invalid`] or [`DemoError::Source`].
    pub async fn users(
        &self,
        ctx: &Ctx,
        ids: &[i64],
    ) -> Result<Reply<Vec<Option<UserView>>>, DemoError> {
        let started = Instant::now();
        check_batch(ids)?;
        let reads = self.users.read_many(ctx.freshness, ids).await;
        let mut users = Vec::with_capacity(ids.len());
        let mut notes = Vec::with_capacity(ids.len());
        for (id, read) in ids.iter().zip(reads) {
            let read = read?;
            notes.push(ReadNote::new(CachedUsers::NAME, id, &read, started));
            users.push(read.value.map(|user| user.seen_by(ctx.actor)));
        }
        Ok(Reply::of_reads(users, notes, started))
    }

    /// Makes a user. Anybody may.
    ///
    /// # Errors
    /// [`DemoError::Invalid`], [`DemoError::Conflict`] or [`DemoError::Source`].
    pub async fn create_user(
        &self,
        ctx: &Ctx,
        draft: UserDraft,
    ) -> Result<Reply<UserView>, DemoError> {
        let started = Instant::now();
        check_text("name", &draft.name, MAX_NAME_BYTES)?;
        check_email(&draft.email)?;
        check_len("bio", &draft.bio, MAX_BIO_BYTES)?;
        let (site, caller) = (self.clone(), ctx.actor);
        detach(async move {
            let user = site.store.create_user(&draft).await?;
            // Somebody may have asked for this id before it was given, and "not found" is cached.
            let writes = vec![
                site.users.invalidate(user.id).await,
                site.timelines.invalidate_author(user.id).await,
            ];
            Ok(Reply::of_writes(user.seen_by(caller), writes, started))
        })
        .await
    }

    /// Changes a user.
    ///
    /// # Errors
    /// Any [`DemoError`]; [`DemoError::Conflict`] where the edit names a version that is not the
    /// current one.
    pub async fn put_user(
        &self,
        ctx: &Ctx,
        id: i64,
        edit: UserEdit,
    ) -> Result<Reply<UserView>, DemoError> {
        let started = Instant::now();
        check_id(id)?;
        check_edit(&edit)?;
        check_owner(ctx.actor, id)?;
        let (site, caller) = (self.clone(), ctx.actor);
        detach(async move {
            let user = site.store.put_user(id, &edit).await?;
            let writes = vec![site.users.invalidate(id).await];
            Ok(Reply::of_writes(user.seen_by(caller), writes, started))
        })
        .await
    }

    /// Removes a user with all posts.
    ///
    /// # Errors
    /// Any [`DemoError`] but `Conflict`.
    pub async fn delete_user(&self, ctx: &Ctx, id: i64) -> Result<Reply<()>, DemoError> {
        let started = Instant::now();
        check_id(id)?;
        check_owner(ctx.actor, id)?;
        let site = self.clone();
        detach(async move {
            let posts = site.store.delete_user(id).await?;
            let mut writes =
                vec![site.users.invalidate(id).await, site.timelines.invalidate_author(id).await];
            for post in posts {
                let _turn = site.store.row_locks.lock(post).await;
                writes.push(site.posts.invalidate(post).await);
            }
            Ok(Reply::of_writes((), writes, started))
        })
        .await
    }
}

fn check_edit(edit: &UserEdit) -> Result<(), DemoError> {
    if let Some(name) = &edit.name {
        check_text("name", name, MAX_NAME_BYTES)?;
    }
    if let Some(email) = &edit.email {
        check_email(email)?;
    }
    if let Some(bio) = &edit.bio {
        check_len("bio", bio, MAX_BIO_BYTES)?;
    }
    Ok(())
}
