//! Finds the name that was probably meant, for *did you mean*.

/// Returns the candidate most like `word`, if one is near enough to be a slip of it.
///
/// ```
/// use pantler_core::similar::most_similar;
/// assert_eq!(most_similar("datasettype", ["setter", "datasetType"]), Some("datasetType"));
/// assert_eq!(most_similar("wcs", ["psf", "calib"]), None);
/// ```
pub fn most_similar<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let allowed = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| *candidate != word)
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}
