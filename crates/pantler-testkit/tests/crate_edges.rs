//! Keeps `docs/architecture.md` true: crates depend down its picture only, and the files that it names exist.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Which crates of the workspace each may depend on, development aside.
const ALLOWED: &[(&str, &[&str])] = &[
    ("pantler-core", &[]),
    ("pantler-objects", &["pantler-core"]),
    ("pantler-formats", &["pantler-core", "pantler-objects"]),
    ("pantler-registry", &["pantler-core"]),
    ("pantler-store", &["pantler-core"]),
    (
        "pantler",
        &[
            "pantler-core",
            "pantler-formats",
            "pantler-objects",
            "pantler-registry",
            "pantler-store",
        ],
    ),
    ("pantler-cli", &["pantler"]),
    ("pantler-python", &["pantler", "pantler-cli"]),
    ("pantler-testkit", &["pantler-core"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn crates_depend_down_the_picture_only() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut seen = 0;
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let (_, allowed) = ALLOWED
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap_or_else(|| {
                panic!("{name} is a new crate: give it a place in docs/architecture.md and here")
            });
        for dependency in package["dependencies"].as_array().unwrap() {
            let other = dependency["name"].as_str().unwrap();
            if other.starts_with("pantler") && dependency["kind"].is_null() {
                assert!(allowed.contains(&other), "{name} may not depend on {other}");
                seen += 1;
            }
        }
    }
    assert!(seen > 5, "only {seen} edges were found");
}

#[test]
fn files_that_the_documentation_names_exist() {
    let mut checked = 0;
    for page in ["docs/architecture.md", "README.md", "CONTRIBUTING.md"] {
        let text = std::fs::read_to_string(root().join(page))
            .unwrap_or_else(|error| panic!("{page}: {error}"));
        let folder = Path::new(page).parent().unwrap();
        for target in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            if target.starts_with("http") || target.starts_with('#') {
                continue;
            }
            let path = root().join(folder).join(target.split('#').next().unwrap());
            assert!(path.exists(), "{page} names {target}");
            checked += 1;
        }
        for word in text
            .split('`')
            .filter(|word| word.starts_with("crates/") || word.starts_with("docs/"))
        {
            assert!(root().join(word).exists(), "{page} names {word}");
            checked += 1;
        }
    }
    assert!(checked > 10, "only {checked} names were found");
}
