use std::time::Duration;

use serde::{Deserialize, Serialize};
use strata_cache::{BuildError, Cache, LoadError, Node, Read};

use super::{
    AllPages, ByPattern, ByPatternInRedis, ByTag, CacheAside, ChangeError, DurableWriteBehind,
    FillByHand, ForgetFirst, ForgetFound, ForgetfulChannel, L1First, LevelsByHand, NoCache,
    OnePage, ReadThrough, SetAfterWrite, TellNobody, WaitForExpiry, WriteBehindInMemory,
    WriteThrough,
};
use crate::Item;
use crate::lab::{Channel, PlainRedis, Source};

/// Which strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StrategyKind {
    NoCache,
    CacheAside,
    FillByHand,
    ReadThrough,
    WriteThrough,
    SetAfterWrite,
    WriteBehind,
    DurableWriteBehind,
    Pattern,
    PatternInRedis,
    WaitForExpiry,
    ForgetFirst,
    L1First,
    TellNobody,
    ForgetfulChannel,
    Tags,
    AllPages,
    OnePage,
    ForgetFound,
}

/// A strategy at work on one node. Cheap to clone.
#[derive(Clone)]
pub enum Strategy {
    NoCache(NoCache),
    CacheAside(CacheAside),
    FillByHand(FillByHand),
    ReadThrough(ReadThrough),
    WriteThrough(WriteThrough),
    SetAfterWrite(SetAfterWrite),
    WriteBehind(WriteBehindInMemory),
    DurableWriteBehind(DurableWriteBehind),
    Pattern(ByPattern),
    PatternInRedis(ByPatternInRedis),
    WaitForExpiry(WaitForExpiry),
    ForgetFirst(ForgetFirst),
    L1First(L1First),
    TellNobody(TellNobody),
    ForgetfulChannel(ForgetfulChannel),
    Tags(ByTag),
    AllPages(AllPages),
    OnePage(OnePage),
    ForgetFound(ForgetFound),
}

/// What a strategy works with.
pub struct Surroundings {
    pub node: Node,
    pub cache: Cache<u64, Item>,
    pub source: Source,
    /// The keys in Redis as any other client sees them; `None` without Redis.
    pub redis: Option<PlainRedis>,
    /// On which nodes talk that do not trust the bus.
    pub channel: Channel,
    /// How often a write-behind writes.
    pub flush_every: Duration,
}

impl StrategyKind {
    /// All of them, the mistakes after what they are compared with.
    pub const ALL: [Self; 19] = [
        Self::NoCache,
        Self::CacheAside,
        Self::FillByHand,
        Self::ReadThrough,
        Self::WriteThrough,
        Self::SetAfterWrite,
        Self::WriteBehind,
        Self::DurableWriteBehind,
        Self::Pattern,
        Self::PatternInRedis,
        Self::WaitForExpiry,
        Self::ForgetFirst,
        Self::L1First,
        Self::TellNobody,
        Self::ForgetfulChannel,
        Self::Tags,
        Self::AllPages,
        Self::OnePage,
        Self::ForgetFound,
    ];

