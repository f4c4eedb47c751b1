use std::ops::RangeInclusive;

use leptos::prelude::*;
use serde_json::Value;
use strata_lab::{Lesson, Settings};

// A setting: its name, its label, its unit, and what it may be.
pub(super) type SettingField = (&'static str, &'static str, &'static str, RangeInclusive<u32>);

pub(super) const SETTING_FIELDS: [SettingField; 20] = [
    ("nodes", "Nodes", "", 1..=5),
    ("readers", "Readers at once", "", 1..=200),
    ("requests", "Reads and writes", "", 0..=20_000),
    ("write_share", "Share of writes", "", 0..=1),
    ("items", "Items in the database", "", 1..=10_000),
    ("item_bytes", "Size of an item", "bytes", 0..=16_384),
    ("skew", "Skew: 0 uniform, 1 typical of the web", "", 0..=3),
    ("l1_entries", "L1 holds", "entries", 0..=10_000),
    ("l1_bytes", "L1 holds; 0 counts entries", "bytes", 0..=67_108_864),
    ("time_to_live_ms", "Time to live in L1", "ms", 0..=600_000),
    ("time_to_idle_ms", "Time to idle in L1; 0 is never", "ms", 0..=600_000),
    ("l2_time_to_live_ms", "Time to live in L2", "ms", 0..=600_000),
    ("negative_time_to_live_ms", "Time to live of “not found”", "ms", 0..=600_000),
    ("jitter", "Jitter, a share of the time to live", "", 0..=1),
    ("grace_ms", "Grace after the time to live", "ms", 0..=600_000),
    ("refresh_ahead", "Refresh ahead; 0 is never", "", 0..=1_000),
    ("source_delay_ms", "Each query takes longer by", "ms", 0..=1_000),
    ("l2_timeout_ms", "A node waits for Redis at most", "ms", 100..=10_000),
    ("flush_every_ms", "Writes are brought every", "ms", 1..=10_000),
    ("seed", "Seed of the requests", "", 0..=1_000_000),
];

// What means something only where requests are drawn at random.
const OF_REQUESTS: [&str; 10] = [
    "readers",
    "requests",
    "write_share",
    "items",
    "skew",
    "l1_entries",
    "time_to_live_ms",
    "l2_time_to_live_ms",
    "source_delay_ms",
    "seed",
];

/// The settings that change something in this lesson, to be filled in.
pub(super) fn fields(lesson: &Lesson, settings: &Settings) -> impl IntoView + use<> {
    let values = values(settings);
    let field = |(name, label, unit, range): SettingField| {
        let value = values.get(name).map(text).unwrap_or_default();
        let is_whole = values.get(name).is_some_and(Value::is_u64);
        let step = if is_whole { "1" } else { "any" };
        let (id, hint) = (format!("set-{name}"), format!("hint-{name}"));
        let range_text = format!("{} to {} {unit}", range.start(), range.end());
        view! {
            <div class="field">
                <label for=id.clone()>{label}</label>
                <input
                    type="number" inputmode="decimal" id=id name=format!("wish[settings][{name}]") value=value
                    min=range.start().to_string() max=range.end().to_string() step=step
                    aria-describedby=hint.clone()
                />
                <p class="small" id=hint>{range_text.trim_end().to_owned()}</p>
            </div>
        }
    };
    let controls = SETTING_FIELDS.into_iter().filter(|(name, ..)| is_offered(lesson, name));
    let fields = controls.map(field).collect_view();
    view! {
        <details class="controls" id="controls">
            <summary>"Change the settings"</summary>
            <p class="small">"The question is about the settings as they are."</p>
            <div class="fields">{fields}</div>
        </details>
    }
}

/// How settings differ, one by one, as "Nodes 3 instead of 2".
pub(super) fn differences(own: &Settings, other: &Settings) -> Vec<String> {
    let (own, other) = (values(own), values(other));
    let differing =
        SETTING_FIELDS.into_iter().filter(|(name, ..)| own.get(name) != other.get(name));
    let told = differing.map(|(name, label, unit, _)| {
        let text = |values: &Value| values.get(name).map(text).unwrap_or_default();
        let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
        format!("{label}: {}{unit} instead of {}{unit}", text(&other), text(&own))
    });
    told.collect()
}

// What contenders differ in is theirs to set; what a lesson leaves alone is of no interest to it.
fn is_offered(lesson: &Lesson, name: &str) -> bool {
    let (settings, usual) = ((lesson.settings)(), values(&Settings::default()));
    let own = values(&settings);
    let contenders = lesson.experiment(&settings).contenders;
    let is_theirs = contenders.iter().any(|each| values(&each.settings).get(name) != own.get(name));
    let writes_behind = contenders.iter().any(|each| each.strategy.as_str().ends_with("behind"));
    let has_requests = settings.requests > 0;
    let is_used = match name {
        "nodes" => true,
        "flush_every_ms" => writes_behind,
        "requests" => has_requests,
        _ => own.get(name) != usual.get(name) || has_requests && OF_REQUESTS.contains(&name),
    };
    is_used && !is_theirs
}

fn values(settings: &Settings) -> Value {
    serde_json::to_value(settings).unwrap_or_default()
}

// Without the decimals that say nothing, so that 1.0 reads 1.
fn text(value: &Value) -> String {
    match value.as_f64() {
        Some(number) if value.is_f64() => number.to_string(),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use strata_lab::SettingsError;

    use super::*;

    fn with(name: &str, number: f64) -> Settings {
        let mut values = values(&Settings::default());
        let place = values.get_mut(name).expect("it is a setting");
        *place = if place.is_f64() { number.into() } else { (number as u64).into() };
        serde_json::from_value(values).expect("it is read")
    }

    fn is_out_of_range(name: &str, number: f64) -> bool {
        let checked = with(name, number).check();
        matches!(checked, Err(SettingsError::OutOfRange { name: refused, .. }) if refused == name)
    }

    #[test]
    fn a_field_takes_what_the_lab_takes_and_no_more() {
        for (name, _, _, range) in SETTING_FIELDS.into_iter().filter(|(name, ..)| *name != "seed") {
            assert!(!is_out_of_range(name, f64::from(*range.start())), "{name}");
            assert!(!is_out_of_range(name, f64::from(*range.end())), "{name}");
            assert!(is_out_of_range(name, f64::from(range.end() + 1)), "{name}");
        }
    }

    #[test]
    fn every_setting_has_a_field() {
        let values = values(&Settings::default());
        let names = values.as_object().expect("it is an object").keys();
        for name in names {
            assert!(SETTING_FIELDS.iter().any(|(known, ..)| known == name), "{name}");
        }
    }

    #[test]
    fn only_what_changes_something_is_asked_for() {
        let stampede = Lesson::find("stampede").expect("it is a lesson");
        let names = SETTING_FIELDS.into_iter().map(|(name, ..)| name);
        let names: Vec<_> = names.filter(|name| is_offered(stampede, name)).collect();
        assert_eq!(names, ["nodes", "readers"]);
    }

    #[test]
    fn differences_are_told_with_their_units() {
        let own = Settings::default();
        let other = Settings { nodes: 3, source_delay_ms: 5, skew: 0.5, ..own.clone() };
        assert_eq!(
            differences(&own, &other),
            [
                "Nodes: 3 instead of 1",
                "Skew: 0 uniform, 1 typical of the web: 0.5 instead of 1",
                "Each query takes longer by: 5 ms instead of 1 ms",
            ]
        );
    }
}
