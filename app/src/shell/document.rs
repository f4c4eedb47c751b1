use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::{HashedStylesheet, MetaTags};

use super::App;
use super::scripts::{LIVE, PAGE, READOUTS, build_id};

use crate::addresses::{at, base};

/// The HTML document around [`App`]. Scripts carry the nonce of the request.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let theme = super::first_paint::chosen_theme().as_str();
    let build = build_id(&options);
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme data-base=base() data-lab=crate::pages::has_lab()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <meta
                    name="description"
                    content="A two-level cache at work: where each read is answered, and why."
                />
                <script
                    nonce=use_nonce()
                    src=PAGE.address()
                    data-live=LIVE.address()
                    data-build=build
                ></script>
                <link rel="icon" type="image/svg+xml" href=at("/favicon.svg") />
                <HashedStylesheet options=options.clone() id="leptos" />
                <HydrationScripts options=options defer=true />
                <script nonce=use_nonce() src=READOUTS.address() defer=true></script>
                <MetaTags />
            </head>
            <body>
                // What the page's own script has to say.
                <div role="alert" id="notice" class="banner-place"></div>
                // The program takes over what is in here, whatever others put beside it.
                <div id="app">
                    <App />
                </div>
            </body>
        </html>
    }
}
