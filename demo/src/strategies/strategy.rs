use std::time::Duration;

use serde::{Deserialize, Serialize};
use strata_cache::{BuildError, Cache, LoadError, Node, Read, Structures};

use super::{
    Batch, ByPattern, ByPatternInRedis, CacheAside, ChangeError, DecisionCached,
    DurableWriteBehind, FillByHand, LruByHand, NoCache, ReadThrough, RedisByHand, Repository,
    SetAfterWrite, WriteBehindInMemory, WriteThrough,
};
use crate::Item;
use crate::lab::Source;

/// Which strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StrategyKind {
    NoCache,
    CacheAside,
    FillByHand,
    ReadThrough,
    Repository,
    DecisionCached,
    Batch,
    LruByHand,
    RedisByHand,
    WriteThrough,
    SetAfterWrite,
    WriteBehind,
    DurableWriteBehind,
    Pattern,
    PatternInRedis,
}

/// A strategy at work on one node. Cheap to clone.
#[derive(Clone)]
pub enum Strategy {
    NoCache(NoCache),
    CacheAside(CacheAside),
    FillByHand(FillByHand),
    ReadThrough(ReadThrough),
    Repository(Repository),
    DecisionCached(DecisionCached),
    Batch(Batch),
    LruByHand(LruByHand),
    RedisByHand(RedisByHand),
    WriteThrough(WriteThrough),
    SetAfterWrite(SetAfterWrite),
    WriteBehind(WriteBehindInMemory),
    DurableWriteBehind(DurableWriteBehind),
    Pattern(ByPattern),
    PatternInRedis(ByPatternInRedis),
}

/// What a strategy works with.
pub struct Surroundings {
    pub node: Node,
    pub cache: Cache<u64, Item>,
    pub source: Source,
    /// The keys in Redis as any other client sees them; `None` without Redis.
    pub redis: Option<Structures>,
    /// What an L1 of its own may hold.
    pub l1_entries: u64,
    /// How often a write-behind writes.
    pub flush_every: Duration,
}

impl StrategyKind {
    /// All of them, the mistakes after what they are compared with.
    pub const ALL: [Self; 15] = [
        Self::NoCache,
        Self::CacheAside,
        Self::FillByHand,
        Self::ReadThrough,
        Self::Repository,
        Self::DecisionCached,
        Self::Batch,
        Self::LruByHand,
        Self::RedisByHand,
        Self::WriteThrough,
        Self::SetAfterWrite,
        Self::WriteBehind,
        Self::DurableWriteBehind,
        Self::Pattern,
        Self::PatternInRedis,
    ];

    /// Its name on a screen.
    pub const fn title(self) -> &'static str {
        match self {
            Self::NoCache => "No cache",
            Self::CacheAside => "Cache-aside",
            Self::FillByHand => "Look, load, set by hand",
            Self::ReadThrough => "Read-through",
            Self::Repository => "Repository",
            Self::DecisionCached => "Decision inside the load",
            Self::Batch => "Batch reads",
            Self::LruByHand => "Textbook LRU",
            Self::RedisByHand => "Redis by hand, errors ignored",
            Self::WriteThrough => "Write-through",
            Self::SetAfterWrite => "Set after the write",
            Self::WriteBehind => "Write-behind in memory",
            Self::DurableWriteBehind => "Write-behind, durable",
            Self::Pattern => "Invalidation by pattern",
            Self::PatternInRedis => "Pattern in Redis alone",
        }
    }

    /// Its name in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoCache => "no-cache",
            Self::CacheAside => "cache-aside",
            Self::FillByHand => "fill-by-hand",
            Self::ReadThrough => "read-through",
            Self::Repository => "repository",
            Self::DecisionCached => "decision-cached",
            Self::Batch => "batch",
            Self::LruByHand => "lru-by-hand",
            Self::RedisByHand => "redis-by-hand",
            Self::WriteThrough => "write-through",
            Self::SetAfterWrite => "set-after-write",
            Self::WriteBehind => "write-behind",
            Self::DurableWriteBehind => "durable-write-behind",
            Self::Pattern => "pattern",
            Self::PatternInRedis => "pattern-in-redis",
        }
    }

    /// The strategy of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The file that runs, in `demo/src/strategies`.
    pub fn file_name(self) -> String {
        format!("{}.rs", self.as_str().replace('-', "_"))
    }

    /// The file that runs, as it is.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoCache => include_str!("no_cache.rs"),
            Self::CacheAside => include_str!("cache_aside.rs"),
            Self::FillByHand => include_str!("fill_by_hand.rs"),
            Self::ReadThrough => include_str!("read_through.rs"),
            Self::Repository => include_str!("repository.rs"),
            Self::DecisionCached => include_str!("decision_cached.rs"),
            Self::Batch => include_str!("batch.rs"),
            Self::LruByHand => include_str!("lru_by_hand.rs"),
            Self::RedisByHand => include_str!("redis_by_hand.rs"),
            Self::WriteThrough => include_str!("write_through.rs"),
            Self::SetAfterWrite => include_str!("set_after_write.rs"),
            Self::WriteBehind => include_str!("write_behind.rs"),
            Self::DurableWriteBehind => include_str!("durable_write_behind.rs"),
            Self::Pattern => include_str!("pattern.rs"),
            Self::PatternInRedis => include_str!("pattern_in_redis.rs"),
        }
    }

    /// Whether it makes no sense without Redis.
    pub const fn needs_redis(self) -> bool {
        matches!(self, Self::RedisByHand | Self::DurableWriteBehind | Self::PatternInRedis)
    }
}

