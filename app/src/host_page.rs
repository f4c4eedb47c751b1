//! What an application that has the dashboard among its own paths adds to the pages.

use leptos::prelude::*;

/// What the pages say of the application around them. Provided as context, where there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostPage {
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

impl HostPage {
    fn of_request() -> Self {
        use_context().unwrap_or_default()
    }

    /// Whether an application around the dashboard says who somebody is.
    pub(crate) fn is_around() -> bool {
        use_context::<Self>().is_some()
    }
}

/// The way back to the application.
pub(crate) fn home_link() -> impl IntoView + use<> {
    let home = HostPage::of_request().home;
    home.map(|home| view! { <a class="home" href=home rel="external">"Application"</a> })
}

/// The name of the environment.
pub(crate) fn environment() -> impl IntoView + use<> {
    let environment = HostPage::of_request().environment;
    environment.map(|(name, colour)| {
        view! {
            <span class=format!("environment {}", colour.as_str()) title="The environment of these data">
                {name}
            </span>
        }
    })
}
