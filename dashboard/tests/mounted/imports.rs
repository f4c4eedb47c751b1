//! Who imports whom among the folders of the crate, by the list in `lib.rs`.

#[test]
fn a_folder_imports_only_those_above_it_in_the_list() {
    let wrong = strata_testing::wrong_imports(env!("CARGO_MANIFEST_DIR"));
    assert!(wrong.is_empty(), "{wrong:#?}");
}
