//! Pages that the server draws. The browser asks for them again as time goes on and changes only
//! what differs, so that a page of many charts costs nothing in the program that it has to load.

mod address;
mod again;
mod copy;
mod forms;
mod morph;
mod page;
mod window;

#[cfg(not(feature = "ssr"))]
pub(crate) use address::encode;
#[cfg(feature = "ssr")]
pub use address::encode;
#[cfg(feature = "lab")]
pub(crate) use address::run_address;
#[cfg(feature = "lab")]
pub use address::{COMPARE_PATH, comparison_address};
#[cfg(feature = "ssr")]
pub(crate) use address::{dead_letters_address, job_address, key_address, pattern_address};
pub(crate) use again::Again;
pub(crate) use forms::Forms;
pub(crate) use page::DrawnPage;
