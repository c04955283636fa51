//! The gnomonic projection with polynomial distortion (SIP), as FITS headers and old archive records have it.
//!
//! ```text
//! (u, v) = pixel - crpix            f = Σ A_p_q u^p v^q, g = Σ B_p_q u^p v^q, 2 ≤ p + q
//! plane  = CD · (u + f, v + g)      in degrees, on the plane that touches the sky at crval
//! ```
//!
//! It is the one form of coordinates that every FITS reader of the field understands, so exported files carry it, exact
//! or fitted ([`super::fit`]). Other projections and distortions are the business of [`super::projected`].

use super::WcsError;
use super::header::{equinox, kind, parameter, reference_frame, unit_in_degrees};
use super::sky::{from_plane, to_plane};
use crate::archive::Persisted;
use crate::metadata::{Card, CardValue, Metadata};
use crate::record::RecordRows;

/// A polynomial in two variables: coefficients by power of the first, power of the second.
pub(crate) type Polynomial = Vec<(u32, u32, f64)>;

/// A gnomonic projection with distortion; pixels are those of the parent image, counted from 0.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TanSip {
    pub(crate) crpix: (f64, f64),
    pub(crate) crval: (f64, f64),
    pub(crate) cd: [[f64; 2]; 2],
    pub(crate) a: Polynomial,
    pub(crate) b: Polynomial,
    pub(crate) ap: Polynomial,
    pub(crate) bp: Polynomial,
    /// `RADESYS` and `EQUINOX`, where they are known.
    pub(crate) system: Option<String>,
    pub(crate) equinox: Option<f64>,
}

/// Returns the value of a polynomial.
pub(crate) fn evaluate(polynomial: &Polynomial, u: f64, v: f64) -> f64 {
    let term = |(p, q, value): &(u32, u32, f64)| value * u.powi(*p as i32) * v.powi(*q as i32);
    polynomial.iter().map(term).sum()
}

impl TanSip {
    /// Returns the position of a pixel, in degrees.
    pub(crate) fn pixel_to_sky(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let (u, v) = (x - self.crpix.0, y - self.crpix.1);
        let (u, v) = (u + evaluate(&self.a, u, v), v + evaluate(&self.b, u, v));
        let [[cd11, cd12], [cd21, cd22]] = self.cd;
        from_plane(self.crval, (cd11 * u + cd12 * v, cd21 * u + cd22 * v))
    }

    /// Says whether this form says all that a header says.
    ///
    /// Otherwise [`super::projected`] is asked, which knows units, poles and parameters too. Parameters beside SIP count
    /// for nothing: they say once more, in another way, what the polynomials say.
    pub(crate) fn covers(cards: &Metadata) -> bool {
        let plain = match (kind(cards, 1), kind(cards, 2)) {
            ("RA---TAN", "DEC--TAN") => !cards.iter().any(|card| parameter(card).is_some()),
            ("RA---TAN-SIP", "DEC--TAN-SIP") => true,
            _ => false,
        };
        let in_degrees = [1, 2]
            .iter()
            .all(|axis| unit_in_degrees(cards, *axis) == Some(1.0));
        // Where nothing is said of the pole, an image at the pole is turned by half a circle.
        let dec = cards.get_f64("CRVAL2").unwrap_or(f64::NAN);
        let upright = match cards.get_f64("LONPOLE") {
            Some(pole) => pole == 180.0 && dec.abs() <= 90.0,
            None => (-90.0..90.0).contains(&dec),
        };
        plain && in_degrees && upright
    }

    /// Reads the cards of an array whose first pixel is (`x0`, `y0`) of its parent.
    pub(crate) fn from_header(cards: &Metadata, x0: i64, y0: i64) -> Result<TanSip, WcsError> {
        let sip = kind(cards, 1).ends_with("-SIP");
        let required = |keyword: &str| {
            cards.get_f64(keyword).ok_or_else(|| WcsError::Damaged {
                what: format!("the header has no {keyword}"),
            })
        };
        let coefficients = |root: &str| match sip {
            true => header_polynomial(cards, root),
            false => Vec::new(),
        };
        Ok(TanSip {
            crpix: (
                required("CRPIX1")? - 1.0 + x0 as f64,
                required("CRPIX2")? - 1.0 + y0 as f64,
            ),
            crval: (required("CRVAL1")?, required("CRVAL2")?),
            cd: header_matrix(cards),
            a: coefficients("A_"),
            b: coefficients("B_"),
            ap: coefficients("AP_"),
            bp: coefficients("BP_"),
            system: reference_frame(cards),
            equinox: equinox(cards),
        })
    }

    /// Returns the matrix from degrees on the plane to pixels.
    pub(crate) fn inverse_matrix(&self) -> Result<[[f64; 2]; 2], WcsError> {
        inverse(&self.cd)
    }

