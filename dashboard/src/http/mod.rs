//! What every route speaks: errors as problem JSON, bodies with limits, tables as JSON or CSV, cookies,
//! request ids. It does not know who the sender is.

mod base;
mod body;
mod compression;
mod error;
pub mod extract;
mod request;
mod request_id;
mod security_headers;
pub(crate) mod table;

pub(crate) use base::route_of;
pub use base::{below_base, with_path};
pub use body::TimedBody;
pub(crate) use body::{MAX_BODY_BYTES, check_body_size, read_whole};
pub(crate) use compression::compress;
pub use error::AppError;
pub(crate) use error::Problem;
pub(crate) use request::FUNCTIONS;
pub use request::{HEALTH_PATHS, TRACES_PATH, cookie_value, wants_page};
pub(crate) use request_id::REQUEST_ID;
pub use request_id::RequestId;
pub(crate) use security_headers::harden;
