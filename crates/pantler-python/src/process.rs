//! Which process this is: a forked child has none of its parent's threads, and must not touch its databases.

use std::cell::OnceCell;
use std::sync::OnceLock;

/// The process that imported the package. A child that was spawned imports it anew; one that was forked has its parent's.
static IMPORTED_IN: OnceLock<u32> = OnceLock::new();

thread_local! {
    static POOL: OnceCell<Option<rayon::ThreadPool>> = const { OnceCell::new() };
}

/// Remembers the process that imports the package.
pub fn remember() {
    IMPORTED_IN.get_or_init(std::process::id);
}

/// Lets parallel work run in this process.
///
/// The threads of rayon's pool stay behind in the process that was forked, so that whoever waits for them waits for ever. In
/// a child each thread of Python is a pool of its own: work that would be parallel is done by the thread that asks for it.
pub fn prepare() {
    if IMPORTED_IN.get().is_none_or(|id| *id == std::process::id()) {
        return;
    }
    POOL.with(|pool| {
        pool.get_or_init(|| {
            // Fails where the thread belongs to a pool already, which is as good.
            rayon::ThreadPoolBuilder::new()
                .num_threads(1)
                .use_current_thread()
                .build()
                .ok()
        });
    });
}
