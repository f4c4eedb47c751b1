use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use strata_app::{FILES as FOLDER, PageFiles};

use super::file::File;

include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// Every file, at its path.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    FILES.iter().fold(Router::new(), |router, file| {
        router.route(file.path, get(async move |headers: HeaderMap| file.answer(&headers)))
    })
}

/// What a page asks for; `None` where the program was built without its files.
pub(crate) fn page_files() -> Option<PageFiles> {
    let names = || FILES.iter().filter_map(|file| file.path.strip_prefix(FOLDER));
    let of_kind = |kind: &str| names().find(|name| name.ends_with(kind));
    Some(PageFiles {
        style: of_kind(".css")?,
        script: of_kind(".js")?,
        program: of_kind(".wasm")?,
        // Set while a program is built again and again.
        build: option_env!("STRATA_BUILD").unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_finds_all_of_its_files_or_none() {
        let Some(files) = page_files() else {
            assert!(!FILES.iter().any(|file| file.path.starts_with(FOLDER)));
            return;
        };
        for name in [files.style, files.script, files.program] {
            let file = FILES.iter().find(|file| file.path == format!("{FOLDER}{name}")).unwrap();
            assert!(name.contains(file.hash) && !file.plain.is_empty(), "{name}");
        }
    }
}
