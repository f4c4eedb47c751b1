use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use strata_report::{CacheDetails, CacheReport, Expiries, L1Survey, NodeCache};
use tokio::time::Instant;

use super::query_queues::{Deadline, QueryQueues};
use crate::console::Console;
use crate::error::ConsoleError;
use crate::nodes::{CacheNode, gather, node_cache};

/// Differences below this are noise, in points of a hundred.
const WORTH_SAYING: f64 = 1.0;

/// How long a survey is given again to whoever asks.
const STANDS_FOR: Duration = Duration::from_secs(1);

/// What L1 held of each cache when somebody asked lately.
#[derive(Debug, Default)]
pub(crate) struct SurveyCache {
    by_cache: Mutex<HashMap<String, SurveySlot>>,
}

/// Locked while one cache is walked over, so that those who ask meanwhile wait for that walk.
type SurveySlot = Arc<tokio::sync::Mutex<Option<TimedSurvey>>>;

/// What the nodes that have a cache say of it.
#[derive(Clone, Debug, Default)]
struct Surveyed {
    survey: L1Survey,
    /// Its report with all details, where the nodes are elsewhere and have answered.
    details: Option<Box<CacheReport>>,
    /// Who has not answered.
    partial: Option<String>,
}

/// A survey, or why there is none, and when that was.
#[derive(Debug)]
struct TimedSurvey {
    survey: Result<Surveyed, ConsoleError>,
    at: Instant,
}

impl SurveyCache {
    fn of(&self, cache: &str) -> SurveySlot {
        let mut by_cache = self.by_cache.lock().unwrap_or_else(PoisonError::into_inner);
        by_cache.retain(|_, slot| Arc::strong_count(slot) > 1 || is_fresh(slot));
        Arc::clone(by_cache.entry(cache.to_owned()).or_default())
    }
}

fn is_fresh(slot: &SurveySlot) -> bool {
    slot.try_lock().is_ok_and(|surveyed| surveyed.as_ref().is_some_and(TimedSurvey::stands))
}

impl TimedSurvey {
    fn stands(&self) -> bool {
        self.at.elapsed() < STANDS_FOR
    }
}

impl Console {
    /// Everything about one cache, its nodes added up. Walks L1 of each node, without disturbing
    /// it; of a large L1, a part.
    ///
    /// # Errors
    /// [`ConsoleError::UnknownCache`], [`ConsoleError::NodeGone`], [`ConsoleError::TooSlow`].
    pub async fn cache_report(&self, name: &str) -> Result<CacheDetails, ConsoleError> {
        let nodes = self.nodes_with(name)?;
        let mut frame = self.cache(name)?;
        let Surveyed { survey, details, partial } = self.survey(name, &nodes).await?;
        if let Some(details) = details {
            // What nodes elsewhere report each second goes without.
            frame.report = *details;
        }
        Ok(CacheDetails {
            at_ms: self.frame().at_ms,
            nodes: self.on_nodes(name),
            saved: frame.report.saved(),
            expiries: expiries(&survey),
            l1_bytes: survey.bytes,
            advice: advice(&frame.report),
            write_behind: self.write_behind(name),
            partial,
            frame,
        })
    }

    /// What L1 of each node holds, as of the last second. Those who ask at the same time wait for
    /// one walk over this cache, and all for so long at most as one look may take. What failed is
    /// not tried again at once either.
    async fn survey(&self, name: &str, nodes: &[CacheNode]) -> Result<Surveyed, ConsoleError> {
        let (slot, deadline) = (self.inner.surveys.of(name), QueryQueues::deadline());
        let mut surveyed = deadline.walk(name, async { Ok(slot.lock().await) }).await?;
        if let Some(surveyed) = surveyed.as_ref().filter(|surveyed| surveyed.stands()) {
            return surveyed.survey.clone();
        }
        let survey = walked(name, nodes, deadline).await;
        *surveyed = Some(TimedSurvey { survey: survey.clone(), at: Instant::now() });
        survey
    }

    fn on_nodes(&self, name: &str) -> Vec<NodeCache> {
        let tick = self.tick();
        let attached = tick.attached.iter().map(|attached| &*attached.report);
        let held = tick.reports.iter().map(|report| &**report).chain(attached).filter_map(|node| {
            let cache = node.caches.iter().find(|cache| cache.cache == name)?;
            Some(node_cache(node, cache))
        });
        held.collect()
    }
}

