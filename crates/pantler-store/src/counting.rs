//! A store that counts what another one is asked for.
//!
//! The engine wraps every store with it for `--stats`, and tests assert costs by it: "this must not read the exposure" is a
//! number of bytes here, not a time. It counts what was asked for and answered; a request that failed counts as a call only.
//! A range that is read in pieces is one request for all of it, counted when it is asked for.

use std::io::Read;
use std::ops::{Range, Sub};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use pantler_core::store::{Link, Pieces, RangeRequest, Staged, Stat};
use pantler_core::{ArtifactPath, Location, Store, StoreError};

use crate::ranges::count_contiguous;

/// What a store was asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoreCounts {
    /// Bytes returned by reads.
    pub bytes_read: u64,
    /// Bytes written by staging.
    pub bytes_written: u64,
    /// Contiguous stretches of an artifact that were read: what an object store would be sent as one request each. Ranges
    /// of one request that touch or overlap are one stretch.
    pub read_requests: u64,
    /// Artifacts opened: distinct locations within each call that reads.
    pub artifacts_opened: u64,
    /// Calls of each method.
    pub calls: CallCounts,
}

/// How often each method of a store was called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallCounts {
    /// Calls of `read_ranges`.
    pub read_ranges: u64,
    /// Calls of `stat_many`.
    pub stat_many: u64,
    /// Calls of `list`.
    pub list: u64,
    /// Calls of `stage`.
    pub stage: u64,
    /// Calls of `adopt`.
    pub adopt: u64,
    /// Calls of `link`.
    pub link: u64,
    /// Calls of `sync`.
    pub sync: u64,
    /// Calls of `delete`.
    pub delete: u64,
}

/// Defines subtraction field by field: what happened between two moments.
macro_rules! subtract_fields {
    ($type:ident: $($plain:ident),* $(; $nested:ident)?) => {
        impl Sub for $type {
            type Output = $type;

            fn sub(self, earlier: $type) -> $type {
                $type {
                    $($plain: self.$plain.saturating_sub(earlier.$plain),)*
                    $($nested: self.$nested - earlier.$nested,)?
                }
            }
        }
    };
}

subtract_fields!(StoreCounts: bytes_read, bytes_written, read_requests, artifacts_opened; calls);
subtract_fields!(CallCounts: read_ranges, stat_many, list, stage, adopt, link, sync, delete);

/// A store that counts.
#[derive(Debug)]
pub struct CountingStore<S> {
    inner: S,
    counters: Counters,
}

/// The same numbers, for many threads.
#[derive(Debug, Default)]
struct Counters {
    bytes_read: AtomicU64,
    bytes_written: AtomicU64,
    read_requests: AtomicU64,
    artifacts_opened: AtomicU64,
    read_ranges: AtomicU64,
    stat_many: AtomicU64,
    list: AtomicU64,
    stage: AtomicU64,
    adopt: AtomicU64,
    link: AtomicU64,
    sync: AtomicU64,
    delete: AtomicU64,
}

fn add(counter: &AtomicU64, number: u64) {
    counter.fetch_add(number, Ordering::Relaxed);
}

impl<S: Store> CountingStore<S> {
    /// Wraps a store; all counts are zero.
    pub fn new(inner: S) -> CountingStore<S> {
        CountingStore {
            inner,
            counters: Counters::default(),
        }
    }

    /// Returns the store that is counted.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// Returns the counts so far. While other threads work, the numbers need not be of one moment.
    pub fn counts(&self) -> StoreCounts {
        self.counters
            .each(|counter| counter.load(Ordering::Relaxed))
    }

    /// Sets all counts to zero and returns what they were.
    pub fn reset(&self) -> StoreCounts {
        self.counters
            .each(|counter| counter.swap(0, Ordering::Relaxed))
    }

    fn count_read(&self, requests: &[RangeRequest], answers: &[Vec<Bytes>]) {
        let bytes: usize = answers.iter().flatten().map(Bytes::len).sum();
        let stretches: u64 = requests
            .iter()
            .map(|request| count_contiguous(&request.ranges))
            .sum();
        let mut locations: Vec<&Location> =
            requests.iter().map(|request| &request.location).collect();
        locations.sort_unstable();
        locations.dedup();
        add(&self.counters.bytes_read, bytes as u64);
        add(&self.counters.read_requests, stretches);
        add(&self.counters.artifacts_opened, locations.len() as u64);
    }
}

