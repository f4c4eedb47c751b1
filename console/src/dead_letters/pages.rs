use strata_report::{DeadLetterPage, DeadLetterRequest};

use super::operations::{Writer, is_shared};
use crate::error::ConsoleError;
use crate::nodes::Gathered;

/// One page, in the order of the list.
pub(crate) async fn listed(
    writers: &[Writer],
    mut request: DeadLetterRequest,
) -> Result<DeadLetterPage, ConsoleError> {
    if is_shared(writers) {
        return of_any(writers, request).await;
    }
    let after = request.after.take();
    of_each(writers, after.as_deref(), request).await
}

/// The first node that answers speaks for all.
async fn of_any(
    writers: &[Writer],
    request: DeadLetterRequest,
) -> Result<DeadLetterPage, ConsoleError> {
    let mut last = ConsoleError::NodeGone(String::new());
    for writer in writers {
        match writer.node.dead_letters(request.clone()).await {
            Ok(page) => return Ok(page),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// What a node elsewhere has not, or cannot reach, is about that node alone.
fn of_its_node(writer: &Writer, error: ConsoleError) -> ConsoleError {
    let is_its_own = matches!(
        error,
        ConsoleError::NoWriteBehind(_)
            | ConsoleError::DeadLettersAway(_)
            | ConsoleError::UnknownCache(_)
    );
    if !is_its_own || writer.node.presence().is_none() {
        return error;
    }
    let because = format!("it failed to {error}");
    ConsoleError::NodeRefuses { node: writer.node.id().to_owned(), because }
}

/// Node after node; the cursor names the node where it goes on. One that does not answer is passed
/// over, and named.
async fn of_each(
    writers: &[Writer],
    after: Option<&str>,
    request: DeadLetterRequest,
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
    let mut gathered: Gathered<()> = Gathered::default();
    for writer in writers.iter().skip(begin) {
        let limit = request.limit - page.rows.len() as u64;
        if limit == 0 {
            page.next = Some(format!("@{}", writer.node.id()));
            break;
        }
        let request = DeadLetterRequest { after: after.take(), limit, ..request.clone() };
        let part = match writer.node.dead_letters(request).await {
            Ok(part) => part,
            Err(error) => {
                gathered.take(&writer.node, Err(of_its_node(writer, error)))?;
                continue;
            }
        };
        gathered.take(&writer.node, Ok(()))?;
        page.total = page.total.saturating_sub(writer.report.aside) + part.total;
        page.until_ms = [page.until_ms, part.until_ms].into_iter().flatten().min();
        page.rows.extend(part.rows);
        if let Some(next) = part.next {
            page.next = Some(format!("{next}@{}", writer.node.id()));
            break;
        }
    }
    page.partial = gathered.partial();
    gathered.unless_all_missing()?;
    Ok(page)
}
