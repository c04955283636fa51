//! The field's own policies load as they are.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

use std::fs;

use pantler_core::policy::{Policy, PolicyText};
use pantler_core::problem::{Problem, Severity};
use pantler_core::{DataId, Definition, KeyType, KeyValue, TypeName};
use pantler_testkit::test_data;

/// Loads policies in the order in which a camera's mapper merged them; `None` where they are not here.
fn load(files: &[&str]) -> Option<(Policy, Vec<Problem>)> {
    let folder = test_data("policies")?;
    let texts: Vec<PolicyText> = files
        .iter()
        .map(|file| PolicyText {
            file: (*file).into(),
            text: fs::read_to_string(folder.join(file)).unwrap(),
        })
        .collect();
    Some(Policy::load(&texts, &mut |_, name| {
        Err(format!("there is no {name}"))
    }))
}

const CAMERA: &[&str] = &[
    "obs_base/policy/datasets.yaml",
    "obs_base/policy/exposures.yaml",
    "obs_base/policy/CalibrationMappingDefaults.yaml",
    "obs_base/policy/ExposureMappingDefaults.yaml",
    "obs_base/policy/ImageMappingDefaults.yaml",
    "obs_test/policy/testMapper.yaml",
];

fn find<'a>(policy: &'a Policy, name: &str) -> &'a Definition {
    policy.definition(&TypeName::new(name).unwrap()).unwrap()
}

#[test]
fn a_camera_with_its_defaults_loads_with_warnings_only() {
    let Some((policy, problems)) = load(CAMERA) else {
        return;
    };
    let errors: Vec<String> = problems
        .iter()
        .filter(|one| one.severity == Severity::Error)
        .map(Problem::to_string)
        .collect();
    assert_eq!(errors.join("\n"), "");
    assert!(problems.iter().all(|one| one.code == "templates-meet"));
    assert!(policy.check_references(&|_| false).is_empty());
    assert!(policy.definitions().count() > 250);

    // The camera gives the template, the shared policy the rest.
    let calexp = find(&policy, "calexp");
    assert_eq!(calexp.python.as_deref(), Some("lsst.afw.image.ExposureF"));
    let data_id = DataId::parse("visit=1 filter=g").unwrap();
    let path = calexp
        .template
        .as_ref()
        .unwrap()
        .fill(&data_id)
        .unwrap()
        .path;
    assert_eq!(path.as_str(), "calexp/calexp_v1_fg.fits");
    assert_eq!(&*calexp.place.file, "obs_test/policy/testMapper.yaml");
    assert!(calexp.complaints.is_empty());
    assert!(find(&policy, "ccdExposureId").computed);
    assert_eq!(
        find(&policy, "raw").template.as_ref().unwrap().keys().len(),
        2
    );
    assert_eq!(policy.key_type("visit"), Some(KeyType::Int));
    assert_eq!(policy.key_type("filter"), Some(KeyType::Str));

    let composite = find(&policy, "rawAndFlat").composite.as_ref().unwrap();
    assert_eq!(composite.components.len(), 2);
    assert!(composite.assembler.is_some() && composite.disassembler.is_some());
}

#[test]
fn a_later_file_wins_key_by_key() {
    let mut files = CAMERA.to_vec();
    files.push("obs_test/policy/testCalexpMetadataObjects.yaml");
    let Some((policy, problems)) = load(&files) else {
        return;
    };
    assert!(problems.iter().all(|one| one.severity == Severity::Warning));
    let calexp = find(&policy, "calexp");
    let place = |key: &str| {
        let (_, place) = calexp
            .key_places
            .iter()
            .find(|(known, _)| known == key)
            .unwrap();
        place.file.to_string()
    };
    assert_eq!(
        calexp.template.as_ref().map(|one| one.text()),
        Some("example-calexp.fits")
    );
    assert_eq!(
        place("template"),
        "obs_test/policy/testCalexpMetadataObjects.yaml"
    );
    assert_eq!(place("python"), "obs_base/policy/exposures.yaml");
}

