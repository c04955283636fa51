//! What a policy's `python` means: one of pantler's own classes, or a class of the user's.
//!
//! The field's policies name the classes of the LSST stack; they stand for pantler's classes of the same job.

/// What a policy's `python` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PythonType<'a> {
    /// One of pantler's own classes, by its name: `Exposure`.
    Own(&'static str),
    /// A class that needs Python, by its import path.
    Foreign(&'a str),
}

/// The last word of a name in the field's policies (pixel-type letters aside), and pantler's class.
const CLASSES: &[(&str, &str)] = &[
    ("Exposure", "Exposure"),
    ("MaskedImage", "MaskedImage"),
    ("DecoratedImage", "Image"),
    ("Image", "Image"),
    ("Mask", "Mask"),
    ("Wcs", "Wcs"),
    ("SkyWcs", "Wcs"),
    ("TanWcs", "Wcs"),
    ("Calib", "PhotoCalib"),
    ("PhotoCalib", "PhotoCalib"),
    ("Psf", "Psf"),
    ("VisitInfo", "VisitInfo"),
    ("Detector", "Detector"),
    ("FilterLabel", "FilterLabel"),
    ("Filter", "FilterLabel"),
    ("ApCorrMap", "ApCorrMap"),
    ("Polygon", "Polygon"),
    ("TransmissionCurve", "TransmissionCurve"),
    ("PropertyList", "Metadata"),
    ("PropertySet", "Metadata"),
    ("Metadata", "Metadata"),
    ("Box2I", "Bbox"),
    ("Bbox", "Bbox"),
    ("SourceCatalog", "Table"),
    ("BaseCatalog", "Table"),
    ("SimpleCatalog", "Table"),
    ("ExposureCatalog", "Table"),
    ("Table", "Table"),
    ("BackgroundList", "Background"),
    ("Background", "Background"),
    ("Container", "Container"),
    ("dict", "Document"),
    ("list", "Document"),
    ("Document", "Document"),
    ("str", "Text"),
    ("Text", "Text"),
    ("bytes", "Bytes"),
    ("Bytes", "Bytes"),
];

/// Says what a policy's `python` means.
///
/// ```
/// use pantler_core::python_type::{python_type, PythonType};
/// assert_eq!(python_type("lsst.afw.image.ExposureF"), PythonType::Own("Exposure"));
/// assert_eq!(python_type("mypackage.Thing"), PythonType::Foreign("mypackage.Thing"));
/// ```
pub fn python_type(python: &str) -> PythonType<'_> {
    let (package, name) = python.rsplit_once('.').unwrap_or(("", python));
    let own_package = package.is_empty()
        || package == "pantler"
        || package.starts_with("lsst.afw")
        || package.starts_with("lsst.daf.base")
        || package.starts_with("lsst.geom")
        || package == "builtins";
    if !own_package {
        return PythonType::Foreign(python);
    }
    let find = |name: &str| CLASSES.iter().find(|(known, _)| *known == name);
    // ExposureF, ImageD, MaskU, DecoratedImageX: the last letter is the pixel type.
    let without_letter = name
        .strip_suffix(['F', 'D', 'I', 'U', 'L', 'X', 'S', 'B'])
        .unwrap_or(name);
    match find(name).or_else(|| find(without_letter)) {
        Some((_, class)) => PythonType::Own(class),
        None => PythonType::Foreign(python),
    }
}
