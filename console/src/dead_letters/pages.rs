use strata_cache::DeadLetterList;
use strata_report::DeadLetterPage;

use super::operations::{Writer, is_shared};
use crate::error::ConsoleError;

/// One page, in the order of the list.
pub(crate) async fn listed(
    writers: &[Writer],
    mut list: DeadLetterList,
) -> Result<DeadLetterPage, ConsoleError> {
    if is_shared(writers) {
        return of_any(writers, list).await;
    }
    let after = list.after.take();
    of_each(writers, after.as_deref(), list).await
}

/// The first node that answers speaks for all.
async fn of_any(writers: &[Writer], list: DeadLetterList) -> Result<DeadLetterPage, ConsoleError> {
    let mut last = ConsoleError::NodeGone(String::new());
    for writer in writers {
        match writer.node.shared().dead_letters(&writer.report.cache, list.clone()).await {
            Ok(page) => return Ok(page),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Node after node; the cursor names the node where it goes on.
async fn of_each(
    writers: &[Writer],
    after: Option<&str>,
    list: DeadLetterList,
) -> Result<DeadLetterPage, ConsoleError> {
    let (after, at) = after.and_then(|after| after.split_once('@')).unzip();
    let begin = match at {
        Some(at) => writers.iter().position(|writer| writer.node.id() == at),
        None => Some(0),
    };
    let begin = begin.ok_or_else(|| ConsoleError::node_gone(at.unwrap_or_default()))?;
    let mut page = DeadLetterPage {
        total: writers.iter().map(|writer| writer.report.aside).sum(),
        ..DeadLetterPage::default()
    };
    let mut after = after.filter(|after| !after.is_empty()).map(str::to_owned);
    for writer in writers.iter().skip(begin) {
        let limit = list.limit - page.rows.len();
        if limit == 0 {
            page.next = Some(format!("@{}", writer.node.id()));
            break;
        }
        let list = DeadLetterList { after: after.take(), limit, filter: list.filter.clone() };
        let part = writer.node.shared().dead_letters(&writer.report.cache, list).await?;
        page.total = page.total.saturating_sub(writer.report.aside) + part.total;
        page.until_ms = [page.until_ms, part.until_ms].into_iter().flatten().min();
        page.rows.extend(part.rows);
        if let Some(next) = part.next {
            page.next = Some(format!("{next}@{}", writer.node.id()));
            break;
        }
    }
    Ok(page)
}
