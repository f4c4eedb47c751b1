use leptos::prelude::*;
use strata_report::LogHistogram;

use crate::format;
use crate::screens::words;

/// One bar of a distribution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::screens) struct Bucket {
    /// What it counts.
    pub(in crate::screens) name: String,
    /// How many.
    pub(in crate::screens) count: u64,
}

/// A distribution as a table with bars.
pub(in crate::screens) struct Buckets {
    /// What it lists.
    pub(in crate::screens) caption: &'static str,
    /// What the names are.
    pub(in crate::screens) head: &'static str,
    /// The class that gives the bars their colour.
    pub(in crate::screens) class: &'static str,
    /// The bars.
    pub(in crate::screens) buckets: Vec<Bucket>,
    /// What all counts are parts of.
    pub(in crate::screens) whole: u64,
    /// What is counted.
    pub(in crate::screens) unit: Unit,
}

/// What the bars of a distribution count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::screens) enum Unit {
    /// Entries, or the like.
    Count,
    /// Bytes, by an estimate.
    Bytes,
}

impl Unit {
    fn head(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Bytes => "about",
        }
    }

    fn text(self, n: u64) -> String {
        match self {
            Self::Count => format::count(n),
            Self::Bytes => format::bytes(n),
        }
    }
}

impl Buckets {
    /// Draws it.
    pub(in crate::screens) fn draw(&self) -> AnyView {
        let longest = self.buckets.iter().map(|bucket| bucket.count).max().unwrap_or(0);
        let class = self.class;
        let row = |bucket: &Bucket| {
            let width = words::share(bucket.count, longest).unwrap_or(0.0) * 1000.0;
            view! {
                <tr>
                    <th scope="row">{bucket.name.clone()}</th>
                    <td class="barred">
                        <svg class="bar" aria-hidden="true" viewBox="0 0 1000 10" preserveAspectRatio="none">
                            <rect class=class width=width.round() as i64 height="10" />
                        </svg>
                    </td>
                    <td>{self.unit.text(bucket.count)}</td>
                    <td>{format::percent(words::share(bucket.count, self.whole))}</td>
                </tr>
            }
        };
        let rows = self.buckets.iter().map(row).collect_view();
        view! {
            <table class="rows bars">
                <caption class="unseen">{self.caption}</caption>
                <thead>
                    <tr>
                        <th scope="col">{self.head}</th>
                        <td></td>
                        <th scope="col">{self.unit.head()}</th>
                        <th scope="col">"share"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        }
        .into_any()
    }
}

/// The buckets of a histogram from the first to the last that hold anything; empty ones between
/// are kept, since a hole in a distribution says something.
pub(in crate::screens) fn filled(histogram: &LogHistogram, unit: fn(u64) -> String) -> Vec<Bucket> {
    let counts = histogram.counts();
    let Some(first) = counts.iter().position(|n| *n > 0) else { return Vec::new() };
    let last = counts.iter().rposition(|n| *n > 0).unwrap_or(first);
    let bucket = |i: usize| Bucket {
        name: match LogHistogram::bound(i) {
            Some(bound) => format!("≤ {}", unit(bound)),
            None => format!("> {}", unit(LogHistogram::bound(i - 1).unwrap_or(0))),
        },
        count: counts[i],
    };
    (first..=last).map(bucket).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_in_a_distribution_is_shown() {
        let mut histogram = LogHistogram::default();
        [3, 4, 16].into_iter().for_each(|value| histogram.record(value));
        let buckets = filled(&histogram, |n| n.to_string());
        let told: Vec<_> = buckets.iter().map(|b| (b.name.as_str(), b.count)).collect();
        assert_eq!(told, [("≤ 4", 2), ("≤ 8", 0), ("≤ 16", 1)]);
        assert_eq!(filled(&LogHistogram::default(), |n| n.to_string()), []);
    }
}
