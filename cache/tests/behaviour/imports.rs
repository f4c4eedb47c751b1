//! Which folders of the crate import which, checked against the list in `lib.rs`.

#[test]
fn a_folder_imports_only_those_above_it_in_the_list() {
    let wrong = strata_testing::wrong_imports(env!("CARGO_MANIFEST_DIR"));
    assert!(wrong.is_empty(), "{wrong:#?}");
}
