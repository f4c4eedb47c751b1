use std::collections::HashMap;

use serde_json::{Number, Value};
use strata_demo::lab::Settings;
use strata_demo::lessons::Lesson;

/// The lesson's settings, with what was typed in their place. The error fits after "failed to".
pub(super) fn settings_of(
    lesson: &Lesson,
    typed: &HashMap<String, String>,
) -> Result<Settings, String> {
    let mut all = serde_json::to_value((lesson.settings)()).unwrap_or_default();
    for (name, text) in typed {
        let (name, text) = (beginning(name), beginning(text));
        let Some(place) = all.get_mut(&name) else {
            return Err(format!("find a setting named {name:?}"));
        };
        if text.is_empty() {
            continue;
        }
        *place = number(&text, place)
            .ok_or_else(|| format!("use {text:?} for {name}: it must be {}", kind(place)))?;
    }
    serde_json::from_value(all).map_err(|_| "read the settings".to_owned())
}

// A number of the kind that stands there already.
fn number(text: &str, like: &Value) -> Option<Value> {
    let number = match like.is_f64() {
        true => Number::from_f64(text.parse().ok()?)?,
        false => text.parse::<u64>().ok()?.into(),
    };
    Some(Value::Number(number))
}

fn kind(like: &Value) -> &'static str {
    if like.is_f64() { "a number" } else { "a whole number from 0 on" }
}

// Who sends more than fits into a field reads no answer either.
fn beginning(text: &str) -> String {
    text.trim().chars().take(32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(name: &str, text: &str) -> Result<Settings, String> {
        let lesson = Lesson::ALL[0];
        settings_of(lesson, &HashMap::from([(name.to_owned(), text.to_owned())]))
    }

    #[test]
    fn what_was_typed_takes_the_place_of_the_lessons_own() {
        let own = (Lesson::ALL[0].settings)();
        assert_eq!(typed("nodes", " 3 "), Ok(Settings { nodes: 3, ..own.clone() }));
        assert_eq!(typed("skew", "0.5"), Ok(Settings { skew: 0.5, ..own.clone() }));
        assert_eq!(typed("nodes", ""), Ok(own));
    }

    #[test]
    fn what_is_no_setting_is_told() {
        let error = |name, text| typed(name, text).expect_err("it is refused");
        assert_eq!(error("knots", "2"), "find a setting named \"knots\"");
        assert_eq!(
            error("nodes", "2.5"),
            "use \"2.5\" for nodes: it must be a whole number from 0 on"
        );
        for text in ["many", "NaN", "inf", "1e999"] {
            assert!(error("skew", text).ends_with("it must be a number"), "{text}");
        }
    }
}
