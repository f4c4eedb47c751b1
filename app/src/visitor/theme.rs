use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::addresses::at;

/// The cookie that remembers the colours; the server reads it, so that the first paint has them.
pub(crate) const COOKIE: &str = "strata_theme";

/// Which colours a page has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Theme {
    /// Those of the device.
    #[default]
    System,
    /// Dark ink on light paper.
    Light,
    /// Light ink on dark paper.
    Dark,
}

impl Theme {
    /// The theme of a cookie's value; anything unknown is the device's.
    #[cfg(any(feature = "ssr", test))]
    pub(crate) fn of(name: &str) -> Self {
        match name {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    /// The value of the cookie and of `data-theme`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The one that a press of the button turns to.
    pub(crate) fn next(self) -> Self {
        match self {
            Self::System => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::System,
        }
    }
}

/// Turns to the next theme and remembers it for a year.
pub(crate) fn turn(theme: RwSignal<Theme>) {
    use leptos::wasm_bindgen::JsCast;
    use web_sys::HtmlDocument;

    let next = theme.get_untracked().next();
    theme.set(next);
    let page = document();
    if let Some(root) = page.document_element() {
        // A page that refuses the attribute keeps its old colours, and nothing else is lost.
        let _ = root.set_attribute("data-theme", next.as_str());
    }
    if let Ok(page) = page.dyn_into::<HtmlDocument>() {
        let year_s = 31_536_000;
        let name = next.as_str();
        let _ = page.set_cookie(&format!(
            "{COOKIE}={name}; SameSite=Strict; Path={}; Max-Age={year_s}",
            at("/")
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_presses_lead_back() {
        for theme in [Theme::System, Theme::Light, Theme::Dark] {
            assert_eq!(theme.next().next().next(), theme);
            assert_eq!(Theme::of(theme.as_str()), theme);
        }
        assert_eq!(Theme::of("plaid"), Theme::System);
    }
}