impl Strategy {
    /// Puts a strategy to work. `None` where it needs Redis and there is none.
    pub(crate) fn build(
        kind: StrategyKind,
        with: Surroundings,
    ) -> Result<Option<Self>, BuildError> {
        let Surroundings { node, cache, source, redis, l1_entries, flush_every: every } = with;
        Ok(Some(match kind {
            StrategyKind::NoCache => Self::NoCache(NoCache { cache, source }),
            StrategyKind::CacheAside => Self::CacheAside(CacheAside { cache, source }),
            StrategyKind::FillByHand => Self::FillByHand(FillByHand { cache, source }),
            StrategyKind::ReadThrough => Self::ReadThrough(ReadThrough::new(cache, source)),
            StrategyKind::Repository => Self::Repository(Repository::new(cache, source)),
            StrategyKind::DecisionCached => Self::DecisionCached(DecisionCached { cache, source }),
            StrategyKind::Batch => Self::Batch(Batch { cache, source }),
            StrategyKind::LruByHand => Self::LruByHand(LruByHand::new(l1_entries, source)),
            StrategyKind::RedisByHand => {
                let redis = node.structures(&format!("{}-data", cache.name()))?;
                Self::RedisByHand(RedisByHand { redis, source })
            }
            StrategyKind::WriteThrough => Self::WriteThrough(WriteThrough { cache, source }),
            StrategyKind::SetAfterWrite => Self::SetAfterWrite(SetAfterWrite { cache, source }),
            StrategyKind::WriteBehind => {
                Self::WriteBehind(WriteBehindInMemory::new(&cache, source, every)?)
            }
            StrategyKind::DurableWriteBehind => {
                Self::DurableWriteBehind(DurableWriteBehind::new(&cache, source, every)?)
            }
            StrategyKind::Pattern => Self::Pattern(ByPattern { cache, source }),
            StrategyKind::PatternInRedis => {
                let Some(redis) = redis else { return Ok(None) };
                Self::PatternInRedis(ByPatternInRedis { node, cache, redis, source })
            }
        }))
    }

    /// Reads an item as the strategy does.
    pub(crate) async fn read(&self, id: u64) -> Result<Read<Item>, LoadError> {
        match self {
            Self::NoCache(strategy) => strategy.read(id).await,
            Self::CacheAside(strategy) => strategy.read(id).await,
            Self::FillByHand(strategy) => strategy.read(id).await,
            Self::ReadThrough(strategy) => strategy.read(id).await,
            Self::Repository(strategy) => strategy.read(id).await,
            Self::DecisionCached(strategy) => strategy.read(id).await,
            Self::Batch(strategy) => strategy.read(id).await,
            Self::LruByHand(strategy) => strategy.read(id).await,
            Self::RedisByHand(strategy) => strategy.read(id).await,
            Self::WriteThrough(strategy) => strategy.read(id).await,
            Self::SetAfterWrite(strategy) => strategy.read(id).await,
            Self::WriteBehind(strategy) => strategy.read(id).await,
            Self::DurableWriteBehind(strategy) => strategy.read(id).await,
            Self::Pattern(strategy) => strategy.read(id).await,
            Self::PatternInRedis(strategy) => strategy.read(id).await,
        }
    }

    /// Changes an item as the strategy does. Once it returns, the write is acknowledged.
    pub(crate) async fn write(&self, item: Item) -> Result<(), ChangeError> {
        match self {
            Self::NoCache(strategy) => strategy.write(item).await,
            Self::CacheAside(strategy) => strategy.write(item).await,
            Self::FillByHand(strategy) => strategy.write(item).await,
            Self::ReadThrough(strategy) => strategy.write(item).await,
            Self::Repository(strategy) => strategy.write(item).await,
            Self::DecisionCached(strategy) => strategy.write(item).await,
            Self::Batch(strategy) => strategy.write(item).await,
            Self::LruByHand(strategy) => strategy.write(item).await,
            Self::RedisByHand(strategy) => strategy.write(item).await,
            Self::WriteThrough(strategy) => strategy.write(item).await,
            Self::SetAfterWrite(strategy) => strategy.write(item).await,
            Self::WriteBehind(strategy) => strategy.write(item).await,
            Self::DurableWriteBehind(strategy) => strategy.write(item).await,
            Self::Pattern(strategy) => strategy.write(item).await,
            Self::PatternInRedis(strategy) => strategy.write(item).await,
        }
    }

    /// Whether acknowledged writes may still be on their way to the database.
    pub(crate) fn has_unwritten(&self) -> bool {
        match self {
            Self::WriteBehind(strategy) => strategy.has_unwritten(),
            // How many wait in Redis it knows only after its next round.
            Self::DurableWriteBehind(_) => true,
            _ => false,
        }
    }
}