    /// Its name on a screen.
    pub const fn title(self) -> &'static str {
        match self {
            Self::NoCache => "No cache",
            Self::CacheAside => "Cache-aside",
            Self::FillByHand => "Look, load, set by hand",
            Self::ReadThrough => "Read-through",
            Self::WriteThrough => "Write-through",
            Self::SetAfterWrite => "Set after the write",
            Self::WriteBehind => "Write-behind in memory",
            Self::DurableWriteBehind => "Write-behind, durable",
            Self::Pattern => "Invalidation by pattern",
            Self::PatternInRedis => "Pattern in Redis alone",
            Self::WaitForExpiry => "Nobody invalidates",
            Self::ForgetFirst => "Forget before the commit",
            Self::L1First => "L1 before L2",
            Self::TellNobody => "No other node is told",
            Self::ForgetfulChannel => "A channel that forgets",
            Self::Tags => "Invalidation by tag",
            Self::AllPages => "All pages, by pattern",
            Self::OnePage => "One page, by its key",
            Self::ForgetFound => "Forget only what is there",
        }
    }

    /// Its name in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoCache => "no-cache",
            Self::CacheAside => "cache-aside",
            Self::FillByHand => "fill-by-hand",
            Self::ReadThrough => "read-through",
            Self::WriteThrough => "write-through",
            Self::SetAfterWrite => "set-after-write",
            Self::WriteBehind => "write-behind",
            Self::DurableWriteBehind => "durable-write-behind",
            Self::Pattern => "pattern",
            Self::PatternInRedis => "pattern-in-redis",
            Self::WaitForExpiry => "wait-for-expiry",
            Self::ForgetFirst => "forget-first",
            Self::L1First => "l1-first",
            Self::TellNobody => "tell-nobody",
            Self::ForgetfulChannel => "forgetful-channel",
            Self::Tags => "tags",
            Self::AllPages => "all-pages",
            Self::OnePage => "one-page",
            Self::ForgetFound => "forget-found",
        }
    }

    /// The strategy of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The file that runs, as it is.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoCache => include_str!("no_cache.rs"),
            Self::CacheAside => include_str!("cache_aside.rs"),
            Self::FillByHand => include_str!("fill_by_hand.rs"),
            Self::ReadThrough => include_str!("read_through.rs"),
            Self::WriteThrough => include_str!("write_through.rs"),
            Self::SetAfterWrite => include_str!("set_after_write.rs"),
            Self::WriteBehind => include_str!("write_behind.rs"),
            Self::DurableWriteBehind => include_str!("durable_write_behind.rs"),
            Self::Pattern => include_str!("pattern.rs"),
            Self::PatternInRedis => include_str!("pattern_in_redis.rs"),
            Self::WaitForExpiry => include_str!("wait_for_expiry.rs"),
            Self::ForgetFirst => include_str!("forget_first.rs"),
            Self::L1First => include_str!("l1_first.rs"),
            Self::TellNobody => include_str!("tell_nobody.rs"),
            Self::ForgetfulChannel => include_str!("forgetful_channel.rs"),
            Self::Tags => include_str!("tags.rs"),
            Self::AllPages => include_str!("all_pages.rs"),
            Self::OnePage => include_str!("one_page.rs"),
            Self::ForgetFound => include_str!("forget_found.rs"),
        }
    }

    /// Whether it makes no sense without Redis.
    pub const fn needs_redis(self) -> bool {
        matches!(self, Self::DurableWriteBehind | Self::PatternInRedis) || self.has_l2_by_hand()
    }

    /// Whether its cache is L1 alone, and it looks after Redis itself.
    pub(crate) const fn has_l2_by_hand(self) -> bool {
        matches!(self, Self::L1First | Self::TellNobody | Self::ForgetfulChannel)
    }

    /// Whether it reads pages, each made from several items.
    pub(crate) const fn reads_pages(self) -> bool {
        matches!(self, Self::Tags | Self::AllPages | Self::OnePage)
    }
}