async fn walked(
    cache: &str,
    nodes: &[CacheNode],
    deadline: Deadline,
) -> Result<Surveyed, ConsoleError> {
    let asking = gather(nodes, |node| async move {
        let survey = deadline.walk(cache, node.survey_l1(cache)).await?;
        let details = match node.presence() {
            Some(_) => Some(node.details(cache).await?),
            None => None,
        };
        Ok((survey, details))
    });
    let gathered = asking.await?;
    let mut surveyed = Surveyed { partial: gathered.partial(), ..Surveyed::default() };
    let has_all = !gathered.missing.iter().any(|missing| missing.is_summed);
    for (_, (survey, details)) in gathered.answers {
        surveyed.survey.merge(&survey);
        surveyed.details = match (surveyed.details.take(), details) {
            (Some(mut sum), Some(details)) => {
                sum.merge(&details);
                Some(sum)
            }
            (sum, details) => sum.or(details),
        };
    }
    // A part of the nodes would count less than the frame does.
    surveyed.details = surveyed.details.filter(|_| has_all);
    Ok(surveyed)
}

fn expiries(survey: &L1Survey) -> Expiries {
    let within = |spans: usize| survey.expiring.iter().take(spans).sum();
    let busiest =
        survey.expiring.iter().copied().enumerate().max_by_key(|(at, n)| (*n, usize::MAX - at));
    let (at, busiest_10_s) = busiest.unwrap_or_default();
    Expiries {
        entries: survey.entries,
        sampled: survey.sampled,
        within_1_min: within(6),
        within_10_min: within(60),
        within_1_h: within(360),
        busiest_10_s,
        busiest_in_s: (busiest_10_s > 0).then_some(at as u64 * 10),
    }
}

/// What another size of L1 would do, in a sentence.
fn advice(report: &CacheReport) -> Option<String> {
    let what_if = report.what_if.as_ref()?;
    let now = what_if.hit_ratio(1.0)? * 100.0;
    let (double, half) = (what_if.hit_ratio(2.0)? * 100.0, what_if.hit_ratio(0.5)? * 100.0);
    Some(if double - now >= WORTH_SAYING {
        format!(
            "Twice the size would answer about {double:.0} % of the reads from L1 instead of {now:.0} %."
        )
    } else if now - half < WORTH_SAYING {
        "Half the size would answer about as many reads from L1.".to_owned()
    } else {
        format!(
            "Twice the size would change little; half the size would answer about {half:.0} % of the reads from L1 instead of {now:.0} %.",
        )
    })
}

#[cfg(test)]
mod tests {
    use strata_report::{WhatIf, WhatIfPoint};

    use super::*;

    fn with_curve(half: u64, one: u64, double: u64) -> CacheReport {
        let point = |capacity_factor, hits| WhatIfPoint { capacity_factor, hits };
        let points = vec![point(0.5, half), point(1.0, one), point(2.0, double)];
        let what_if = WhatIf { reads: 10_000, sampled_reads: 5_000, points, ..WhatIf::default() };
        CacheReport { what_if: Some(what_if), ..CacheReport::default() }
    }

    #[test]
    fn the_advice_says_what_a_change_of_size_is_worth() {
        let said = |report: CacheReport| advice(&report).unwrap();
        assert!(
            said(with_curve(5_000, 6_000, 6_400))
                .contains("about 64 % of the reads from L1 instead of 60 %")
        );
        assert!(said(with_curve(5_950, 6_000, 6_050)).starts_with("Half the size"));
        assert!(
            said(with_curve(5_000, 6_000, 6_050))
                .contains("about 50 % of the reads from L1 instead of 60 %")
        );
        assert_eq!(advice(&CacheReport::default()), None, "nothing was simulated");
    }

    #[test]
    fn expiries_are_added_up_and_the_peak_is_found() {
        let mut expiring = vec![0; L1Survey::N_SPANS];
        (expiring[0], expiring[6], expiring[100]) = (3, 500, 7);
        let found = expiries(&L1Survey { entries: 600, expiring, ..L1Survey::default() });
        assert_eq!((found.within_1_min, found.within_10_min, found.within_1_h), (3, 503, 510));
        assert_eq!((found.busiest_10_s, found.busiest_in_s), (500, Some(60)));
        assert_eq!(expiries(&L1Survey::default()).busiest_in_s, None);
    }
}
