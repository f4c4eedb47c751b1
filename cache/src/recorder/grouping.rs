use std::fmt::Display;

use super::groups::GroupCounts;
use super::template::Template;
use crate::BuildError;

/// Which group a key is in.
pub(crate) enum Grouping<K> {
    /// All keys are one group.
    All,
    /// The first template that matches the key's text.
    Templates(Vec<Template>),
    /// Whatever the cache's owner says.
    By(GroupOf<K>),
}

pub(crate) type GroupOf<K> = Box<dyn Fn(&K) -> String + Send + Sync>;

impl<K> Grouping<K> {
    /// The most groups besides `other`.
    pub(crate) const MAX_GROUPS: usize = 64;

    pub(crate) fn of(templates: &[String], by: Option<GroupOf<K>>) -> Result<Self, BuildError> {
        if let Some(by) = by {
            return Ok(Self::By(by));
        }
        if templates.len() > Self::MAX_GROUPS {
            return Err(BuildError::TooManyGroups);
        }
        if templates.is_empty() {
            return Ok(Self::All);
        }
        let templates = templates.iter().map(|text| Template::parse(text));
        Ok(Self::Templates(templates.collect::<Result<_, _>>()?))
    }

    pub(super) fn counts(&self) -> GroupCounts {
        match self {
            Self::All => GroupCounts::one(),
            Self::Templates(templates) => GroupCounts::fixed(templates.iter().map(Template::text)),
            Self::By(_) => GroupCounts::open(Self::MAX_GROUPS),
        }
    }
}

impl<K: Display> Grouping<K> {
    /// The number of the key's group.
    pub(super) fn group(&self, key: &K, counts: &GroupCounts) -> u8 {
        match self {
            Self::All => GroupCounts::OTHER,
            Self::Templates(templates) => {
                let text = key.to_string();
                let place = templates.iter().position(|template| template.matches(&text));
                place.map_or(GroupCounts::OTHER, |place| place as u8 + 1)
            }
            Self::By(group_of) => counts.number(&group_of(key)),
        }
    }
}
