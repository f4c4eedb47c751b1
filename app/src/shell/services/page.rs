//! The page that lists the services which a program shows.

use std::sync::Arc;

use leptos::prelude::*;
use strata_report::Frame;

use super::super::files::{PageFiles, missing_files, stylesheet};
use super::super::scripts::SERVICES;
use super::super::top_bar::brand;
use super::card::card;
use crate::addresses::at;
use crate::pages::full_title;
use crate::visitor::theme::Theme;

/// The services that a program shows, and the Redis servers through which it reaches them.
pub struct ServicesPage {
    /// The services, by name.
    pub services: Vec<ListedService>,
    /// The Redis servers, and why one cannot be reached.
    pub redis: Vec<ListedRedis>,
    /// What else somebody should look at, as sentences.
    pub alerts: Vec<String>,
    /// Who looks, where somebody has logged in.
    pub visitor: Option<String>,
    /// Whether there is anything to log in with.
    pub can_log_in: bool,
    /// The theme that this browser chose.
    pub theme: Option<String>,
}

/// A service, as of its newest frame.
pub struct ListedService {
    /// Its name in addresses: `shop`, or `eu:shop` where the Redis has a name.
    pub id: String,
    /// Its namespace.
    pub namespace: String,
    /// The name of its Redis, where that has one.
    pub redis: Option<String>,
    /// Its numbers.
    pub frame: Arc<Frame>,
}

/// A Redis in which services are looked for.
pub struct ListedRedis {
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Where it is, without secrets.
    pub address: String,
    /// Why it is not heard, as a sentence.
    pub failure: Option<String>,
    /// What else there is to say of it, as a sentence.
    pub note: Option<String>,
}

impl ServicesPage {
    /// Draws it as a document. It is readable without scripts; with them its numbers go on.
    pub fn draw(self, files: Option<PageFiles>) -> String {
        let owner = Owner::new();
        owner.with(|| format!("<!DOCTYPE html>{}", self.html(files).to_html()))
    }

    fn html(self, files: Option<PageFiles>) -> impl IntoView {
        let theme = self.theme.as_deref().map_or(Theme::System, Theme::of);
        let visitor = match (self.visitor, self.can_log_in) {
            (Some(name), _) => view! { <a class="visitor" href=at("/login")>{name}</a> }.into_any(),
            (None, true) => view! { <a class="button" href=at("/login")>"Log in"</a> }.into_any(),
            (None, false) => ().into_any(),
        };
        let failures = self.redis.iter().enumerate().filter_map(failure).collect_view();
        let alerts = self.alerts.into_iter().enumerate().map(alert).collect_view();
        let notes = self.redis.iter().enumerate().filter_map(note).collect_view();
        let title = full_title("Services");
        let content = match self.services.is_empty() {
            true => nothing(&self.redis).into_any(),
            false => view! {
                <ul class="services">{self.services.into_iter().map(card).collect_view()}</ul>
            }
            .into_any(),
        };
        view! {
            <html lang="en" data-theme=theme.as_str()>
                <head>
                    <meta charset="utf-8" />
                    <meta name="viewport" content="width=device-width, initial-scale=1" />
                    <meta name="color-scheme" content="light dark" />
                    <title inner_html=title></title>
                    <link rel="icon" type="image/svg+xml" href=at("/favicon.svg") />
                    {stylesheet(files)}
                    <script src=SERVICES.address() defer=true></script>
                </head>
                <body>
                    {missing_files(files)}
                    <a class="skip" href="#main">"Skip to the page"</a>
                    <header class="top-bar">
                        {brand()}
                        <div class="top-bar-tools">{visitor}</div>
                    </header>
                    <p class="banner behind" id="behind" role="status" hidden=true>
                        "These numbers stand still. The page keeps trying."
                    </p>
                    <main id="main" class="services-page" tabindex="-1" data-list=at("/?all")>
                        <h1>"Services"</h1>
                        <div id="content">{failures}{alerts}{content}{notes}</div>
                    </main>
                </body>
            </html>
        }
    }
}

fn failure((i, redis): (usize, &ListedRedis)) -> Option<impl IntoView + use<>> {
    let why = redis.failure.clone()?;
    let id = format!("redis-{i}");
    Some(view! { <p class="banner behind" role="status" id=id data-live="">{why}</p> })
}

fn alert((i, what): (usize, String)) -> impl IntoView + use<> {
    let id = format!("alert-{i}");
    view! { <p class="banner behind" role="alert" id=id data-live="">{what}</p> }
}

fn note((i, redis): (usize, &ListedRedis)) -> Option<impl IntoView + use<>> {
    let note = redis.note.clone()?;
    let id = format!("note-{i}");
    Some(view! { <p class="small" id=id data-live="">{note}</p> })
}

fn nothing(redis: &[ListedRedis]) -> impl IntoView + use<> {
    let places = redis.iter().map(|redis| redis.address.clone()).collect::<Vec<_>>().join(", ");
    view! {
        <p>"Waiting for a service: none has announced itself in "<code>{places}</code>" yet."</p>
        <p class="small">
            "A service appears as soon as one of its nodes uses this Redis. "
            <code>"--namespace"</code>" names one whose access rights keep it from that."
        </p>
    }
}
