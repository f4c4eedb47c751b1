/// One round trip to Redis, as logs and tests name it.
#[cfg_attr(not(feature = "holds"), expect(unreachable_pub, reason = "public for tests alone"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Reads entries.
    Get,
    /// Asks when tags were invalidated.
    Tags,
    /// Takes the leases of a load.
    Acquire,
    /// Looks whether others still hold the leases that are waited for.
    WaitForLeases,
    /// Keeps leases while a load runs.
    Renew,
    /// Takes the place of an entry that cannot be used.
    Claim,
    /// Writes what was loaded.
    Commit,
    /// Gives leases back.
    Release,
    /// Takes the lease of a write.
    Seize,
    /// Writes what was written.
    Replace,
    /// Removes keys and announces it.
    Remove,
    /// Marks a key as stale and announces it.
    Soften,
    /// Invalidates a tag and announces it.
    InvalidateTag,
    /// Removes some of what matches a pattern.
    RemoveSome,
    /// Announces that what matched is gone.
    Announce,
    /// Shows that invalidations can be written.
    Prove,
    /// Looks at keys or at Redis itself.
    Inspect,
    /// Serves a write-behind.
    WriteBehind,
    /// Serves a hash, a list or a counter.
    Structure,
}

impl Step {
    /// Whether a call may be made twice: where the first answer was lost, it may have been made
    /// already.
    pub(crate) fn may_repeat(self) -> bool {
        matches!(self, Self::Get | Self::Tags | Self::Prove | Self::WaitForLeases)
            || self.is_invalidation()
    }

    /// Whether it takes something away that nobody may read any more.
    pub(crate) fn is_invalidation(self) -> bool {
        matches!(
            self,
            Self::Remove | Self::Soften | Self::InvalidateTag | Self::RemoveSome | Self::Announce
        )
    }
}
