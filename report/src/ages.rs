use serde::{Deserialize, Serialize};

use crate::{Cause, LogHistogram};

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
