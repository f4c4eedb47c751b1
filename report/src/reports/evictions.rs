use std::ops::{Add, AddAssign, Sub};

use serde::{Deserialize, Serialize};

use crate::LogHistogram;

/// Why an entry left a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Its time to live or time to idle ran out.
    Expired,
    /// It was invalidated.
    Explicit,
    /// A newer value took its place.
    Replaced,
    /// It was displaced because the level was full.
    Size,
    /// It was turned away at admission. moka reports this as `Size`; an entry that left for size
    /// almost as soon as it came counts as refused, so this split is an estimate.
    Refused,
    /// A cause that this version does not know.
    #[serde(other)]
    Other,
}

impl Cause {
    /// Every cause that this version knows, in the order in which screens list them.
    pub const ALL: [Self; 5] =
        [Self::Expired, Self::Explicit, Self::Replaced, Self::Size, Self::Refused];

    /// The label of metrics and of the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Explicit => "explicit",
            Self::Replaced => "replaced",
            Self::Size => "size",
            Self::Refused => "refused",
            Self::Other => "other",
        }
    }
}

/// Removals counted by cause. Times are when the removal was noticed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(not(target_arch = "wasm32"), serde(default))]
#[expect(missing_docs, reason = "each field counts the cause of its name")]
pub struct Evictions {
    pub expired: u64,
    pub explicit: u64,
    pub replaced: u64,
    pub size: u64,
    pub refused: u64,
}

impl Evictions {
    /// Counts in the order of [`Cause::ALL`].
    pub fn from_counts(counts: [u64; 5]) -> Self {
        let [expired, explicit, replaced, size, refused] = counts;
        Self { expired, explicit, replaced, size, refused }
    }

    /// The count of one cause.
    pub fn get(&self, cause: Cause) -> u64 {
        match cause {
            Cause::Expired => self.expired,
            Cause::Explicit => self.explicit,
            Cause::Replaced => self.replaced,
            Cause::Size => self.size,
            Cause::Refused => self.refused,
            Cause::Other => 0,
        }
    }

    /// Removals of every cause.
    pub fn total(&self) -> u64 {
        Cause::ALL.iter().map(|cause| self.get(*cause)).sum()
    }

    fn zip(self, other: Self, f: impl Fn(u64, u64) -> u64) -> Self {
        Self::from_counts(Cause::ALL.map(|cause| f(self.get(cause), other.get(cause))))
    }
}

impl Add for Evictions {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.zip(other, u64::saturating_add)
    }
}

impl AddAssign for Evictions {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// The difference of two readings; saturates, because a restarted node counts from zero again.
impl Sub for Evictions {
    type Output = Self;
    fn sub(self, earlier: Self) -> Self {
        self.zip(earlier, u64::saturating_sub)
    }
}

/// How old entries were when they left L1, by cause: since their fill, milliseconds. Removals are
/// noticed late by up to a quarter of a second, so ages are that much too high at most.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(not(target_arch = "wasm32"), serde(default))]
#[expect(missing_docs, reason = "each field counts the cause of its name")]
pub struct Ages {
    pub expired: LogHistogram,
    pub explicit: LogHistogram,
    pub replaced: LogHistogram,
    pub size: LogHistogram,
    pub refused: LogHistogram,
}

/// Of causes that this version does not know.
static NONE: LogHistogram = LogHistogram::EMPTY;

impl Ages {
    /// Ages in the order of [`Cause::ALL`].
    pub fn from_histograms(histograms: [LogHistogram; 5]) -> Self {
        let [expired, explicit, replaced, size, refused] = histograms;
        Self { expired, explicit, replaced, size, refused }
    }

    /// The ages at removal for one cause, milliseconds.
    pub fn get(&self, cause: Cause) -> &LogHistogram {
        match cause {
            Cause::Expired => &self.expired,
            Cause::Explicit => &self.explicit,
            Cause::Replaced => &self.replaced,
            Cause::Size => &self.size,
            Cause::Refused => &self.refused,
            Cause::Other => &NONE,
        }
    }

    /// Adds another node's ages of the same cache.
    pub fn merge(&mut self, other: &Self) {
        self.expired.merge(&other.expired);
        self.explicit.merge(&other.explicit);
        self.replaced.merge(&other.replaced);
        self.size.merge(&other.size);
        self.refused.merge(&other.refused);
    }
}
