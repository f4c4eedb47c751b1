//! What an application that has the dashboard among its own paths adds to the pages.

use leptos::prelude::*;

/// What the pages say of the application around them. Provided as context, where there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApplicationPage {
    /// Where the data are, such as `production`.
    pub environment: Option<(String, EnvironmentColour)>,
    /// The address of the application's own first page.
    pub home: Option<String>,
}

/// The colour in which the name of an environment stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EnvironmentColour {
    /// Where a mistake is costly.
    Red,
    /// Where people look before something goes live.
    Amber,
    /// Where nothing can break.
    Green,
    /// Any other.
    #[default]
    Grey,
}

impl EnvironmentColour {
    fn as_str(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::Amber => "amber",
            Self::Green => "green",
            Self::Grey => "grey",
        }
    }
}

impl ApplicationPage {
    fn of_request() -> Self {
        use_context().unwrap_or_default()
    }

    /// Whether an application around the dashboard says who somebody is.
    pub(crate) fn is_around() -> bool {
        use_context::<Self>().is_some()
    }
}

/// Where scripts lead who may not look any more: the application's own first page, nothing where it has
/// not named one, and `None` where there is no application and the dashboard has a log-in page.
pub(crate) fn home_of_scripts() -> Option<String> {
    use_context::<ApplicationPage>().map(|page| page.home.unwrap_or_default())
}

/// The way back to the application.
pub(crate) fn home_link() -> impl IntoView + use<> {
    let home = ApplicationPage::of_request().home;
    home.map(|home| view! { <a class="home" href=home rel="external">"Application"</a> })
}

/// The name of the environment.
pub(crate) fn environment() -> impl IntoView + use<> {
    let environment = ApplicationPage::of_request().environment;
    environment.map(|(name, colour)| {
        view! {
            <span class=format!("environment {}", colour.as_str()) title="The environment of these data">
                {name}
            </span>
        }
    })
}
