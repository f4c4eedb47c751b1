//! Pages of a few words, which are drawn without the application around them: to log in, and to
//! say why a browser was refused. They work without scripts.

use axum::http::StatusCode;
use leptos::prelude::*;
use strata_console::{Access, Actor};

use super::files::{PageFiles, missing_files, stylesheet};
use crate::addresses::{at, encode};
use crate::pages::full_title;

/// The page to log in: its visitor, and what it tells them.
pub struct LogInPage<'a> {
    /// The visitor.
    pub actor: &'a Actor,
    /// Whether they have logged in.
    pub has_session: bool,
    /// The rules of access.
    pub access: &'a Access,
    /// Why they were not let in just now.
    pub failure: Option<String>,
    /// Where they go on to.
    pub to: &'a str,
}

impl LogInPage<'_> {
    /// Draws it as a document.
    pub fn draw(&self, files: Option<PageFiles>) -> String {
        let who = self.has_session.then(|| self.who());
        let failure =
            self.failure.clone().map(|why| view! { <p class="failure" role="alert">{why}</p> });
        let form = match self.access.has_tokens() {
            true => self.form().into_any(),
            false => view! {
                <p>"Strata was started without tokens, so there is nothing to log in with. "
                   <code>"--operator-token-file"</code>" sets one."</p>
            }
            .into_any(),
        };
        let refusal = self.access.refusal(self.actor);
        let refusal =
            refusal.filter(|_| !self.access.has_tokens()).map(|why| view! { <p>{why}</p> });
        document(
            files,
            "Log in",
            view! {
                {who}
                {failure}
                {form}
                {refusal}
                <p><a href=at("/")>"To the dashboard"</a></p>
            },
        )
    }

    fn who(&self) -> impl IntoView + use<> {
        let may = match (self.actor.rights.act, self.actor.rights.values) {
            (true, _) => "may look, read values and act",
            (false, true) => "may look and read values",
            (false, false) => "may look",
        };
        view! {
            <p>"You are "<strong>{self.actor.name.clone()}</strong>" and "{may}"."</p>
            <form action=at("/logout") method="post" class="acts">
                <button type="submit" class="button">"Log out"</button>
                <button type="submit" class="button" name="everywhere" value="true">
                    "Log out everywhere"
                </button>
            </form>
            <p class="small">
                "This ends every session that was started with the same token."
            </p>
        }
    }

    fn form(&self) -> impl IntoView + use<> {
        view! {
            <form action=at("/login") method="post" class="ask">
                <input type="hidden" name="to" value=self.to.to_owned() />
                <div class="field">
                    <label for="token">"Token"</label>
                    <input
                        id="token"
                        name="token"
                        type="password"
                        required=true
                        autofocus=true
                        autocomplete="current-password"
                    />
                </div>
                <button type="submit" class="button">"Log in"</button>
            </form>
        }
    }
}

/// A page that says why a browser got nothing else.
pub fn refusal_page(files: Option<PageFiles>, status: StatusCode, why: &str) -> String {
    let title = status.canonical_reason().unwrap_or("Refused");
    document(files, title, view! { <p>{why.to_owned()}</p> })
}

/// A page that says which services there are, where an address names another one.
pub fn no_such_service_page(files: Option<PageFiles>, name: &str, services: &[String]) -> String {
    let link = |id: &String| {
        view! { <li><a href=at(&format!("/s/{}/", encode(id)))>{id.clone()}</a></li> }
    };
    let there_are = match services.is_empty() {
        true => view! { <p>"No service is known at this moment."</p> }.into_any(),
        false => view! {
            <p>"These are known at this moment:"</p>
            <ul class="services-known">{services.iter().map(link).collect_view()}</ul>
        }
        .into_any(),
    };
    let name = strata_report::visible(&name.chars().take(200).collect::<String>()).into_owned();
    let content = view! {
        <p>"No service "<code>{name}</code>" has announced itself."</p>
        {there_are}
        <p><a href=at("/")>"All services"</a></p>
    };
    document(files, "There is no such service", content)
}

fn document(files: Option<PageFiles>, title: &str, content: impl IntoView) -> String {
    // Our own words, without a sign that HTML knows.
    let (head, title) = (full_title(title), title.to_owned());
    let html = view! {
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                // Text alone: leptos would mark its end by a comment, which a title shows.
                <title inner_html=head></title>
                <link rel="icon" type="image/svg+xml" href=at("/favicon.svg") />
                {stylesheet(files)}
            </head>
            <body>
                {missing_files(files)}
                <main id="main" class="not-found">
                    <h1>{title}</h1>
                    {content.into_any()}
                </main>
            </body>
        </html>
    };
    format!("<!DOCTYPE html>{}", html.to_html())
}
