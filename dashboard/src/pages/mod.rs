//! What browsers get: the screens with their content security policy, their files, and refusals as
//! pages.

mod files;
mod refusals;
mod screens;

pub(crate) use files::scripts;
pub use refusals::document;
pub(crate) use refusals::tell_refusals;
pub(crate) use screens::{functions, tell_errors, with_screens};