    /// Returns a pixel near the one at a position, by the polynomials for the way back if there are any; NaN for the half
    /// of the sky behind the plane.
    pub(crate) fn near(&self, back: &[[f64; 2]; 2], position: (f64, f64)) -> (f64, f64) {
        let Some((east, north)) = to_plane(self.crval, position) else {
            return (f64::NAN, f64::NAN);
        };
        let [[a, b], [c, d]] = back;
        let (u, v) = (a * east + b * north, c * east + d * north);
        (
            self.crpix.0 + u + evaluate(&self.ap, u, v),
            self.crpix.1 + v + evaluate(&self.bp, u, v),
        )
    }

    /// Reads a `TanWcs` record, whose pixels are those of the parent, counted from 0.
    pub(crate) fn from_record(persisted: &Persisted) -> Result<TanSip, WcsError> {
        let damaged = |what: &str| WcsError::Damaged {
            what: format!("the TanWcs record has no usable {what}"),
        };
        let object = persisted.object();
        let rows = object.catalog(0).filter(|rows| rows.len() == 1);
        let rows = rows.ok_or_else(|| damaged("row"))?;
        let pair = |name: &str| pair(rows, name).ok_or_else(|| damaged(name));
        let text = |name: &str| rows.get_text(0, name).unwrap_or("");
        let kinds = (text("ctype1"), text("ctype2"));
        if kinds != ("RA---TAN", "DEC--TAN") && kinds != ("RA---TAN-SIP", "DEC--TAN-SIP") {
            return Err(WcsError::Unsupported {
                what: format!("the axis types {:?} and {:?}", kinds.0, kinds.1),
            });
        }
        // The matrix is ordered 1_1, 2_1, 1_2, 2_2.
        let cd = rows.get_floats(0, "cd").unwrap_or_default();
        let [cd11, cd21, cd12, cd22] = cd[..] else {
            return Err(damaged("cd"));
        };
        let sip = object.catalog(1).filter(|rows| rows.len() == 1);
        let polynomial = |name: &str| sip.map_or(Vec::new(), |rows| record_polynomial(rows, name));
        let system = text("radesys");
        Ok(TanSip {
            crpix: pair("crpix")?,
            crval: pair("crval")?,
            cd: [[cd11, cd12], [cd21, cd22]],
            a: polynomial("A"),
            b: polynomial("B"),
            ap: polynomial("Ap"),
            bp: polynomial("Bp"),
            system: (!system.is_empty()).then(|| system.to_owned()),
            // Where it is not known the record has a number that no year can be.
            equinox: rows
                .get_f64(0, "equinox")
                .filter(|year| (1000.0..10000.0).contains(year)),
        })
    }

    /// Returns the cards for an array whose first pixel is (`x0`, `y0`) of the parent.
    pub(crate) fn to_header(&self, x0: i64, y0: i64) -> Metadata {
        let sip = [&self.a, &self.b, &self.ap, &self.bp]
            .iter()
            .any(|p| !p.is_empty());
        let suffix = if sip { "-SIP" } else { "" };
        let mut cards = vec![
            card("WCSAXES", 2_i64, "Number of WCS axes"),
            card(
                "CRPIX1",
                self.crpix.0 + 1.0 - x0 as f64,
                "Reference pixel on axis 1",
            ),
            card(
                "CRPIX2",
                self.crpix.1 + 1.0 - y0 as f64,
                "Reference pixel on axis 2",
            ),
            card("CRVAL1", self.crval.0, "Value at reference pixel on axis 1"),
            card("CRVAL2", self.crval.1, "Value at reference pixel on axis 2"),
            card("CTYPE1", format!("RA---TAN{suffix}"), "Type of axis 1"),
            card("CTYPE2", format!("DEC--TAN{suffix}"), "Type of axis 2"),
            card("CUNIT1", "deg", "Unit of axis 1"),
            card("CUNIT2", "deg", "Unit of axis 2"),
            card("CD1_1", self.cd[0][0], "Transformation matrix element"),
            card("CD1_2", self.cd[0][1], "Transformation matrix element"),
            card("CD2_1", self.cd[1][0], "Transformation matrix element"),
            card("CD2_2", self.cd[1][1], "Transformation matrix element"),
        ];
        if let Some(system) = &self.system {
            cards.push(card("RADESYS", system.as_str(), "Reference frame"));
        }
        // The International Celestial Reference System has no equinox.
        if let Some(equinox) = self
            .equinox
            .filter(|_| self.system.as_deref() != Some("ICRS"))
        {
            cards.push(card("EQUINOX", equinox, "Equinox of coordinates"));
        }
        if sip {
            for (root, polynomial) in [
                ("A", &self.a),
                ("B", &self.b),
                ("AP", &self.ap),
                ("BP", &self.bp),
            ] {
                let order = polynomial.iter().map(|(p, q, _)| p + q).max().unwrap_or(0);
                if order == 0 && root.len() == 2 {
                    continue;
                }
                // Readers expect an order of at least 2 where there is distortion at all.
                let order = i64::from(order.max(2));
                cards.push(card(
                    &format!("{root}_ORDER"),
                    order,
                    "Order of the distortion",
                ));
                for (p, q, value) in polynomial {
                    let keyword = format!("{root}_{p}_{q}");
                    cards.push(card(&keyword, *value, "Distortion coefficient"));
                }
            }
        }
        Metadata::new(cards)
    }
}

