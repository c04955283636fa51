//! What is seen of a state, through the program and in its folder.

use pantler::core::Digest;
use serde_json::Value;

use super::support::Place;

/// What commands that only look answer: status, what is printed, the digest of the file that is written.
pub type Seen = Vec<(i32, String, Digest)>;

pub fn look(place: &Place, commands: &[&str]) -> Seen {
    let mut seen = Vec::new();
    for command in commands {
        let out = place.path("looked.fits");
        let _ = std::fs::remove_file(&out);
        let ran = place.run(command);
        assert!(
            ran.status == 0 || ran.status == 2,
            "{command}\n{}",
            ran.error
        );
        let file = Digest::of(&std::fs::read(&out).unwrap_or_default());
        seen.push((ran.status, without_identities(&ran.out), file));
    }
    seen
}

/// Identities differ from run to run; and a replaced dataset may still lie where it was staged.
fn without_identities(printed: &str) -> String {
    let Ok(mut document) = serde_json::from_str::<Value>(printed) else {
        return printed.to_owned();
    };
    forget_identities(&mut document);
    document.to_string()
}

fn forget_identities(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(forget_identities),
        Value::Object(entries) => {
            for (key, value) in entries {
                let is_own = value
                    .as_str()
                    .is_some_and(|text| text.contains(".pantler/"));
                match key == "id" || is_own {
                    true => *value = "pantler's own".into(),
                    false => forget_identities(value),
                }
            }
        }
        _ => {}
    }
}

/// As [`look`] sees it, but for the locations, which a crash may have left behind.
pub fn without_locations(seen: &Seen) -> Seen {
    let strip = |printed: &str| match serde_json::from_str::<Value>(printed) {
        Ok(mut document) => {
            forget_locations(&mut document);
            document.to_string()
        }
        Err(_) => printed.to_owned(),
    };
    seen.iter()
        .map(|(status, printed, file)| (*status, strip(printed), *file))
        .collect()
}

fn forget_locations(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(forget_locations),
        Value::Object(entries) => {
            for (key, value) in entries {
                match (key.as_str(), &value) {
                    ("location" | "newer", Value::String(_)) => *value = "somewhere".into(),
                    _ => forget_locations(value),
                }
            }
        }
        _ => {}
    }
}

/// Returns what `fsck` says is left over; nothing else may be wrong.
pub fn leftovers(place: &Place, repository: &str, options: &str) -> Vec<String> {
    let document = place.json(&format!("fsck {repository} {options}"));
    assert_eq!(document["clean"], true, "{document}");
    let left = document["leftover"].as_array().unwrap();
    left.iter()
        .map(|path| path.as_str().unwrap().to_owned())
        .collect()
}

/// Returns what lies in pantler's own folder, but for the registry and the texts of the repository.
pub fn own_files(place: &Place, repository: &str) -> Vec<String> {
    let root = place.path(repository).join(".pantler");
    let mut waiting = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
                continue;
            }
            let name = path.strip_prefix(&root).unwrap().display().to_string();
            let known = [
                "registry.sqlite",
                "registry.sqlite-wal",
                "registry.sqlite-shm",
                "repository.json",
                "definitions.yaml",
            ];
            if !known.contains(&name.as_str()) {
                files.push(name);
            }
        }
    }
    files
}
