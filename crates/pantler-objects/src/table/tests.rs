//! Tables compare by value, whatever Arrow's types for it are, and say where they differ.

use arrow_array::types::Int32Type;
use arrow_array::{
    DictionaryArray, Float64Array, Int32Array, Int64Array, LargeStringArray, ListArray, StringArray,
};

use super::*;

fn table(columns: Vec<(&str, ArrayRef)>) -> Table {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    );
    Table::new(
        batch.unwrap(),
        Metadata::default().with("OBJECT", "M13", None),
    )
    .unwrap()
}

fn example(second: i32) -> Table {
    let fluxes = Float64Array::from(vec![Some(1.5), None, Some(f64::NAN)]);
    let names = StringArray::from(vec![Some("a"), None, Some("")]);
    let lists = [Some(vec![Some(1)]), Some(vec![]), None];
    table(vec![
        ("id", Arc::new(Int32Array::from(vec![1, second, 3]))),
        ("flux", Arc::new(fluxes)),
        ("name", Arc::new(names)),
        (
            "near",
            Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(lists)),
        ),
    ])
}

#[test]
fn a_difference_names_column_row_and_values() {
    let (one, other) = (example(2), example(7));
    assert_eq!(one.difference(&example(2)), None);
    assert_eq!(one.digest_values(), example(2).digest_values());
    assert_eq!(
        one.difference(&other).unwrap(),
        "column `id`, row 1: 2 and 7"
    );
    assert_ne!(one.digest_values(), other.digest_values());
    let fewer = one.select(&["id".to_owned()]).unwrap();
    assert_eq!(one.difference(&fewer).unwrap(), "4 and 1 columns");
    let wide = table(vec![("id", Arc::new(Int64Array::from(vec![1, 2, 3])))]);
    assert_eq!(
        fewer.difference(&wide).unwrap(),
        "column `id` has values of int32 and int64"
    );
    assert_ne!(fewer.digest_values(), wide.digest_values());
    let header = one.with_metadata(Arc::new(Metadata::default()));
    assert_eq!(
        one.difference(&header).unwrap(),
        "header card OBJECT is only in the first"
    );
    assert_ne!(one.digest_values(), header.digest_values());
}

#[test]
fn no_value_differs_from_a_value_and_equals_nan_in_floats() {
    let text = |values: Vec<Option<&str>>| table(vec![("t", Arc::new(StringArray::from(values)))]);
    let (none, empty) = (text(vec![None]), text(vec![Some("")]));
    assert_eq!(
        none.difference(&empty).unwrap(),
        "column `t`, row 0: no value and "
    );
    assert_ne!(none.digest_values(), empty.digest_values());
    let real = |value| table(vec![("x", Arc::new(Float64Array::from(vec![value])))]);
    assert_eq!(real(None).difference(&real(Some(f64::NAN))), None);
    assert_eq!(
        real(None).digest_values(),
        real(Some(f64::NAN)).digest_values()
    );
    assert!(real(Some(0.0)).difference(&real(None)).is_some());
}

#[test]
fn text_is_text_however_it_is_stored() {
    let plain = table(vec![(
        "t",
        Arc::new(StringArray::from(vec!["a", "b", "a"])),
    )]);
    let large = table(vec![(
        "t",
        Arc::new(LargeStringArray::from(vec!["a", "b", "a"])),
    )]);
    let coded: DictionaryArray<Int32Type> = ["a", "b", "a"].into_iter().collect();
    let coded = table(vec![("t", Arc::new(coded))]);
    for other in [large, coded] {
        assert_eq!(plain.difference(&other), None);
        assert_eq!(plain.digest_values(), other.digest_values());
    }
}

#[test]
fn the_header_is_a_component_and_selections_keep_it() {
    let one = example(2);
    assert_eq!(one.component_names(), ["metadata"]);
    let header = one.component("metadata").unwrap();
    let again = one.with_component("md", &header);
    let again = again
        .or_else(|_| one.with_component("metadata", &header))
        .unwrap();
    assert_eq!(one.difference(again.as_ref()), None);
    assert!(one.with_component("wcs", &header).is_err());
    let picked = one.select(&["name".to_owned(), "id".to_owned()]).unwrap();
    assert_eq!(picked.column_names().collect::<Vec<_>>(), ["name", "id"]);
    assert_eq!(picked.metadata().get_text("OBJECT"), Some("M13"));
    assert_eq!(picked.text(1, 2).as_deref(), Some("3"));
    assert_eq!(picked.text(0, 1), None);
    let error = one.select(&["ID".to_owned()]).unwrap_err();
    assert_eq!(error.to_string(), "there is no column `ID`");
}
