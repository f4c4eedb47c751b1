use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use strata_report::Role;

use crate::api::{LogIn, LogOut};
use crate::ui::{Dialog, Form, ServerCall};
use crate::visitor::Visitor;

/// Who looks, and where to log in or out.
#[component]
pub(super) fn VisitorBadge() -> impl IntoView {
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
