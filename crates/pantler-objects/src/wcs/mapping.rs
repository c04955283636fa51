//! Evaluates the mappings of the Starlink AST library that occur in coordinate systems of the LSST stack.
//!
//! | class | what it does to a point |
//! | --- | --- |
//! | `UnitMap`, `ZoomMap`, `ShiftMap`, `WinMap`, `MatrixMap` | nothing, or a linear change |
//! | `PolyMap` | a polynomial for each output, and another one for the way back |
//! | `SphMap` | a direction in space to longitude and latitude |
//! | `WcsMap` | longitude and latitude to a plane; only the gnomonic projection (`TAN`) |
//! | `CmpMap` | one after the other, or side by side |
//! | `FrameSet` | from its base frame to its current one |
//!
//! Each can be used backwards. In a compound the flags `InvA` and `InvB` say how a part is used, whatever the part's own
//! `Invert` says. Angles are radians, as in AST. A point that a mapping cannot map becomes NaN.

use super::WcsError;
use super::ast::Dumped;

/// How many coordinates a point may have; the sky needs three.
const MOST_AXES: usize = 16;

/// How many terms a polynomial may have: those of degree 30 in two variables.
const MOST_TERMS: usize = 512;

/// A change of coordinates that can be evaluated, in the direction in which it is used.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Mapping {
    /// One after the other.
    Series(Vec<Mapping>),
    /// Side by side: the first takes that many coordinates, the second the rest.
    Parallel(usize, Box<Mapping>, Box<Mapping>),
    /// Factor and shift for each coordinate.
    Scale(Vec<(f64, f64)>),
    /// A matrix of rows.
    Matrix(Vec<Vec<f64>>),
    /// A polynomial for each output.
    Polynomial(Vec<Vec<Term>>),
    /// Direction to longitude and latitude, with the longitude to use at the poles.
    ToSphere(f64),
    /// Longitude and latitude to direction.
    FromSphere,
    /// Longitude and latitude to the tangent plane.
    ToPlane,
    /// Tangent plane to longitude and latitude.
    FromPlane,
}

/// A coefficient with the power of each coordinate.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Term {
    coefficient: f64,
    powers: Vec<i32>,
}

impl Mapping {
    /// Makes the mapping of a dump, used backwards if `inverted`.
    pub(crate) fn read(dumped: &Dumped, inverted: bool) -> Result<Mapping, WcsError> {
        let inputs = dumped.count("Nin", 1, MOST_AXES)?;
        let outputs = dumped.count("Nout", inputs, MOST_AXES)?;
        match dumped.class.as_str() {
            "CmpMap" => read_compound(dumped, inverted),
            "FrameSet" => read_frame_set(dumped, inverted),
            "UnitMap" => Ok(Mapping::Series(Vec::new())),
            "ZoomMap" => {
                let zoom = dumped.number("Zoom", 1.0)?;
                scale(vec![(zoom, 0.0); inputs], inverted)
            }
            "ShiftMap" | "WinMap" => {
                let axis = |axis| {
                    let factor = dumped.number(&format!("Scl{axis}"), 1.0)?;
                    Ok((factor, dumped.number(&format!("Sft{axis}"), 0.0)?))
                };
                let axes: Result<Vec<(f64, f64)>, WcsError> = (1..=inputs).map(axis).collect();
                scale(axes?, inverted)
            }
            "MatrixMap" => read_matrix(dumped, inputs, outputs, inverted),
            "PolyMap" if inverted => read_polynomial(dumped, 'I', outputs, inputs),
            "PolyMap" => read_polynomial(dumped, 'F', inputs, outputs),
            "SphMap" if inverted => Ok(Mapping::FromSphere),
            "SphMap" => Ok(Mapping::ToSphere(dumped.number("PlrLg", 0.0)?)),
            "WcsMap" => read_projection(dumped, inverted),
            other => Err(WcsError::Unsupported {
                what: format!("the AST class {other}"),
            }),
        }
    }

    /// Returns where the origin of the plane of a gnomonic projection goes, if the mapping ends in one and what follows it.
    pub(crate) fn tangent_point(&self) -> Option<Vec<f64>> {
        let Mapping::Series(parts) = self else {
            return (*self == Mapping::FromPlane).then(|| self.map(&[0.0, 0.0]));
        };
        parts.iter().enumerate().find_map(|(index, part)| {
            let start = part.tangent_point()?;
            let rest = parts.iter().skip(index + 1);
            Some(rest.fold(start, |point, part| part.map(&point)))
        })
    }

