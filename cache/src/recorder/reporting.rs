use std::sync::atomic::Ordering::Relaxed;

use strata_report::{
    Ages, CacheReport, Gets, InvalidationCounts, L1Report, Loads, Origin, Outcomes, Scope,
    ScopeCounts, Settings, TagsReport,
};

use super::cache_recorder::Recorder;
use super::hot_keys::HotKeysRecorder;
use super::sampling::SAMPLED_ONE_IN;
use super::settings::L1Size;

impl Recorder {
    pub(crate) fn report(&self, cache: &str, size: L1Size, settings: Settings) -> CacheReport {
        let outcomes = self.groups.outcomes();
        let keys = self.hot_keys.as_ref().map(HotKeysRecorder::read);
        let (hot_keys, missed_keys) = keys.unzip();
        let of_all_keys = outcomes.reads() - outcomes.bypassed;
        CacheReport {
            cache: cache.to_owned(),
            outcomes,
            l1: self.l1(size, outcomes),
            l2_gets: self.l2.read(1),
            l2_puts: self.l2_puts.get(),
            l2_refused: self.l2_refused.get(),
            l2_unreadable: self.l2_unreadable.get(),
            l2_unfit: self.l2_unfit.get(),
            panics: self.panics.get(),
            gaps: self.gaps.get(),
            tags: TagsReport::default(),
            loads: Loads {
                success: self.loads_ok.read(),
                failure: self.loads_failed.read(),
                in_flight: self.loads_in_flight.load(Relaxed),
                ..Loads::default()
            },
            invalidations: self.invalidations(),
            settings,
            l2_put_bytes: self.l2_put_bytes.read(),
            groups: self.groups.read(size.weight_bytes.is_some()),
            hot_keys,
            missed_keys,
            what_if: self.what_if.as_ref().and_then(|what_if| what_if.curve(of_all_keys)),
        }
    }

    fn l1(&self, size: L1Size, outcomes: Outcomes) -> L1Report {
        L1Report {
            entries: size.entries,
            entries_max: size.entries_max,
            weight_bytes: size.weight_bytes,
            weight_max_bytes: size.weight_max_bytes,
            // Every read but a bypassed one asks L1 exactly once, so its gets need no counters.
            gets: Gets {
                hit: outcomes.l1_hit,
                miss: outcomes.reads() - outcomes.l1_hit - outcomes.bypassed,
                latency: self.l1_latency.read(),
                sampled_one_in: SAMPLED_ONE_IN,
            },
            puts: self.l1_puts.get(),
            fenced: self.l1_fenced.get(),
            evictions: self.groups.evictions(),
            ages_ms: Ages::from_histograms(std::array::from_fn(|i| self.ages_ms[i].read())),
            put_bytes: size.weight_bytes.map(|_| self.l1_put_bytes.read()),
        }
    }

    fn invalidations(&self) -> InvalidationCounts {
        let scopes = |origin: Origin| {
            let of =
                |scope: Scope| self.invalidations[origin as usize][scope as usize].load(Relaxed);
            ScopeCounts {
                key: of(Scope::Key),
                pattern: of(Scope::Pattern),
                tag: of(Scope::Tag),
                all: of(Scope::All),
            }
        };
        InvalidationCounts {
            local: scopes(Origin::Local),
            bus: scopes(Origin::Bus),
            l1_removed: self.l1_removed.get(),
            l2_removed: self.l2_removed.get(),
        }
    }
}
