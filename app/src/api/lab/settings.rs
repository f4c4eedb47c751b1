use std::collections::HashMap;

use strata_lab::{Lesson, Settings};

/// The lesson's settings, with what was typed in their place. The error fits after "failed to".
pub(super) fn settings_of(
    lesson: &Lesson,
    typed: &HashMap<String, String>,
) -> Result<Settings, String> {
    let mut settings = (lesson.settings)();
    for (name, text) in typed {
        let (name, text) = (beginning(name), beginning(text));
        if !text.is_empty() || settings.get(&name).is_none() {
            settings.set(&name, &text).map_err(|error| error.to_string())?;
        }
    }
    Ok(settings)
}

// Nobody who reads the answer sends more than fits into a field.
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
        for text in ["2", ""] {
            assert_eq!(error("knots", text), "find a setting named \"knots\"");
        }
        assert_eq!(
            error("nodes", "2.5"),
            "use \"2.5\" for nodes: it must be a whole number from 0 on"
        );
        for text in ["many", "NaN", "inf", "1e999"] {
            assert!(error("skew", text).ends_with("it must be a number"), "{text}");
        }
    }
}
