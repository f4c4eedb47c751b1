use std::time::Instant;

use super::Site;
use super::checks::{check_key, check_len};
use super::detach::detach;
use crate::cached::CachedObjects;
use crate::ctx::{Caller, Ctx};
use crate::error::DemoError;
use crate::reply::{ReadNote, Reply};
use crate::store::{Object, ObjectEdit};

const MAX_BODY_BYTES: usize = 16 * 1_024;

impl Site {
    /// One object. Every key has one.
    ///
    /// # Errors
    /// [`DemoError::Invalid`] or [`DemoError::Source`].
    pub async fn object(&self, ctx: &Ctx, key: &str) -> Result<Reply<Object>, DemoError> {
        let started = Instant::now();
        check_key(key)?;
        let read = self.objects.read(ctx.freshness, key).await?;
        let note = ReadNote::new(CachedObjects::NAME, key, &read, started);
        let object = read.value.ok_or(DemoError::NotFound)?;
        Ok(Reply::of_reads(Object::clone(&object), vec![note], started))
    }

    /// Writes an object. Admins may.
    ///
    /// # Errors
    /// [`DemoError::Invalid`], [`DemoError::Forbidden`] or [`DemoError::Source`].
    pub async fn put_object(
        &self,
        ctx: &Ctx,
        key: &str,
        edit: ObjectEdit,
    ) -> Result<Reply<Object>, DemoError> {
        let started = Instant::now();
        check_key(key)?;
        check_len("body", &edit.body, MAX_BODY_BYTES)?;
        if ctx.actor != Caller::Admin {
            return Err(DemoError::Forbidden);
        }
        let (site, key) = (self.clone(), key.to_owned());
        detach(async move {
            let object = site.store.put_object(&key, &edit).await?;
            let writes = vec![site.objects.invalidate(&key).await];
            Ok(Reply::of_writes(object, writes, started))
        })
        .await
    }
}
