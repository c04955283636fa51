//! Who acts: kept with every put, link and ingest (rule R31).

use pantler_core::registry::Provenance;

/// Who acts; kept with every put (rule R31).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Who {
    /// The user's name.
    pub user: String,
    /// The machine's name.
    pub host: String,
}

impl Who {
    /// Returns who runs this process: the name that the environment gives (`USER`, `LOGNAME`), else the user's number, and the
    /// machine's name.
    pub fn of_process() -> Who {
        let named = ["USER", "LOGNAME"].into_iter();
        let mut named = named.filter_map(|name| std::env::var(name).ok());
        Who {
            user: named
                .find(|name| !name.is_empty())
                .unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw())),
            host: rustix::system::uname()
                .nodename()
                .to_string_lossy()
                .into_owned(),
        }
    }

    /// Returns a record of an action of today's.
    pub(crate) fn did(&self, action: &str, notes: &[(String, String)]) -> Provenance {
        Provenance {
            action: action.to_owned(),
            time: jiff::Timestamp::now().to_string(),
            user: self.user.clone(),
            host: self.host.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            notes: notes.to_vec(),
        }
    }
}
