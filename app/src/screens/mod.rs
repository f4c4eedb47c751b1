//! The pages that the server draws: a file or folder a page, a file a card. A card is a pure
//! function of a report. None of this is in the browser's program.

use std::future::Future;
use std::pin::Pin;

mod activity;
mod alerts;
mod cache;
mod chart;
mod dead_letters;
mod failures;
mod keys;
#[cfg(feature = "lab")]
mod lab;
mod nodes;
mod page_frame;
mod redis;
mod request;
mod words;

pub(crate) use activity::page as activity;
pub(crate) use alerts::card as alerts_card;
pub(crate) use cache::page as cache;
pub(crate) use failures::failed;
pub(crate) use keys::page as keys;
#[cfg(feature = "lab")]
pub(crate) use lab::{compare, lesson, measured, tour};
pub(crate) use nodes::page as nodes;
pub(crate) use page_frame::PageHtml;
pub(crate) use redis::page as redis;
pub(crate) use request::PageRequest;

/// Draws a page.
pub(crate) type DrawPage = for<'a> fn(&'a PageRequest) -> DrawnPage<'a>;

/// A page that is being drawn.
type DrawnPage<'a> =
    Pin<Box<dyn Future<Output = Result<PageHtml, crate::api::ApiError>> + Send + 'a>>;
