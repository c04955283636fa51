//! Who runs the program, from the environment and the system; kept with every put, link and ingest.

use pantler::Who;

/// Returns the user's and the machine's name.
pub fn who() -> Who {
    Who {
        user: user(),
        host: rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned(),
    }
}

/// The name that the environment gives, else the number that the system knows.
fn user() -> String {
    ["USER", "LOGNAME"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|name| !name.is_empty())
        .unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()))
}
