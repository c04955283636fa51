//! Directions on the sky: degrees to vectors and planes, and back.

use std::f64::consts::TAU;

/// Arcseconds in a radian.
pub(crate) const ARCSECONDS: f64 = 180.0 * 3600.0 / std::f64::consts::PI;

/// Returns right ascension and declination in degrees, the first one from 0 on and below 360.
pub(crate) fn in_degrees(longitude: f64, latitude: f64) -> (f64, f64) {
    let turned = longitude.rem_euclid(TAU).to_degrees();
    // Rounding can turn a tiny negative angle into a whole turn.
    let turned = if turned >= 360.0 { 0.0 } else { turned };
    (turned, latitude.to_degrees())
}

/// Returns the great-circle distance of two positions in degrees, in arcseconds; exact for tiny distances.
pub(crate) fn separation(a: (f64, f64), b: (f64, f64)) -> f64 {
    let ((ra1, dec1), (ra2, dec2)) = (radians(a), radians(b));
    let half = |x: f64| (x / 2.0).sin().powi(2);
    let haversine = half(dec2 - dec1) + dec1.cos() * dec2.cos() * half(ra2 - ra1);
    2.0 * haversine.sqrt().min(1.0).asin() * ARCSECONDS
}

/// Returns a position in degrees as one in radians.
pub(crate) fn radians((ra, dec): (f64, f64)) -> (f64, f64) {
    (ra.to_radians(), dec.to_radians())
}

/// Returns where a position lies on the plane that touches the sky at `centre`, in degrees, east and north positive;
/// `None` for the half of the sky behind the centre. All positions are degrees.
pub(crate) fn to_plane(centre: (f64, f64), position: (f64, f64)) -> Option<(f64, f64)> {
    let ((ra0, dec0), (ra, dec)) = (radians(centre), radians(position));
    let turn = ra - ra0;
    let depth = dec0.sin() * dec.sin() + dec0.cos() * dec.cos() * turn.cos();
    if depth.is_nan() || depth <= 0.0 {
        return None;
    }
    let east = dec.cos() * turn.sin() / depth;
    let north = (dec0.cos() * dec.sin() - dec0.sin() * dec.cos() * turn.cos()) / depth;
    Some((east.to_degrees(), north.to_degrees()))
}

/// Returns the position of a point of the plane that touches the sky at `centre`; all in degrees.
pub(crate) fn from_plane(centre: (f64, f64), (east, north): (f64, f64)) -> (f64, f64) {
    let (ra0, dec0) = radians(centre);
    let (east, north) = (east.to_radians(), north.to_radians());
    let across = dec0.cos() - north * dec0.sin();
    let dec = (dec0.sin() + north * dec0.cos()).atan2(east.hypot(across));
    in_degrees(ra0 + east.atan2(across), dec)
}