    /// Maps a point.
    pub(crate) fn map(&self, point: &[f64]) -> Vec<f64> {
        match self {
            Mapping::Series(parts) => {
                let start = point.to_vec();
                parts.iter().fold(start, |point, part| part.map(&point))
            }
            Mapping::Parallel(inputs, first, second) => {
                let (ours, theirs) = point.split_at((*inputs).min(point.len()));
                let mut mapped = first.map(ours);
                mapped.extend(second.map(theirs));
                mapped
            }
            Mapping::Scale(axes) => {
                let pairs = axes.iter().zip(point);
                pairs
                    .map(|((factor, shift), value)| factor * value + shift)
                    .collect()
            }
            Mapping::Matrix(rows) => {
                let product = |row: &Vec<f64>| row.iter().zip(point).map(|(a, b)| a * b).sum();
                rows.iter().map(product).collect()
            }
            Mapping::Polynomial(outputs) => outputs.iter().map(|terms| sum(terms, point)).collect(),
            Mapping::ToSphere(polar) => match point {
                [x, y, z] => {
                    let across = x.hypot(*y);
                    let longitude = if across == 0.0 { *polar } else { y.atan2(*x) };
                    vec![longitude, z.atan2(across)]
                }
                _ => vec![f64::NAN; 2],
            },
            Mapping::FromSphere => match point {
                [longitude, latitude] => {
                    let across = latitude.cos();
                    vec![
                        across * longitude.cos(),
                        across * longitude.sin(),
                        latitude.sin(),
                    ]
                }
                _ => vec![f64::NAN; 3],
            },
            Mapping::ToPlane => match point {
                // The plane touches the sphere at its north pole; the other half cannot be seen from the centre.
                [longitude, latitude] if latitude.sin() > 0.0 => {
                    let radius = latitude.cos() / latitude.sin();
                    vec![radius * longitude.sin(), -radius * longitude.cos()]
                }
                _ => vec![f64::NAN; 2],
            },
            Mapping::FromPlane => match point {
                [x, y] => {
                    let radius = x.hypot(*y);
                    let longitude = if radius == 0.0 { 0.0 } else { x.atan2(-y) };
                    vec![longitude, 1.0_f64.atan2(radius)]
                }
                _ => vec![f64::NAN; 2],
            },
        }
    }
}

fn sum(terms: &[Term], point: &[f64]) -> f64 {
    let value = |term: &Term| {
        let powers = term.powers.iter().zip(point);
        powers.fold(term.coefficient, |product, (power, value)| {
            product * value.powi(*power)
        })
    };
    terms.iter().map(value).sum()
}

fn required<'a>(dumped: &'a Dumped, name: &str) -> Result<&'a Dumped, WcsError> {
    dumped.object(name).ok_or_else(|| WcsError::Damaged {
        what: format!("{} has no {name}", dumped.class),
    })
}

fn scale(axes: Vec<(f64, f64)>, inverted: bool) -> Result<Mapping, WcsError> {
    if !inverted {
        return Ok(Mapping::Scale(axes));
    }
    if axes.iter().any(|(factor, _)| *factor == 0.0) {
        return Err(WcsError::NoInverse);
    }
    let back = axes
        .into_iter()
        .map(|(factor, shift)| (1.0 / factor, -shift / factor));
    Ok(Mapping::Scale(back.collect()))
}

fn read_compound(dumped: &Dumped, inverted: bool) -> Result<Mapping, WcsError> {
    let (first, second) = (required(dumped, "MapA")?, required(dumped, "MapB")?);
    let first_inverted = dumped.flag("InvA")? != inverted;
    let second_inverted = dumped.flag("InvB")? != inverted;
    let a = Mapping::read(first, first_inverted)?;
    let b = Mapping::read(second, second_inverted)?;
    if dumped.number("Series", 1.0)? != 0.0 {
        return Ok(Mapping::Series(if inverted {
            vec![b, a]
        } else {
            vec![a, b]
        }));
    }
    let inputs = first.count("Nin", 1, MOST_AXES)?;
    let taken = match first_inverted {
        true => first.count("Nout", inputs, MOST_AXES)?,
        false => inputs,
    };
    Ok(Mapping::Parallel(taken, Box::new(a), Box::new(b)))
}

/// Reads a matrix by rows: `M0`, `M1`, … forwards, `IM0`, … backwards.
fn read_matrix(
    dumped: &Dumped,
    inputs: usize,
    outputs: usize,
    inverted: bool,
) -> Result<Mapping, WcsError> {
    let form = dumped.text("Form").unwrap_or("Full");
    let (prefix, columns, rows) = match inverted {
        false => ("M", inputs, outputs),
        true => ("IM", outputs, inputs),
    };
    let element = |prefix: &str, index: usize| {
        let name = format!("{prefix}{index}");
        dumped.find_number(&name)?.ok_or(WcsError::NoInverse)
    };
    match form {
        "Unit" => Ok(Mapping::Series(Vec::new())),
        "Diagonal" => {
            let axis = |index| Ok((element("M", index)?, 0.0));
            let axes: Result<Vec<(f64, f64)>, WcsError> =
                (0..inputs.min(outputs)).map(axis).collect();
            scale(axes?, inverted)
        }
        "Full" => {
            let row = |row: usize| {
                let elements = (0..columns).map(|column| element(prefix, row * columns + column));
                elements.collect::<Result<Vec<f64>, WcsError>>()
            };
            let rows: Result<Vec<Vec<f64>>, WcsError> = (0..rows).map(row).collect();
            Ok(Mapping::Matrix(rows?))
        }
        other => Err(WcsError::Unsupported {
            what: format!("a MatrixMap of the form {other}"),
        }),
    }
}

