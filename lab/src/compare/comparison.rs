use std::sync::Arc;

use strata_demo::trace::Recording;

use super::compared_strategy::{ComparedStrategy, ComparisonError};
use crate::runs::{Experiment, ScriptFuture};
use crate::sandbox::{Contender, Sandbox, SandboxError};
use crate::settings::Settings;
use crate::strategies::StrategyKind;

/// Two to four strategies, or one with several settings, on the same requests. It fits into an
/// address: `a=cache-aside&b=write-through&seed=7&b.l1_entries=50`.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What holds for all.
    pub settings: Settings,
    /// Those that are compared.
    pub strategies: Vec<ComparedStrategy>,
    /// The name of the recording whose requests are made; `None` makes those of the seed.
    pub trace: Option<String>,
}

/// How much of a recording is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayedPart {
    /// Requests, from the first on.
    pub requests: usize,
    /// How many keys they ask for.
    pub keys: u32,
}

/// The names of those that are compared, in addresses.
const LETTERS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
const TRACE: &str = "trace";
const MADE_UP: &str = "The same requests for all, of one seed.";
const RECORDED: &str = "The same recorded requests for all.";
const FLUSH: &str = "Writes that still wait are written.";

impl Comparison {
    /// What is compared where nothing else is said.
    pub fn example() -> Self {
        let compared = |strategy| ComparedStrategy { strategy, own: Vec::new() };
        let all = [StrategyKind::NoCache, StrategyKind::CacheAside, StrategyKind::WriteThrough];
        Self { settings: Self::base(None), strategies: all.map(compared).to_vec(), trace: None }
    }

    /// Reads the fields of an address. Fields that are empty say nothing.
    ///
    /// # Errors
    /// Where they name something that does not exist, or that cannot be compared.
    pub fn of_fields<'a>(
        fields: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, ComparisonError> {
        let said = |(_, text): &(&str, &str)| !text.trim().is_empty();
        let mut fields: Vec<_> = fields.into_iter().filter(said).collect();
        // So that one comparison has one address, in whatever order its fields come.
        fields.sort_unstable();
        let trace = fields.iter().find(|(name, _)| *name == TRACE);
        let trace = trace.map(|(_, text)| text.trim().to_owned());
        let mut comparison =
            Self { settings: Self::base(trace.as_deref()), strategies: Vec::new(), trace };
        let mut letters = Vec::new();
        for letter in LETTERS {
            let Some((_, text)) = fields.iter().find(|(name, _)| *name == letter) else { continue };
            let unknown = || ComparisonError::Strategy((*text).to_owned());
            let strategy = StrategyKind::named(text.trim()).ok_or_else(unknown)?;
            letters.push(letter);
            comparison.strategies.push(ComparedStrategy { strategy, own: Vec::new() });
        }
        for (name, text) in fields {
            if name == TRACE || LETTERS.contains(&name) {
                continue;
            }
            match name.split_once('.') {
                None => comparison.settings.set(name, text)?,
                Some((letter, own)) => {
                    let at = letters.iter().position(|known| *known == letter);
                    let at = at.ok_or_else(|| ComparisonError::Nobody(name.to_owned()))?;
                    let text = text.trim().to_owned();
                    comparison.strategies[at].own.push((own.to_owned(), text));
                }
            }
        }
        comparison.check()?;
        Ok(comparison)
    }

    /// What an address says of it, without what goes without saying.
    pub fn fields(&self) -> Vec<(String, String)> {
        let mut fields = Vec::new();
        for (letter, compared) in LETTERS.iter().zip(&self.strategies) {
            fields.push(((*letter).to_owned(), compared.strategy.as_str().to_owned()));
            let own = compared.own.iter();
            fields.extend(own.map(|(name, text)| (format!("{letter}.{name}"), text.clone())));
        }
        fields.extend(self.trace.iter().map(|trace| (TRACE.to_owned(), trace.clone())));
        fields.extend(self.settings.differing(&Self::base(self.trace.as_deref())));
        fields
    }

    /// Those that are compared, each with what holds for all and what is set for it alone.
    ///
    /// # Errors
    /// Where a setting makes no sense.
    pub fn contenders(&self) -> Result<Vec<Contender>, ComparisonError> {
        self.strategies.iter().map(|compared| compared.contender(&self.settings)).collect()
    }

    /// What is run on the requests of the seed.
    ///
    /// # Errors
    /// Where a setting makes no sense.
    pub fn experiment(&self) -> Result<Experiment, ComparisonError> {
        let script = |sandbox: Arc<Sandbox>| -> ScriptFuture { Box::pin(made_up(sandbox)) };
        Ok(Experiment { contenders: self.contenders()?, script: Arc::new(script) })
    }

    /// What is run on recorded requests: on as many of the first ones as [`Self::used`]
    /// says. The table has an item for each key.
    ///
    /// # Errors
    /// Where a setting makes no sense.
    pub fn replay(&self, recording: &Recording) -> Result<Experiment, ComparisonError> {
        let used = self.used(recording);
        let ids: Arc<[u32]> = recording.requests[..used.requests].into();
        let mut contenders = self.contenders()?;
        for contender in &mut contenders {
            contender.settings.items = u64::from(used.keys).max(1);
            contender.settings.requests = used.requests as u64;
            contender.settings.check()?;
        }
        let script = move |sandbox: Arc<Sandbox>| -> ScriptFuture {
            Box::pin(recorded(sandbox, Arc::clone(&ids)))
        };
        Ok(Experiment { contenders, script: Arc::new(script) })
    }

