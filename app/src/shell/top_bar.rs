use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_router::components::A;
use strata_report::Role;

use crate::addresses::at;
use crate::api::{LogIn, LogOut};
use crate::live::{Live, LiveState};
use crate::pages::in_navigation;
use crate::ui::{Dialog, Form, LivePart, ServerCall};
use crate::visitor::Visitor;
use crate::visitor::theme::{self, Theme};

/// What stands above every page: the navigation, whether numbers are live, and the visitor.
#[component]
pub(crate) fn TopBar(
    /// The colours.
    theme: RwSignal<Theme>,
) -> impl IntoView {
    let links = in_navigation().map(|(page, _)| {
        view! {
            <A href=page.path exact=page.path == "/">
                {page.title}
            </A>
        }
    });
    view! {
        <header class="top-bar">
            <a class="brand" href=at("/")>
                <svg class="mark" viewBox="0 0 22 18" aria-hidden="true">
                    <rect class="l1" width="22" height="4" rx="1" />
                    <rect class="l2" y="7" width="15" height="4" rx="1" />
                    <rect class="source" y="14" width="8" height="4" rx="1" />
                </svg>
                "Strata"
            </a>
            <nav aria-label="Pages">{links.collect_view()}</nav>
            <LivePart>
                <LiveLine />
            </LivePart>
            <div class="top-bar-tools">
                <button type="button" class="button" id="open-palette" popovertarget="palette">
                    "Go to…"
                </button>
                <ThemeButton theme=theme />
                <button type="button" class="button" id="open-help" popovertarget="help">
                    "Help"
                </button>
                <LivePart>
                    <VisitorBadge />
                </LivePart>
            </div>
        </header>
    }
    .into_any()
}

#[component]
fn LiveLine() -> impl IntoView {
    let live = expect_context::<Live>();
    let word = move || live.state.get().as_str();
    let paused = move || live.state.get() == LiveState::Paused;
    view! {
        <div class="live-line" translate="no">
            <span
                class="live-state"
                role="status"
                data-testid="live-state"
                data-state=word
                title=move || live.state.get().meaning()
            >
                {word}
            </span>
            <button
                type="button"
                class="button"
                on:click=move |_| live.toggle()
            >
                {move || if paused() { "Resume" } else { "Pause" }}
            </button>
        </div>
    }
}

#[component]
fn ThemeButton(theme: RwSignal<Theme>) -> impl IntoView {
    let name = move || match theme.get() {
        Theme::System => "Theme: system",
        Theme::Light => "Theme: light",
        Theme::Dark => "Theme: dark",
    };
    view! {
        <button type="button" class="button theme" on:click=move |_| theme::turn(theme)>
            {name}
        </button>
    }
}

#[component]
fn VisitorBadge() -> impl IntoView {
    let visitor = Visitor::of_page();
    let refusal = visitor.refusal();
    let role = move || match (visitor.role(), refusal.get()) {
        (Role::Operator, None) => "operator",
        (Role::Operator, Some(_)) => "read-only",
        (Role::Viewer, _) => "viewer",
    };
    let log_in = ServerCall::to(LogIn::PATH);
    let log_out = ServerCall::to(LogOut::PATH);
    for call in [log_in, log_out] {
        Effect::new(move |_| {
            if let Some(Ok(session)) = call.answer() {
                visitor.set(session);
            }
        });
    }
    let is_operator = move || visitor.role() == Role::Operator;
    view! {
        <span class="badge" title=move || refusal.get()>{role}</span>
        <Show when=move || visitor.can_log_in() && !is_operator()>
            <button type="button" class="button" popovertarget="log-in">
                "Log in"
            </button>
            <LogInDialog log_in=log_in />
        </Show>
        <Show when=move || visitor.can_log_in() && is_operator()>
            <Form call=log_out>
                <button type="submit" class="button">
                    "Log out"
                </button>
            </Form>
        </Show>
    }
}

#[component]
fn LogInDialog(log_in: ServerCall) -> impl IntoView {
    view! {
        <Dialog id="log-in" title="Log in to act">
            <Form call=log_in>
                <label for="operator-token">"Operator's token"</label>
                <input
                    id="operator-token"
                    name="token"
                    type="password"
                    required=true
                    autocomplete="current-password"
                />
                <p class="failure" role="alert">{move || log_in.failure()}</p>
                <button type="submit" class="button">"Log in"</button>
            </Form>
        </Dialog>
    }
}