/// Reads a polynomial: `NCF1` terms for the first output, with coefficients `CF1`, … and powers `PF1`, … (all inputs of
/// the first term, then of the second); with `I` instead of `F` for the way back.
fn read_polynomial(
    dumped: &Dumped,
    way: char,
    inputs: usize,
    outputs: usize,
) -> Result<Mapping, WcsError> {
    if way == 'I' && dumped.flag("IterInv")? {
        return Err(WcsError::Unsupported {
            what: "a PolyMap whose inverse is found by iteration".to_owned(),
        });
    }
    let (mut polynomials, mut index) = (Vec::with_capacity(outputs), 0);
    for output in 1..=outputs {
        let count = dumped.count(&format!("NC{way}{output}"), 0, MOST_TERMS)?;
        let mut terms = Vec::with_capacity(count);
        for _ in 0..count {
            let name = format!("C{way}{}", index + 1);
            let coefficient = dumped
                .find_number(&name)?
                .ok_or_else(|| WcsError::Damaged {
                    what: format!("PolyMap has no {name}"),
                })?;
            let power = |input| {
                let name = format!("P{way}{}", index * inputs + input + 1);
                dumped.count(&name, 0, 99).map(|power| power as i32)
            };
            let powers: Result<Vec<i32>, WcsError> = (0..inputs).map(power).collect();
            terms.push(Term {
                coefficient,
                powers: powers?,
            });
            index += 1;
        }
        polynomials.push(terms);
    }
    if index == 0 {
        return Err(WcsError::NoInverse);
    }
    Ok(Mapping::Polynomial(polynomials))
}

fn read_projection(dumped: &Dumped, inverted: bool) -> Result<Mapping, WcsError> {
    let kind = dumped.text("Type").unwrap_or("");
    let axes = (
        dumped.count("WcsAx1", 1, MOST_AXES)?,
        dumped.count("WcsAx2", 2, MOST_AXES)?,
    );
    if kind != "TAN" || axes != (1, 2) {
        return Err(WcsError::Unsupported {
            what: format!("the projection {kind:?} of the axes {axes:?}"),
        });
    }
    Ok(match inverted {
        false => Mapping::ToPlane,
        true => Mapping::FromPlane,
    })
}

/// A step from a node of a frame set to its neighbour.
fn node_step(frames: &Dumped, node: usize, backwards: bool) -> Result<Mapping, WcsError> {
    let map = required(frames, &format!("Map{node}"))?;
    let inverted = frames.flag(&format!("Inv{node}"))?;
    Mapping::read(map, inverted != backwards)
}

/// Returns the nodes from `node` up to the root, the node itself first.
fn path_to_root(frames: &Dumped, mut node: usize, nodes: usize) -> Result<Vec<usize>, WcsError> {
    let mut path = vec![node];
    while node != 1 {
        node = frames.count(&format!("Lnk{node}"), 0, nodes)?;
        if node == 0 || path.contains(&node) {
            return Err(WcsError::Damaged {
                what: "the nodes of the FrameSet are not connected".to_owned(),
            });
        }
        path.push(node);
    }
    Ok(path)
}

/// Reads the way from the base frame to the current one: up from the one to the node that both have in common, and down to
/// the other.
fn read_frame_set(frames: &Dumped, inverted: bool) -> Result<Mapping, WcsError> {
    const MOST_FRAMES: usize = 64;
    let count = frames.count("Nframe", 1, MOST_FRAMES)?;
    let nodes = frames.count("Nnode", count, MOST_FRAMES)?;
    let node_of = |frame: usize| frames.count(&format!("Nod{frame}"), frame, nodes);
    let mut base = node_of(frames.count("Base", 1, count)?)?;
    let mut current = node_of(frames.count("Currnt", count, count)?)?;
    // A frame set of its own is inverted by swapping the two; inside a compound `inverted` says so.
    if inverted {
        std::mem::swap(&mut base, &mut current);
    }
    let up = path_to_root(frames, base, nodes)?;
    let down = path_to_root(frames, current, nodes)?;
    let mut steps = Vec::new();
    for node in up.iter().take_while(|node| !down.contains(node)) {
        steps.push(node_step(frames, *node, true)?);
    }
    let below: Vec<&usize> = down.iter().take_while(|node| !up.contains(node)).collect();
    for node in below.into_iter().rev() {
        steps.push(node_step(frames, *node, false)?);
    }
    Ok(Mapping::Series(steps))
}
