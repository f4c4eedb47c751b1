//! The files that browsers get, which are in the program: the style, the scripts, the browser's
//! program, and icons.

mod file;
mod list;

pub use list::page_files;
pub(crate) use list::routes;