impl Counters {
    fn each(&self, value: impl Fn(&AtomicU64) -> u64) -> StoreCounts {
        StoreCounts {
            bytes_read: value(&self.bytes_read),
            bytes_written: value(&self.bytes_written),
            read_requests: value(&self.read_requests),
            artifacts_opened: value(&self.artifacts_opened),
            calls: CallCounts {
                read_ranges: value(&self.read_ranges),
                stat_many: value(&self.stat_many),
                list: value(&self.list),
                stage: value(&self.stage),
                adopt: value(&self.adopt),
                link: value(&self.link),
                sync: value(&self.sync),
                delete: value(&self.delete),
            },
        }
    }
}

impl<S: Store> Store for CountingStore<S> {
    fn root(&self) -> &str {
        self.inner.root()
    }

    fn is_near(&self) -> bool {
        self.inner.is_near()
    }

    fn read_ranges(&self, requests: &[RangeRequest]) -> Result<Vec<Vec<Bytes>>, StoreError> {
        add(&self.counters.read_ranges, 1);
        let answers = self.inner.read_ranges(requests)?;
        self.count_read(requests, &answers);
        Ok(answers)
    }

    fn read_whole(&self, location: &Location, at_most: u64) -> Result<Option<Bytes>, StoreError> {
        add(&self.counters.read_ranges, 1);
        let whole = self.inner.read_whole(location, at_most)?;
        if let Some(bytes) = &whole {
            add(&self.counters.bytes_read, bytes.len() as u64);
            add(&self.counters.read_requests, u64::from(!bytes.is_empty()));
            add(&self.counters.artifacts_opened, 1);
        }
        Ok(whole)
    }

    fn in_pieces(
        &self,
        location: &Location,
        range: &Range<u64>,
    ) -> Result<Option<Arc<dyn Pieces>>, StoreError> {
        let pieces = self.inner.in_pieces(location, range)?;
        if pieces.is_some() {
            add(&self.counters.read_ranges, 1);
            add(
                &self.counters.bytes_read,
                range.end.saturating_sub(range.start),
            );
            add(&self.counters.read_requests, u64::from(!range.is_empty()));
            add(&self.counters.artifacts_opened, 1);
        }
        Ok(pieces)
    }

    fn stat_many(&self, locations: &[Location]) -> Result<Vec<Option<Stat>>, StoreError> {
        add(&self.counters.stat_many, 1);
        self.inner.stat_many(locations)
    }

