//! The files that browsers get, which are in the program: the style, the scripts, the browser's
//! program, and icons.

mod file;
mod list;

pub(crate) use file::FOR_EVER;
pub(crate) use list::{page_files, routes};
