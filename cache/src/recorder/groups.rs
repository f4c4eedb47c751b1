use std::fmt::Display;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use strata_report::{Cause, Evictions, GroupReport, Groups, Outcome, Outcomes};

use super::counters::{Counter, Gauge, HistogramRecorder};
use super::template::Template;
use crate::error::BuildError;

/// Which group a key is in.
pub(crate) enum Grouping<K> {
    /// All keys are one group.
    All,
    /// The first template that matches the key's text.
    Templates(Vec<Template>),
    /// The group that the service's function returns.
    By(GroupOf<K>),
}

pub(crate) type GroupOf<K> = Box<dyn Fn(&K) -> String + Send + Sync>;

impl<K> Grouping<K> {
    /// The greatest number of groups besides `other`.
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

/// Counts by key group. Groups are numbered; 0 is `other`, or `all` if there is only one group.
pub(super) struct GroupCounts {
    names: RwLock<Vec<String>>,
    counts: Box<[GroupCount]>,
    overflow: Counter,
}

#[derive(Default)]
struct GroupCount {
    outcomes: [AtomicU64; 8],
    evictions: [AtomicU64; 5],
    entries: Gauge,
    weight: Gauge,
    loads: HistogramRecorder,
}

impl GroupCounts {
    pub(super) const OTHER: u8 = 0;

    /// The longest name, bytes.
    const MAX_NAME_BYTES: usize = 64;

    /// One group for all keys.
    pub(super) fn one() -> Self {
        Self::new(vec!["all".to_owned()], 1)
    }

    /// The named groups and `other`.
    pub(super) fn fixed<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let names: Vec<String> = std::iter::once("other").chain(names).map(str::to_owned).collect();
        let n = names.len();
        Self::new(names, n)
    }

    /// Up to `max` groups, named as they come, and `other`.
    pub(super) fn open(max: usize) -> Self {
        Self::new(vec!["other".to_owned()], max + 1)
    }

    fn new(names: Vec<String>, n: usize) -> Self {
        let counts = (0..n).map(|_| GroupCount::default()).collect();
        Self { names: RwLock::new(names), counts, overflow: Counter::default() }
    }

    /// The number of a group by its name; `other` if there is no room for another group.
    pub(super) fn number(&self, name: &str) -> u8 {
        let name = cut(name, Self::MAX_NAME_BYTES);
        let find = |names: &[String]| names.iter().position(|known| known == name);
        if let Some(place) = find(&self.names.read().unwrap_or_else(PoisonError::into_inner)) {
            return place as u8;
        }
        let mut names = self.names.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = find(&names) {
            return place as u8;
        }
        if names.len() == self.counts.len() {
            self.overflow.add(1);
            return Self::OTHER;
        }
        names.push(name.to_owned());
        (names.len() - 1) as u8
    }

    /// The name of a group by its number.
    pub(super) fn name(&self, group: u8) -> Option<String> {
        let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
        names.get(usize::from(group)).cloned()
    }

    pub(super) fn outcome(&self, group: u8, outcome: Outcome) {
        self.counts[usize::from(group)].outcomes[outcome as usize].fetch_add(1, Relaxed);
    }

    pub(super) fn put(&self, group: u8, weight: u32) {
        let count = &self.counts[usize::from(group)];
        count.entries.add(1);
        count.weight.add(u64::from(weight));
    }

    pub(super) fn removal(&self, group: u8, cause: Cause, weight: u32) {
        let count = &self.counts[usize::from(group)];
        count.evictions[cause as usize].fetch_add(1, Relaxed);
        count.entries.subtract(1);
        count.weight.subtract(u64::from(weight));
    }

    pub(super) fn load(&self, group: u8, took: Duration) {
        self.counts[usize::from(group)].loads.record(took);
    }

    pub(super) fn outcomes(&self) -> Outcomes {
        let mut all = Outcomes::default();
        for count in &self.counts {
            all += count.outcomes();
        }
        all
    }

    pub(super) fn evictions(&self) -> Evictions {
        let mut all = Evictions::default();
        for count in &self.counts {
            all += count.evictions();
        }
        all
    }

    pub(super) fn read(&self, is_weighed: bool) -> Groups {
        let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
        let groups = names.iter().zip(&self.counts).map(|(name, count)| GroupReport {
            group: name.clone(),
            outcomes: count.outcomes(),
            l1_entries: count.entries.get(),
            l1_weight_bytes: is_weighed.then(|| count.weight.get()),
            evictions: count.evictions(),
            loads: count.loads.read(),
        });
        let groups = groups.filter(|group| group.outcomes.reads() > 0).collect();
        Groups { groups, overflow: self.overflow.get() }
    }
}

impl GroupCount {
    fn outcomes(&self) -> Outcomes {
        Outcomes::from_counts(std::array::from_fn(|i| self.outcomes[i].load(Relaxed)))
    }

    fn evictions(&self) -> Evictions {
        Evictions::from_counts(std::array::from_fn(|i| self.evictions[i].load(Relaxed)))
    }
}

/// The text, cut before the character that would make it longer than `max` bytes.
pub(super) fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}
