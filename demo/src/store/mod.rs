//! The source: SQLite. All SQL of the demo is here, one file a table.
//! [`Store`] is the database of the service, [`Items`] the table of one experiment.

mod database;
mod error;
mod items;
mod objects;
mod posts;
mod prose;
mod row_locks;
mod seed;
mod users;

pub use database::Store;
pub use error::StoreError;
pub use items::{Item, Items};
pub use objects::{Object, ObjectEdit};
pub use posts::{Post, PostDraft, PostEdit, PostSummary, TimelinePage, Visibility};
pub use seed::Seeding;
pub use users::{User, UserDraft, UserEdit, UserRole, UserView};
