//! How the simulated camera shows the sky: the gnomonic projection with a distortion that grows with the cube of the
//! distance from the optical axis, as header cards (TAN-SIP) and as a way back from the sky to pixels.
//!
//! The way from pixels to the sky is not here: whoever wants it asks the [`Wcs`], so that the two check each other.

use pantler_objects::{Card, CardValue, Metadata, Wcs};

/// The projection of one ccd.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Projection {
    /// Where the optical axis points to, in degrees.
    pub axis: (f64, f64),
    /// Where the optical axis meets the plane of the ccd, in its pixels, counted from 0.
    pub pixel: (f64, f64),
    /// From pixels to degrees.
    pub matrix: [[f64; 2]; 2],
    /// The distortion: what is added to an offset of one pixel from the axis, for each square pixel of its square.
    pub distortion: f64,
}

impl Projection {
    /// Returns the same projection with the ccd shifted by some pixels.
    pub(super) fn shifted(&self, (x, y): (f64, f64)) -> Projection {
        Projection {
            pixel: (self.pixel.0 + x, self.pixel.1 + y),
            ..self.clone()
        }
    }

    /// Returns the pixel of a position in degrees; `None` for positions behind the camera.
    pub(super) fn sky_to_pixel(&self, sky: (f64, f64)) -> Option<(f64, f64)> {
        let (xi, eta) = to_plane(self.axis, sky)?;
        let [[a, b], [c, d]] = self.matrix;
        let determinant = a * d - b * c;
        let wanted = (
            (d * xi - b * eta) / determinant,
            (a * eta - c * xi) / determinant,
        );
        let (mut u, mut v) = wanted;
        // The distortion is some pixels in thousands, so each step gains three digits.
        for _ in 0..12 {
            let square = u * u + v * v;
            (u, v) = (
                wanted.0 - self.distortion * u * square,
                wanted.1 - self.distortion * v * square,
            );
        }
        Some((u + self.pixel.0, v + self.pixel.1))
    }

    /// Returns the header cards, whose pixels are counted from 1.
    pub(super) fn cards(&self) -> Metadata {
        let [[a, b], [c, d]] = self.matrix;
        Metadata::new([
            card("WCSAXES", 2_i64, "number of axes"),
            card(
                "CTYPE1",
                "RA---TAN-SIP",
                "right ascension, gnomonic, distorted",
            ),
            card("CTYPE2", "DEC--TAN-SIP", "declination, gnomonic, distorted"),
            card("CUNIT1", "deg", "unit of axis 1"),
            card("CUNIT2", "deg", "unit of axis 2"),
            card("CRVAL1", self.axis.0, "right ascension of the optical axis"),
            card("CRVAL2", self.axis.1, "declination of the optical axis"),
            card("CRPIX1", self.pixel.0 + 1.0, "pixel of the optical axis"),
            card("CRPIX2", self.pixel.1 + 1.0, "pixel of the optical axis"),
            card("CD1_1", a, "degrees per pixel"),
            card("CD1_2", b, "degrees per pixel"),
            card("CD2_1", c, "degrees per pixel"),
            card("CD2_2", d, "degrees per pixel"),
            card("RADESYS", "ICRS", "reference frame"),
            card("A_ORDER", 3_i64, "order of the distortion"),
            card("A_3_0", self.distortion, "distortion"),
            card("A_1_2", self.distortion, "distortion"),
            card("B_ORDER", 3_i64, "order of the distortion"),
            card("B_0_3", self.distortion, "distortion"),
            card("B_2_1", self.distortion, "distortion"),
        ])
    }

    /// Returns the coordinate system.
    pub(super) fn wcs(&self) -> Wcs {
        Wcs::from_header(self.cards(), 0, 0)
    }
}

pub(super) fn card(keyword: &str, value: impl Into<CardValue>, comment: &str) -> Card {
    Card::new(keyword, value, Some(comment.to_owned()))
}

/// Returns the offset of a position on the plane that touches the sky at `centre`, in degrees.
pub(super) fn to_plane(centre: (f64, f64), sky: (f64, f64)) -> Option<(f64, f64)> {
    let (dec0, dec) = (centre.1.to_radians(), sky.1.to_radians());
    let turn = (sky.0 - centre.0).to_radians();
    let depth = dec0.sin() * dec.sin() + dec0.cos() * dec.cos() * turn.cos();
    if depth <= 0.0 {
        return None;
    }
    let xi = dec.cos() * turn.sin() / depth;
    let eta = (dec0.cos() * dec.sin() - dec0.sin() * dec.cos() * turn.cos()) / depth;
    Some((xi.to_degrees(), eta.to_degrees()))
}

/// Returns the position of an offset, in degrees, on the plane that touches the sky at `centre`.
pub(super) fn from_plane(centre: (f64, f64), offset: (f64, f64)) -> (f64, f64) {
    let (xi, eta) = (offset.0.to_radians(), offset.1.to_radians());
    let dec0 = centre.1.to_radians();
    let along = dec0.cos() - eta * dec0.sin();
    let ra = centre.0 + xi.atan2(along).to_degrees();
    let dec = (dec0.sin() + eta * dec0.cos()).atan2(xi.hypot(along));
    (ra.rem_euclid(360.0), dec.to_degrees())
}
