//! What every route speaks: errors as problem JSON, bodies with limits, tables as JSON or CSV, cookies,
//! request ids. It does not know who the sender is.

mod base;
mod body;
mod compression;
mod error;
pub(crate) mod extract;
mod request;
mod request_id;
mod security_headers;
pub(crate) mod table;

pub(crate) use base::{below_base, route_of};
pub(crate) use body::{MAX_BODY_BYTES, TimedBody, check_body_size, read_whole};
pub(crate) use compression::compress;
pub(crate) use error::{AppError, Problem};
pub(crate) use request::{FUNCTIONS, HEALTH_PATHS, TRACES_PATH, cookie_value, wants_page};
pub(crate) use request_id::{REQUEST_ID, RequestId};
pub(crate) use security_headers::harden;
