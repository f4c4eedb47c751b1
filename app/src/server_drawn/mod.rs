//! Pages that the server draws. The browser asks for them again as time goes on and changes only
//! what differs, so a page of many charts costs nothing in the program that the browser loads.

mod address;
mod forms;
mod links;
mod long_lists;
mod morph;
mod updates;

pub(crate) use updates::PageUpdates;
