use std::future::Future;

use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos::reactive::computed::ScopedFuture;

use super::files::{PageFiles, file_address, missing_files, stylesheet};
use super::help::Help;
use super::palette::Palette;
use super::scripts::{LIVE, PAGE, READOUTS, build_id};
use super::top_bar::TopBar;
use crate::addresses::{at, base};
use crate::api::context;
use crate::application_page::home_of_scripts;
use crate::base_path::BasePath;
use crate::first_paint::{self, FirstPaint};
use crate::pages::{NamedPage, first_page, full_title};
use crate::visitor::theme::{self, Theme};

/// Draws the page of the request's address as a whole document, which is readable without scripts.
/// Scripts carry the nonce of the request. The context is read before the first wait.
pub fn document(files: Option<PageFiles>) -> impl Future<Output = String> + Send {
    let owner = Owner::current().unwrap_or_default();
    let first = FirstPaint::of_request();
    // What is drawn after a wait is drawn in this request's context as well.
    let page = ScopedFuture::new(first_page(first.clone()));
    async move {
        let page = page.await;
        owner.with(|| format!("<!DOCTYPE html>{}", html(files, first, page).to_html()))
    }
}

fn html(files: Option<PageFiles>, first: FirstPaint, page: NamedPage) -> impl IntoView {
    let (theme, of_request) = (chosen_theme(), BasePath::of_request());
    let cookies = of_request.of_cookies().to_owned();
    let json = first.json();
    first.provide();
    view! {
        <html lang="en" data-theme=theme.as_str() data-base=base() data-home=home_of_scripts() data-cookies=cookies>
            <Head files=files title=full_title(&page.title) />
            <body>
                // What the page's own script has to say.
                <div role="alert" id="notice" class="banner-place"></div>
                {missing_files(files)}
                <a class="skip" href="#main">"Skip to the page"</a>
                <TopBar path=page.path theme=theme />
                <div role="alert" class="banner-place">
                    <div class="banner behind" id="behind" hidden=true>
                        <p>
                            <strong>"These numbers stand still. "</strong>
                            <span class="why"></span>
                            " The page keeps trying."
                        </p>
                    </div>
                </div>
                <main id="main" class="server-drawn" tabindex="-1" inner_html=page.html></main>
                <Palette />
                <Help />
                <script type="application/json" id=first_paint::ID nonce=use_nonce() inner_html=json></script>
            </body>
        </html>
    }
}

#[component]
fn Head(files: Option<PageFiles>, title: String) -> impl IntoView {
    let js = files.map(|files| file_address(files.script));
    let wasm = files.map(|files| file_address(files.program));
    let build = build_id(files);
    view! {
        <head>
            <meta charset="utf-8" />
            <meta name="viewport" content="width=device-width, initial-scale=1" />
            <meta name="color-scheme" content="light dark" />
            <meta
                name="description"
                content="A two-level cache at work: where each read is answered, and why."
            />
            // Text alone: leptos would mark its end by a comment, which a title shows.
            <title inner_html=escaped(&title)></title>
            <script
                nonce=use_nonce()
                src=PAGE.address()
                data-live=LIVE.address()
                data-build=build
                data-js=js.clone()
                data-wasm=wasm.clone()
            ></script>
            <link rel="icon" type="image/svg+xml" href=at("/favicon.svg") />
            {stylesheet(files)}
            {js.map(|js| view! { <link rel="modulepreload" nonce=use_nonce() href=js /> })}
            {wasm.map(|wasm| view! {
                <link rel="preload" href=wasm r#as="fetch" r#type="application/wasm" crossorigin="" />
            })}
            <script nonce=use_nonce() src=READOUTS.address() defer=true></script>
        </head>
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// The theme that this browser chose before.
fn chosen_theme() -> Theme {
    context::cookie(theme::COOKIE).map_or(Theme::System, |name| Theme::of(&name))
}
