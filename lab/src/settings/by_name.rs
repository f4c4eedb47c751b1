use serde_json::{Map, Number, Value};

use super::values::{Settings, SettingsError};

/// Settings by their names, as forms and addresses have them.
impl Settings {
    /// Sets what is named.
    ///
    /// # Errors
    /// Where there is no such setting, or it cannot have this value. Ranges are for
    /// [`check`](Self::check).
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), SettingsError> {
        let mut all = self.named();
        let value = all.get_mut(name).ok_or_else(|| SettingsError::Unknown(name.to_owned()))?;
        let kind = if value.is_f64() { "a number" } else { "a whole number from 0 on" };
        let unreadable =
            || SettingsError::Unreadable { name: name.to_owned(), text: text.to_owned(), kind };
        *value = number(text.trim(), value).ok_or_else(unreadable)?;
        *self = serde_json::from_value(Value::Object(all)).map_err(|_| unreadable())?;
        Ok(())
    }

    /// What is named, as text; `None` where there is no such setting.
    pub fn get(&self, name: &str) -> Option<String> {
        self.named().get(name).map(Value::to_string)
    }

    /// What is set otherwise than in `base`, by name.
    pub fn differing(&self, base: &Self) -> Vec<(String, String)> {
        let base = base.named();
        let differs = |(name, value): &(String, Value)| base.get(name) != Some(value);
        let all = self.named().into_iter().filter(differs);
        all.map(|(name, value)| (name, value.to_string())).collect()
    }

    fn named(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(named)) => named,
            _ => Map::new(),
        }
    }
}

// A number of the kind that stands there already.
fn number(text: &str, like: &Value) -> Option<Value> {
    let number = match like.is_f64() {
        true => Number::from_f64(text.parse().ok()?)?,
        false => text.parse::<u64>().ok()?.into(),
    };
    Some(Value::Number(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_by_name_is_told_by_name() {
        let mut settings = Settings::default();
        for (name, text) in [("nodes", "3"), ("skew", "0.5"), ("seed", "18446744073709551615")] {
            settings.set(name, text).unwrap();
            assert_eq!(settings.get(name).as_deref(), Some(text));
        }
        let expected = Settings { nodes: 3, skew: 0.5, seed: u64::MAX, ..Settings::default() };
        assert_eq!(settings, expected);
        let differing = settings.differing(&Settings::default());
        let names: Vec<&str> = differing.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["nodes", "seed", "skew"]);
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_changes_nothing() {
        let mut settings = Settings::default();
        let mut refused = |name, text| settings.set(name, text).unwrap_err().to_string();
        assert_eq!(refused("knots", "2"), "find a setting named \"knots\"");
        for text in ["1.5", "-1", "many", "", "\"2\"", "null", "1e400"] {
            let why = "it must be a whole number from 0 on";
            assert_eq!(refused("nodes", text), format!("use {text:?} for nodes: {why}"));
        }
        for text in ["many", "NaN", "inf", "1e999"] {
            assert!(refused("skew", text).ends_with("it must be a number"), "{text}");
        }
        assert_eq!(settings, Settings::default());
    }
}