    /// How much of a recording is played: as many requests as are set, and no more keys than a
    /// table has rows.
    pub fn used(&self, recording: &Recording) -> ReplayedPart {
        let max = usize::try_from(self.settings.requests).unwrap_or(usize::MAX);
        let fits = |id: &&u32| u64::from(**id) <= Settings::MAX_ITEMS;
        let played = recording.requests.iter().take(max).take_while(fits);
        let (requests, keys) = played.fold((0, 0), |(n, keys), id| (n + 1, (*id).max(keys)));
        ReplayedPart { requests, keys }
    }

    /// What holds for all where nothing else is said.
    pub fn base(trace: Option<&str>) -> Settings {
        let base = Settings { items: 200, l1_entries: 100, seed: 7, ..Settings::default() };
        match trace {
            // A database that takes its time would make the whole of it too long.
            Some(_) => Settings { requests: 5_000, source_delay_ms: 0, ..base },
            None => Settings { requests: 300, write_share: 0.05, ..base },
        }
    }

    fn check(&self) -> Result<(), ComparisonError> {
        if !(2..=Experiment::MAX_CONTENDERS).contains(&self.strategies.len()) {
            return Err(ComparisonError::Count(self.strategies.len()));
        }
        self.contenders().map(drop)
    }
}

async fn made_up(sandbox: Arc<Sandbox>) -> Result<(), SandboxError> {
    sandbox.step(MADE_UP).await?;
    sandbox.requests().await?;
    sandbox.step(FLUSH).await?;
    sandbox.flushed().await
}

async fn recorded(sandbox: Arc<Sandbox>, ids: Arc<[u32]>) -> Result<(), SandboxError> {
    sandbox.step(RECORDED).await?;
    sandbox.recorded(&ids).await?;
    sandbox.step(FLUSH).await?;
    sandbox.flushed().await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Comparison, String> {
        let fields = query.split('&').filter_map(|field| field.split_once('='));
        Comparison::of_fields(fields).map_err(|error| error.to_string())
    }

    fn written(comparison: &Comparison) -> String {
        let fields = comparison.fields();
        let fields: Vec<_> = fields.iter().map(|(name, text)| format!("{name}={text}")).collect();
        fields.join("&")
    }

    #[test]
    fn an_address_says_it_all_and_is_written_as_it_was_read() {
        let query =
            "a=cache-aside&a.l1_entries=50&b=cache-aside&b.nodes=2&skew=0.5&write_share=0.2";
        let comparison = read(query).unwrap();
        assert_eq!(written(&comparison), query);
        let contenders = comparison.contenders().unwrap();
        let told = contenders.iter().map(|one| {
            (one.title.as_str(), one.settings.l1_entries, one.settings.nodes, one.settings.skew)
        });
        let expected =
            [("Cache-aside, L1 entries 50", 50, 1, 0.5), ("Cache-aside, nodes 2", 100, 2, 0.5)];
        assert!(told.eq(expected), "{contenders:?}");
        assert_eq!(read(&written(&Comparison::example())).unwrap(), Comparison::example());
    }

    #[test]
    fn a_form_with_empty_fields_says_nothing_by_them() {
        let form = "a=no-cache&b=&c=write-behind&c.l1_entries=9&b.l1_entries=&seed=7&trace=";
        assert_eq!(
            written(&read(form).unwrap()),
            "a=no-cache&b=write-behind&b.l1_entries=9",
            "who takes part moves up"
        );
    }

    #[test]
    fn what_cannot_be_compared_is_refused_and_says_why() {
        let refused = |query: &str| read(query).unwrap_err();
        assert_eq!(refused("a=no-cache"), "compare 1: from 2 to 4 strategies are possible");
        assert_eq!(refused(""), "compare 0: from 2 to 4 strategies are possible");
        let five = "a=no-cache&b=no-cache&c=no-cache&d=no-cache&e=no-cache";
        assert_eq!(refused(five), "compare 5: from 2 to 4 strategies are possible");
        assert_eq!(refused("a=no-cache&b=magic"), "find a strategy named \"magic\"");
        let two = |rest: &str| refused(&format!("a=no-cache&b=cache-aside&{rest}"));
        assert_eq!(two("knots=1"), "find a setting named \"knots\"");
        assert_eq!(
            two("nodes=many"),
            "use \"many\" for nodes: it must be a whole number from 0 on"
        );
        assert_eq!(two("nodes=9"), "use 9 for nodes: it must be from 1 to 5");
        assert_eq!(two("b.nodes=9"), "use 9 for nodes: it must be from 1 to 5");
        assert_eq!(two("c.nodes=1"), "set c.nodes: no strategy is named for it");
        assert_eq!(two("a.seed=1"), "set seed for one alone: all get the same requests");
        assert_eq!(
            two("source_delay_ms=1000"),
            "wait 300s for the database alone: at most 6s are possible; make fewer requests, \
             a shorter delay or more readers"
        );
    }

    #[test]
    fn of_a_recording_only_so_many_requests_and_keys_are_played() {
        let all = (1..=30_000u64).map(|id| id.div_ceil(2));
        let recording = Recording::of_numbers("mine", "", all);
        let used = |query| read(query).unwrap().used(&recording);
        let two = "a=no-cache&b=cache-aside&trace=mine";
        assert_eq!(used(two), ReplayedPart { requests: 5_000, keys: 2_500 });
        let more = "a=no-cache&b=cache-aside&trace=mine&requests=20000&readers=8";
        assert_eq!(used(more), ReplayedPart { requests: 20_000, keys: 10_000 });
        let few = Recording::of_numbers("few", "", 1..=12_000u64);
        let comparison = read(more).unwrap();
        assert_eq!(comparison.used(&few), ReplayedPart { requests: 10_000, keys: 10_000 });
        let experiment = comparison.replay(&few).unwrap();
        assert_eq!(experiment.contenders[0].settings.items, 10_000);
    }
}