fn card(keyword: &str, value: impl Into<CardValue>, comment: &str) -> Card {
    Card::new(keyword, value, Some(comment.to_owned()))
}

/// Reads the matrix in any of its three forms: `CDi_j`; `PCi_j` with `CDELTi`; `CDELTi` with `CROTA2`.
pub(crate) fn header_matrix(cards: &Metadata) -> [[f64; 2]; 2] {
    let element = |root: &str, i: u8, j: u8, default: f64| {
        cards.get_f64(&format!("{root}{i}_{j}")).unwrap_or(default)
    };
    let elements = |root: &str, one: f64| {
        [
            [element(root, 1, 1, one), element(root, 1, 2, 0.0)],
            [element(root, 2, 1, 0.0), element(root, 2, 2, one)],
        ]
    };
    if has_matrix(cards, "CD") {
        return elements("CD", 0.0);
    }
    let steps = [
        cards.get_f64("CDELT1").unwrap_or(1.0),
        cards.get_f64("CDELT2").unwrap_or(1.0),
    ];
    let turned = cards.get_f64("CROTA2").filter(|_| !has_matrix(cards, "PC"));
    let matrix = match turned.map(f64::to_radians) {
        // The rotation turns the scaled axes, so the other axis' step stands off the diagonal.
        Some(turn) => {
            let (sine, cosine) = turn.sin_cos();
            return [
                [steps[0] * cosine, -steps[1] * sine],
                [steps[0] * sine, steps[1] * cosine],
            ];
        }
        None => elements("PC", 1.0),
    };
    [
        matrix[0].map(|m| m * steps[0]),
        matrix[1].map(|m| m * steps[1]),
    ]
}

/// Says whether a header has an element of the matrix of an image: `CD1_2`.
pub(crate) fn has_matrix(cards: &Metadata, root: &str) -> bool {
    let elements = ["1_1", "1_2", "2_1", "2_2"];
    elements
        .iter()
        .any(|element| cards.get_f64(&format!("{root}{element}")).is_some())
}

/// Returns the inverse of a matrix.
pub(crate) fn inverse([[a, b], [c, d]]: &[[f64; 2]; 2]) -> Result<[[f64; 2]; 2], WcsError> {
    let determinant = a * d - b * c;
    if determinant == 0.0 || !determinant.is_finite() {
        return Err(WcsError::NoInverse);
    }
    Ok([
        [d / determinant, -b / determinant],
        [-c / determinant, a / determinant],
    ])
}

/// Reads the coefficients that a header has: `A_0_2`, …, up to the order that it gives.
fn header_polynomial(cards: &Metadata, root: &str) -> Polynomial {
    let order = cards
        .get_i64(&format!("{root}ORDER"))
        .unwrap_or(0)
        .clamp(0, 9) as u32;
    let mut polynomial = Vec::new();
    for p in 0..=order {
        for q in 0..=order - p {
            let value = cards.get_f64(&format!("{root}{p}_{q}")).unwrap_or(0.0);
            if value != 0.0 {
                polynomial.push((p, q, value));
            }
        }
    }
    polynomial
}

/// Reads the coefficients of a record: a square matrix by columns.
fn record_polynomial(rows: &RecordRows, name: &str) -> Polynomial {
    let values = rows.get_floats(0, name).unwrap_or_default();
    let size = values.len().isqrt();
    let placed = values
        .into_iter()
        .enumerate()
        .filter(|(_, value)| *value != 0.0);
    placed
        .map(|(index, value)| ((index % size) as u32, (index / size) as u32, value))
        .collect()
}

/// Reads a pair that is one column of two in some files and two columns in others.
fn pair(rows: &RecordRows, name: &str) -> Option<(f64, f64)> {
    if let Some(values) = rows.get_floats(0, name) {
        return (values.len() == 2).then(|| (values[0], values[1]));
    }
    Some((
        rows.get_f64(0, &format!("{name}_x"))?,
        rows.get_f64(0, &format!("{name}_y"))?,
    ))
}