    fn list<'a>(
        &'a self,
        folder: Option<&ArtifactPath>,
    ) -> Box<dyn Iterator<Item = Result<(ArtifactPath, Stat), StoreError>> + 'a> {
        add(&self.counters.list, 1);
        self.inner.list(folder)
    }

    fn stage(&self, path: &ArtifactPath, content: &mut dyn Read) -> Result<Staged, StoreError> {
        add(&self.counters.stage, 1);
        let staged = self.inner.stage(path, content)?;
        add(&self.counters.bytes_written, staged.bytes);
        Ok(staged)
    }

    fn adopt(&self, file: &Path, path: &ArtifactPath) -> Result<Stat, StoreError> {
        add(&self.counters.adopt, 1);
        self.inner.adopt(file, path)
    }

    fn link(&self, links: &[Link]) -> Result<(), StoreError> {
        add(&self.counters.link, 1);
        self.inner.link(links)
    }

    fn sync(&self, paths: &[ArtifactPath]) -> Result<(), StoreError> {
        add(&self.counters.sync, 1);
        self.inner.sync(paths)
    }

    fn delete(&self, paths: &[ArtifactPath]) -> Result<(), StoreError> {
        add(&self.counters.delete, 1);
        self.inner.delete(paths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStore;

    /// Contiguous ranges are one request, an artifact asked for twice in a call is opened once, a failed read costs nothing.
    #[test]
    fn costs_are_what_was_asked_for() {
        let store = CountingStore::new(MemoryStore::new("test"));
        let [a, b] = ["a", "b"].map(|name| ArtifactPath::new(name).expect("a path"));
        store.stage(&a, &mut &[0; 100][..]).expect("staging works");
        store.stage(&b, &mut &[0; 10][..]).expect("staging works");
        assert_eq!(store.counts().bytes_written, 110);
        assert!(store.stage(&a, &mut &[0; 100][..]).is_err());
        assert_eq!(store.counts().bytes_written, 110);

        let before = store.counts();
        let request = |path: &ArtifactPath, ranges: &[std::ops::Range<u64>]| RangeRequest {
            location: Location::Inside(path.clone()),
            ranges: ranges.to_vec(),
        };
        let requests = [
            request(&a, &[0..10, 10..20, 50..60]),
            request(&b, &[0..10, 3..3]),
            request(&a, &[90..100, 95..100]),
        ];
        store.read_ranges(&requests).expect("reading works");
        assert!(store.read_ranges(&[request(&a, &[0..1, 0..101])]).is_err());
        let expected = StoreCounts {
            bytes_read: 10 + 10 + 10 + 10 + 10 + 5,
            bytes_written: 0,
            read_requests: 4,
            artifacts_opened: 2,
            calls: CallCounts {
                read_ranges: 2,
                ..CallCounts::default()
            },
        };
        assert_eq!(store.counts() - before, expected);
        assert_eq!(store.reset().calls.stage, 3);
        assert_eq!(store.counts(), StoreCounts::default());
    }

    /// A range in pieces is one request, however it is read; a store that has no pieces is asked for nothing.
    #[test]
    fn pieces_are_one_request() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = CountingStore::new(crate::LocalStore::open(folder.path()).expect("a store"));
        let a = ArtifactPath::new("a").expect("a path");
        let content: Vec<u8> = (0..200).collect();
        store.stage(&a, &mut &content[..]).expect("staging works");
        let location = Location::Inside(a.clone());
        let pieces = store
            .in_pieces(&location, &(10..110))
            .expect("reading works");
        let pieces = pieces.expect("a local store has pieces");
        store
            .delete(std::slice::from_ref(&a))
            .expect("deleting works");
        let mut buffer = [0; 40];
        for start in [10, 70, 20] {
            pieces.read_into(start, &mut buffer).expect("reading works");
            assert_eq!(buffer[..], content[start as usize..start as usize + 40]);
        }
        assert!(pieces.read_into(190, &mut buffer).is_err());
        let counts = store.counts();
        assert_eq!((counts.bytes_read, counts.read_requests), (100, 1));
        assert_eq!((counts.calls.read_ranges, counts.artifacts_opened), (1, 1));

        let store = CountingStore::new(MemoryStore::new("test"));
        store.stage(&a, &mut &content[..]).expect("staging works");
        assert!(
            store
                .in_pieces(&location, &(0..100))
                .expect("it can say")
                .is_none()
        );
        assert_eq!(store.counts().calls.read_ranges, 0);
    }

    /// Each method has its own count.
    #[test]
    fn every_method_is_counted() {
        let store = CountingStore::new(MemoryStore::new("test"));
        let a = ArtifactPath::new("a").expect("a path");
        let link = Link {
            from: a.clone(),
            to: ArtifactPath::new("b").expect("a path"),
            existing: pantler_core::store::OnExisting::Refuse,
        };
        store.stage(&a, &mut &b"a"[..]).expect("staging works");
        store.link(&[link]).expect("linking works");
        store
            .sync(std::slice::from_ref(&a))
            .expect("synchronising works");
        store
            .delete(std::slice::from_ref(&a))
            .expect("deleting works");
        store.stat_many(&[]).expect("looking works");
        store.read_ranges(&[]).expect("reading works");
        assert_eq!(store.list(None).count(), 1);
        assert!(store.adopt(Path::new("/a"), &a).is_err());
        let each = CallCounts {
            read_ranges: 1,
            stat_many: 1,
            list: 1,
            stage: 1,
            adopt: 1,
            link: 1,
            sync: 1,
            delete: 1,
        };
        assert_eq!(store.counts().calls, each);
    }
}