#[test]
fn shared_policies_load_without_a_camera() {
    let Some((policy, problems)) = load(&CAMERA[..2]) else {
        return;
    };
    assert!(problems.iter().all(|one| one.severity == Severity::Warning));
    // Templates are left to the cameras: such types complain when they are used, and not before.
    assert!(!find(&policy, "calexp").complaints.is_empty());
}

#[test]
fn every_definition_of_the_field_survives_being_written() {
    let Some((policy, _)) = load(CAMERA) else {
        return;
    };
    for definition in policy.definitions() {
        let body: String = definition
            .yaml
            .lines()
            .map(|line| format!("  {line}\n"))
            .collect();
        let text = PolicyText {
            file: "written.yaml".into(),
            text: format!("datasets:\n{body}"),
        };
        let (again, problems) = Policy::load(&[text], &mut |_, _| Err(String::new()));
        assert!(problems.is_empty(), "{}", definition.yaml);
        let again = find(&again, definition.name.as_str());
        assert_eq!(again.yaml, definition.yaml);
        let texts = |one: &Definition| one.template.as_ref().map(|one| one.text().to_owned());
        assert_eq!(texts(again), texts(definition));
        assert_eq!(again.description, definition.description);
        assert_eq!(again.kept, definition.kept);
    }
}

/// A value of a key that any template can print: the filters, patches and numbers of the field.
fn tame(key: &str, key_type: KeyType, number: u32, letter: char) -> KeyValue {
    match (key, key_type) {
        // Between two keys without a sign, of which one may end in a digit, only one digit is unambiguous.
        ("subfilter", KeyType::Int) => KeyValue::Int((number % 10).into()),
        (_, KeyType::Int) => KeyValue::Int(number.into()),
        (_, KeyType::Float) => KeyValue::float(f64::from(number) / 4.0).unwrap(),
        ("patch", KeyType::Str) => format!("{},{}", number % 10, number / 7 % 10)
            .as_str()
            .into(),
        (_, KeyType::Str) => letter.to_string().as_str().into(),
    }
}

fn round_trips(definition: &Definition, data_id: &DataId, must_print: bool) -> Result<(), String> {
    let Some(template) = &definition.template else {
        return Ok(());
    };
    let filled = match template.fill(data_id) {
        Ok(filled) => filled,
        Err(_) if !must_print => return Ok(()),
        Err(error) => {
            return Err(format!(
                "{}: {} of {data_id}: {error}",
                definition.name,
                template.text()
            ));
        }
    };
    let keys: Vec<&str> = template
        .path_keys()
        .iter()
        .map(|(key, _)| key.as_str())
        .collect();
    let wanted = data_id.restricted_to(&keys);
    match template.read(filled.path.as_str()) {
        Some(read) if read == wanted => Ok(()),
        read => Err(format!(
            "{}: {} reads {read:?}, not {wanted}",
            definition.name, filled.path
        )),
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(32))]

    /// Every template of the field works both ways: data ID to path and path to data ID.
    #[test]
    fn every_template_of_the_field_round_trips(
        number in proptest::prelude::any::<u32>(),
        letter in "[a-zA-Z]",
        wild in "[a-zA-Z0-9_,.+-]{0,8}",
        large in proptest::prelude::any::<i64>(),
    ) {
        let Some((policy, _)) = load(CAMERA) else {
            return Ok(());
        };
        let letter = letter.chars().next().unwrap();
        for definition in policy.definitions() {
            let keys = definition.template.iter().flat_map(|template| template.keys());
            let typed: Vec<(String, KeyType)> = keys.cloned().collect();
            let data_id = DataId::new(typed.iter().map(|(key, of)| (key.clone(), tame(key, *of, number, letter))));
            proptest::prop_assert_eq!(round_trips(definition, &data_id, true), Ok(()));
            // Values that no camera has are printed so that they are read back, or refused.
            let data_id = DataId::new(typed.iter().map(|(key, of)| {
                let value = match of {
                    KeyType::Str => wild.as_str().into(),
                    _ => KeyValue::Int(large),
                };
                (key.clone(), value.cast(*of).unwrap_or(value))
            }));
            proptest::prop_assert_eq!(round_trips(definition, &data_id, false), Ok(()));
        }
    }
}
