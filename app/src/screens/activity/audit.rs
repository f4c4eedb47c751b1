use leptos::prelude::*;
use strata_report::{AuditEntry, AuditHome, AuditPage};

use crate::addresses::at;
use crate::format;
use crate::screens::page_frame::{export_links, titled_card};
use crate::screens::words;

/// What people did and were refused, and where that is kept.
pub(super) fn card(audit: &AuditPage) -> AnyView {
    let rows = audit.entries.iter().enumerate().map(entry_row).collect_view();
    let note = home(audit);
    let next = audit.next.map(|id| {
        view! { <a class="button" href=at(&format!("/activity?before={id}"))>"Older"</a> }
    });
    titled_card(
        "audit",
        "Audit trail",
        note,
        view! {
            {audit.entries.is_empty().then(|| view! { <p class="empty">"Nothing yet. What operators do, and what Strata refuses them, appears here."</p> })}
            <div class="scroll" tabindex="0" role="region" aria-label="Table of the audit trail" hidden=audit.entries.is_empty()>
                <table class="rows" data-testid="audit">
                    <caption class="unseen">"Actions and refused attempts, newest first"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"when, UTC"</th>
                            <th scope="col">"who"</th>
                            <th scope="col">"what"</th>
                            <th scope="col">"cache"</th>
                            <th scope="col">"target"</th>
                            <th scope="col">"result"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            <div class="below">
                {next}
                {export_links("/api/v1/audit?format=csv".to_owned(), "/api/v1/audit".to_owned())}
            </div>
        },
    )
}

/// Where the trail lives, and what a restart leaves of it.
fn home(audit: &AuditPage) -> String {
    let home = match audit.home {
        AuditHome::Memory => return "in memory only: a restart of Strata loses it".to_owned(),
        AuditHome::PrivateRedis => {
            return "in memory only: it is kept in Strata's own Redis, and a restart loses both"
                .to_owned();
        }
        AuditHome::EvictingRedis => {
            "kept in Redis, which may evict it when memory runs short: it may not survive a restart"
        }
        AuditHome::Redis | AuditHome::Other => {
            "kept in Redis, so it survives a restart of Strata, and one of Redis where Redis keeps \
             its data"
        }
    };
    match audit.only_in_memory {
        0 => home.to_owned(),
        n => format!(
            "{home}; {} in memory only so far",
            format::plural(n, "entry is", "entries are")
        ),
    }
}

fn entry_row((nth, entry): (usize, &AuditEntry)) -> impl IntoView + use<> {
    let class = if entry.refused { "refused-action" } else { "" };
    let address = Some(&entry.address).filter(|address| !address.is_empty());
    let address =
        address.map(|from| view! { <br /><span class="small">"from "{from.clone()}</span> });
    view! {
        <tr class=class>
            <th scope="row">{words::dated(entry.at_ms, nth)}</th>
            <td>{words::who(&entry.actor)}{address}</td>
            <td>{entry.action.replace('_', " ")}</td>
            <td>{entry.cache.clone()}</td>
            <td class="mono">{words::visible(&entry.target)}</td>
            <td>{words::visible(&entry.result)}</td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trail_says_whether_a_restart_loses_it() {
        let told = |home, only_in_memory| home_of(home, only_in_memory);
        assert!(told(AuditHome::Memory, 3).contains("in memory only"));
        assert!(told(AuditHome::PrivateRedis, 0).contains("in memory only"));
        assert!(told(AuditHome::EvictingRedis, 0).contains("may evict it"));
        assert!(told(AuditHome::Redis, 0).contains("survives a restart"));
        assert!(told(AuditHome::Redis, 2).ends_with("2 entries are in memory only so far"));
    }

    fn home_of(home: AuditHome, only_in_memory: u64) -> String {
        super::home(&AuditPage { home, only_in_memory, ..AuditPage::default() })
    }
}
