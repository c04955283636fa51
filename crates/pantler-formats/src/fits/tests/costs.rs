//! What every component of every real exposure costs.

use pantler_core::Formatter;
use pantler_core::formatter::{ReadRequest, WriteOptions};

use super::support::{part, real, real_names};
use crate::fits::FitsFormatter;

/// A component costs less than 5 % of its file, unless the component itself is larger than that: then no more than what it
/// takes as a file of its own. Headers are read in blocks of whole HDUs, which is much of a file of a few pixels: where
/// nothing else is read, the headers of two HDUs are allowed.
#[test]
fn every_component_of_every_exposure_costs_its_own_bytes() {
    let mut components = 0;
    println!(
        "{:<52} {:<20} {:>9} {:>9} {:>9}",
        "file", "component", "read", "alone", "file"
    );
    for name in real_names(&["exposures"]) {
        let source = real(&name).unwrap();
        let (Ok(Some(layout)), Ok(whole)) = (
            FitsFormatter.index(&source),
            FitsFormatter.read(&source, None, &ReadRequest::default()),
        ) else {
            continue;
        };
        if whole.class() != "Exposure" {
            continue;
        }
        let names = whole.component_names();
        for component in names
            .iter()
            .filter(|name| !matches!(name.as_str(), "image" | "mask" | "variance"))
        {
            source.taken();
            let object = FitsFormatter
                .read(&source, Some(&layout), &part(component))
                .unwrap();
            let (bytes, requests) = source.taken();
            let alone = FitsFormatter.write(&object, &WriteOptions::default());
            let alone = alone.map_or(0, |bytes| bytes.len() as u64);
            println!(
                "{name:<52} {component:<20} {bytes:>9} {alone:>9} {:>9}",
                source.size()
            );
            assert_eq!(requests, 1, "{name}: {component}");
            let headers = headers_of_planes(&source);
            let most = (source.size() / 20).max(alone).max(headers);
            assert!(
                bytes <= most,
                "{name}: {component} cost {bytes} of {}, alone it has {alone}",
                source.size()
            );
            components += 1;
        }
    }
    assert!(
        components > 30 || real_names(&["exposures"]).is_empty(),
        "{components}"
    );
}

/// The headers of the primary HDU and of the first extension.
fn headers_of_planes(source: &super::support::Counted) -> u64 {
    let contents = crate::fits::contents::Contents::walk(source).unwrap();
    contents
        .shapes()
        .iter()
        .take(2)
        .map(|shape| shape.header.end - shape.header.start)
        .sum()
}
