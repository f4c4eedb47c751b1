use std::time::Duration;

use strata_cache::{BuildError, Cache, LoadError, Node, Read};
use strata_demo::Item;

use super::{
    AllPages, Batch, ByPattern, ByPatternInRedis, ByTag, CacheAside, ChangeError, DecisionCached,
    DurableWriteBehind, FillByHand, ForgetFirst, ForgetFound, ForgetfulChannel, L1First,
    LevelsByHand, LruByHand, NoCache, OnePage, ReadThrough, RedisByHand, Repository, SetAfterWrite,
    StrategyKind, TellNobody, WaitForExpiry, WriteBehindInMemory, WriteThrough,
};
use crate::{Channel, PlainRedis, Source};

/// A strategy at work on one node. Cheap to clone.
#[derive(Clone)]
pub enum Strategy {
    NoCache(NoCache),
    CacheAside(CacheAside),
    FillByHand(FillByHand),
    ReadThrough(ReadThrough),
    Repository(Repository),
    DecisionCached(DecisionCached),
    WriteThrough(WriteThrough),
    SetAfterWrite(SetAfterWrite),
    WriteBehind(WriteBehindInMemory),
    DurableWriteBehind(DurableWriteBehind),
    WaitForExpiry(WaitForExpiry),
    ForgetFirst(ForgetFirst),
    L1First(L1First),
    TellNobody(TellNobody),
    ForgetfulChannel(ForgetfulChannel),
    Pattern(ByPattern),
    PatternInRedis(ByPatternInRedis),
    Tags(ByTag),
    AllPages(AllPages),
    OnePage(OnePage),
    ForgetFound(ForgetFound),
    Batch(Batch),
    LruByHand(LruByHand),
    RedisByHand(RedisByHand),
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
    /// What an L1 of its own may hold.
    pub l1_entries: u64,
    /// How often a write-behind writes.
    pub flush_every: Duration,
}

// What is asked of whichever strategy it is.
macro_rules! of_any {
    ($this:expr, $strategy:ident => $answer:expr) => {
        match $this {
            Strategy::NoCache($strategy) => $answer,
            Strategy::CacheAside($strategy) => $answer,
            Strategy::FillByHand($strategy) => $answer,
            Strategy::ReadThrough($strategy) => $answer,
            Strategy::Repository($strategy) => $answer,
            Strategy::DecisionCached($strategy) => $answer,
            Strategy::WriteThrough($strategy) => $answer,
            Strategy::SetAfterWrite($strategy) => $answer,
            Strategy::WriteBehind($strategy) => $answer,
            Strategy::DurableWriteBehind($strategy) => $answer,
            Strategy::WaitForExpiry($strategy) => $answer,
            Strategy::ForgetFirst($strategy) => $answer,
            Strategy::L1First($strategy) => $answer,
            Strategy::TellNobody($strategy) => $answer,
            Strategy::ForgetfulChannel($strategy) => $answer,
            Strategy::Pattern($strategy) => $answer,
            Strategy::PatternInRedis($strategy) => $answer,
            Strategy::Tags($strategy) => $answer,
            Strategy::AllPages($strategy) => $answer,
            Strategy::OnePage($strategy) => $answer,
            Strategy::ForgetFound($strategy) => $answer,
            Strategy::Batch($strategy) => $answer,
            Strategy::LruByHand($strategy) => $answer,
            Strategy::RedisByHand($strategy) => $answer,
        }
    };
}

impl Strategy {
    /// Puts a strategy to work. `None` where it needs Redis and there is none.
    pub(crate) fn build(
        kind: StrategyKind,
        with: Surroundings,
    ) -> Result<Option<Self>, BuildError> {
        let Surroundings { node, cache, source, redis, channel, l1_entries, flush_every } = with;
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
                Self::WriteBehind(WriteBehindInMemory::new(&cache, source, flush_every)?)
            }
            StrategyKind::DurableWriteBehind => {
                Self::DurableWriteBehind(DurableWriteBehind::new(&cache, source, flush_every)?)
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
        of_any!(self, strategy => strategy.read(id).await)
    }

    /// Changes an item as the strategy does. Once it returns, the write is acknowledged.
    pub(crate) async fn write(&self, item: Item) -> Result<(), ChangeError> {
        of_any!(self, strategy => strategy.write(item).await)
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