impl Strategy {
    /// Puts a strategy to work. `None` where it needs Redis and there is none.
    pub(crate) fn build(
        kind: StrategyKind,
        with: Surroundings,
    ) -> Result<Option<Self>, BuildError> {
        let Surroundings { node, cache, source, redis, channel, flush_every: every } = with;
        Ok(Some(match kind {
            StrategyKind::NoCache => Self::NoCache(NoCache { cache, source }),
            StrategyKind::CacheAside => Self::CacheAside(CacheAside { cache, source }),
            StrategyKind::FillByHand => Self::FillByHand(FillByHand { cache, source }),
            StrategyKind::ReadThrough => Self::ReadThrough(ReadThrough::new(cache, source)),
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
            StrategyKind::WaitForExpiry => Self::WaitForExpiry(WaitForExpiry { cache, source }),
            StrategyKind::ForgetFirst => Self::ForgetFirst(ForgetFirst { cache, source }),
            StrategyKind::L1First => {
                let Some(redis) = redis else { return Ok(None) };
                Self::L1First(L1First { levels: LevelsByHand { l1: cache, redis, source } })
            }
            StrategyKind::TellNobody => {
                let Some(redis) = redis else { return Ok(None) };
                Self::TellNobody(TellNobody { levels: LevelsByHand { l1: cache, redis, source } })
            }
            StrategyKind::ForgetfulChannel => {
                let Some(redis) = redis else { return Ok(None) };
                let levels = LevelsByHand { l1: cache, redis, source };
                Self::ForgetfulChannel(ForgetfulChannel::new(levels, channel))
            }
            StrategyKind::Tags => Self::Tags(ByTag { cache, source }),
            StrategyKind::AllPages => Self::AllPages(AllPages { cache, source }),
            StrategyKind::OnePage => Self::OnePage(OnePage { cache, source }),
            StrategyKind::ForgetFound => Self::ForgetFound(ForgetFound { cache, source }),
        }))
    }

    /// Reads an item as the strategy does.
    pub(crate) async fn read(&self, id: u64) -> Result<Read<Item>, LoadError> {
        match self {
            Self::NoCache(strategy) => strategy.read(id).await,
            Self::CacheAside(strategy) => strategy.read(id).await,
            Self::FillByHand(strategy) => strategy.read(id).await,
            Self::ReadThrough(strategy) => strategy.read(id).await,
            Self::WriteThrough(strategy) => strategy.read(id).await,
            Self::SetAfterWrite(strategy) => strategy.read(id).await,
            Self::WriteBehind(strategy) => strategy.read(id).await,
            Self::DurableWriteBehind(strategy) => strategy.read(id).await,
            Self::Pattern(strategy) => strategy.read(id).await,
            Self::PatternInRedis(strategy) => strategy.read(id).await,
            Self::WaitForExpiry(strategy) => strategy.read(id).await,
            Self::ForgetFirst(strategy) => strategy.read(id).await,
            Self::L1First(strategy) => strategy.read(id).await,
            Self::TellNobody(strategy) => strategy.read(id).await,
            Self::ForgetfulChannel(strategy) => strategy.read(id).await,
            Self::Tags(strategy) => strategy.read(id).await,
            Self::AllPages(strategy) => strategy.read(id).await,
            Self::OnePage(strategy) => strategy.read(id).await,
            Self::ForgetFound(strategy) => strategy.read(id).await,
        }
    }

    /// Changes an item as the strategy does. Once it returns, the write is acknowledged.
    pub(crate) async fn write(&self, item: Item) -> Result<(), ChangeError> {
        match self {
            Self::NoCache(strategy) => strategy.write(item).await,
            Self::CacheAside(strategy) => strategy.write(item).await,
            Self::FillByHand(strategy) => strategy.write(item).await,
            Self::ReadThrough(strategy) => strategy.write(item).await,
            Self::WriteThrough(strategy) => strategy.write(item).await,
            Self::SetAfterWrite(strategy) => strategy.write(item).await,
            Self::WriteBehind(strategy) => strategy.write(item).await,
            Self::DurableWriteBehind(strategy) => strategy.write(item).await,
            Self::Pattern(strategy) => strategy.write(item).await,
            Self::PatternInRedis(strategy) => strategy.write(item).await,
            Self::WaitForExpiry(strategy) => strategy.write(item).await,
            Self::ForgetFirst(strategy) => strategy.write(item).await,
            Self::L1First(strategy) => strategy.write(item).await,
            Self::TellNobody(strategy) => strategy.write(item).await,
            Self::ForgetfulChannel(strategy) => strategy.write(item).await,
            Self::Tags(strategy) => strategy.write(item).await,
            Self::AllPages(strategy) => strategy.write(item).await,
            Self::OnePage(strategy) => strategy.write(item).await,
            Self::ForgetFound(strategy) => strategy.write(item).await,
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
