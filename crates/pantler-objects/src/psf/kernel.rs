//! Kernels: small images around a central pixel, which may change over the parent image.
//!
//! | class of the record | columns beside `dimensions` and `center` | image at a position |
//! | --- | --- | --- |
//! | `FixedKernel` | `image` (row by row) | the same everywhere |
//! | `AnalyticKernel` | `kernelfunction` (id), `spatialfunctions` (ids) | a function of the distance from the centre; its parameters are functions of the position |
//! | `LinearCombinationKernel` | `components` (ids), `amplitudes` or `spatialfunctions` (ids) | the components, each times a number or a function of the position |
//!
//! The records of Gaussians (`dimensions`, `sigma`, …) are read as analytic kernels.

use super::function::Function;
use super::{Unnormalised, checked_size};
use crate::archive::{Archive, ArchiveObject, Persisted};
use crate::decode::{DecodeError, Row};

/// All components of a kernel together have no more pixels than this, so that a record that names one component many
/// times takes no more memory than a file could.
const MOST_PIXELS_OF_ALL: usize = 1 << 24;

/// A kernel.
#[derive(Debug, Clone)]
pub(crate) struct Kernel {
    size: (usize, usize),
    centre: (i64, i64),
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Fixed(Vec<f64>),
    Analytic {
        function: Function,
        /// One for each parameter of the function; none if it is the same everywhere.
        spatial: Vec<Function>,
    },
    Combination {
        components: Vec<Kernel>,
        weights: Weights,
    },
}

#[derive(Debug, Clone)]
enum Weights {
    Numbers(Vec<f64>),
    Functions(Vec<Function>),
}

impl Kernel {
    /// Makes a kernel of the record of a `GaussianPsf` or a `SingleGaussianPsf`.
    pub(crate) fn gaussian(object: &ArchiveObject) -> Result<Kernel, DecodeError> {
        let sigma = positive(object, "sigma")?;
        let function = Function::Gaussian {
            sigma1: sigma,
            sigma2: sigma,
            angle: 0.0,
        };
        Kernel::round(object, function)
    }

    /// Makes a kernel of the record of a `DoubleGaussianPsf`.
    pub(crate) fn double_gaussian(object: &ArchiveObject) -> Result<Kernel, DecodeError> {
        let row = Row::only(object, 0)?;
        let ampl2 = row.finite("b")?;
        let sigma2 = match ampl2 {
            0.0 => row.finite("sigma2")?,
            _ => positive(object, "sigma2")?,
        };
        let function = Function::DoubleGaussian {
            sigma1: positive(object, "sigma1")?,
            sigma2,
            ampl2,
        };
        Kernel::round(object, function)
    }

    fn round(object: &ArchiveObject, function: Function) -> Result<Kernel, DecodeError> {
        let dimensions = Row::only(object, 0)?.point("dimensions")?;
        let size = checked_size(object.class(), dimensions)?;
        Ok(Kernel {
            size,
            centre: ((dimensions.0 - 1) / 2, (dimensions.1 - 1) / 2),
            kind: Kind::Analytic {
                function,
                spatial: Vec::new(),
            },
        })
    }

    /// Makes a kernel of the record of a `KernelPsf` or a `PcaPsf`, with the mean position of its stars.
    pub(crate) fn of_psf(record: &Persisted) -> Result<(Kernel, (f64, f64)), DecodeError> {
        let row = Row::only(record.object(), 0)?;
        let archive = record.archive();
        let kernel = part(archive, record.class(), row.integer("kernel")?)?;
        let average = row.real_point("averagePosition")?;
        Ok((Kernel::read(archive, kernel, true)?, average))
    }

    /// Decodes a record; components of a combination must be no combinations.
    fn read(
        archive: &Archive,
        object: &ArchiveObject,
        may_combine: bool,
    ) -> Result<Kernel, DecodeError> {
        let row = Row::only(object, 0)?;
        let class = object.class();
        let size = checked_size(class, row.point("dimensions")?)?;
        let centre = row.point("center")?;
        let inside = |at: i64, size: usize| (0..size as i64).contains(&at);
        if !inside(centre.0, size.0) || !inside(centre.1, size.1) {
            let why = format!("its centre ({}, {}) is outside of it", centre.0, centre.1);
            return Err(DecodeError::damaged(class, why));
        }
        let kind = match class {
            "FixedKernel" => {
                let values = row.finites("image")?;
                if values.len() != size.0 * size.1 {
                    let why = format!("{} pixels are no {}x{}", values.len(), size.0, size.1);
                    return Err(DecodeError::damaged(class, why));
                }
                Kind::Fixed(values)
            }
            "AnalyticKernel" => {
                let id = row.integer("kernelfunction")?;
                let function = Function::read(part(archive, class, id)?)?;
                let spatial = functions(archive, class, &row)?.unwrap_or_default();
                if !spatial.is_empty() && spatial.len() != function.parameters() {
                    let (have, want) = (spatial.len(), function.parameters());
                    let why = format!("{have} functions of the position for {want} parameters");
                    return Err(DecodeError::damaged(class, why));
                }
                Kind::Analytic { function, spatial }
            }
            "LinearCombinationKernel" if may_combine => {
                Kernel::combination(archive, class, &row, size)?
            }
            _ => {
                return Err(DecodeError::unsupported(
                    class,
                    "it knows no kernel of this class",
                ));
            }
        };
        Ok(Kernel { size, centre, kind })
    }

    fn combination(
        archive: &Archive,
        class: &str,
        row: &Row<'_>,
        size: (usize, usize),
    ) -> Result<Kind, DecodeError> {
        let ids = row.integers("components")?;
        let pixels = ids.len().checked_mul(size.0 * size.1);
        if pixels.is_none_or(|pixels| pixels > MOST_PIXELS_OF_ALL) {
            let why = format!(
                "{} components of {}x{} are too many",
                ids.len(),
                size.0,
                size.1
            );
            return Err(DecodeError::damaged(class, why));
        }
        let weights = match functions(archive, class, row)? {
            Some(functions) => Weights::Functions(functions),
            None => Weights::Numbers(row.finites("amplitudes")?),
        };
        let count = match &weights {
            Weights::Numbers(numbers) => numbers.len(),
            Weights::Functions(functions) => functions.len(),
        };
        if count != ids.len() {
            let why = format!("{count} weights for {} components", ids.len());
            return Err(DecodeError::damaged(class, why));
        }
        let mut components = Vec::with_capacity(ids.len());
        for id in ids {
            let component = Kernel::read(archive, part(archive, class, id.into())?, false)?;
            if component.size != size {
                let why = "its components have another size than it has";
                return Err(DecodeError::damaged(class, why));
            }
            components.push(component);
        }
        Ok(Kind::Combination {
            components,
            weights,
        })
    }

    /// Says whether it changes over the parent image.
    pub(crate) fn is_varying(&self) -> bool {
        match &self.kind {
            Kind::Fixed(_) => false,
            Kind::Analytic { spatial, .. } => !spatial.is_empty(),
            Kind::Combination {
                weights,
                components,
            } => {
                matches!(weights, Weights::Functions(_))
                    || components.iter().any(Kernel::is_varying)
            }
        }
    }

    /// Computes its image at a position of the parent image.
    pub(crate) fn pixels(&self, x: f64, y: f64) -> Result<Unnormalised, DecodeError> {
        Ok(Unnormalised {
            values: self.values(x, y),
            size: self.size,
            centre: self.centre,
        })
    }

    fn values(&self, x: f64, y: f64) -> Vec<f64> {
        match &self.kind {
            Kind::Fixed(values) => values.clone(),
            Kind::Analytic { function, spatial } => {
                let parameters: Vec<f64> = spatial.iter().map(|each| each.value(x, y)).collect();
                let here = match parameters.is_empty() {
                    true => function.clone(),
                    false => function.with_parameters(&parameters),
                };
                let rows = 0..self.size.1 as i64;
                rows.flat_map(|row| (0..self.size.0 as i64).map(move |column| (column, row)))
                    .map(|(column, row)| {
                        here.value(
                            (column - self.centre.0) as f64,
                            (row - self.centre.1) as f64,
                        )
                    })
                    .collect()
            }
            Kind::Combination {
                components,
                weights,
            } => {
                let mut sum = vec![0.0; self.size.0 * self.size.1];
                for (index, component) in components.iter().enumerate() {
                    let weight = match weights {
                        Weights::Numbers(numbers) => numbers[index],
                        Weights::Functions(functions) => functions[index].value(x, y),
                    };
                    let values = component.values(x, y);
                    for (total, value) in sum.iter_mut().zip(values) {
                        *total += weight * value;
                    }
                }
                sum
            }
        }
    }
}

fn positive(object: &ArchiveObject, column: &str) -> Result<f64, DecodeError> {
    let row = Row::only(object, 0)?;
    let value = row.finite(column)?;
    if value > 0.0 {
        return Ok(value);
    }
    Err(DecodeError::damaged(
        object.class(),
        format!("its {column} is {value}"),
    ))
}

/// Returns an object that a record refers to.
fn part<'a>(archive: &'a Archive, class: &str, id: i64) -> Result<&'a ArchiveObject, DecodeError> {
    let found = i32::try_from(id).ok().and_then(|id| archive.get(id));
    match found {
        Some(object) => Ok(object),
        None => Err(DecodeError::damaged(
            class,
            format!("it refers to the object {id}, which is not there"),
        )),
    }
}

/// Returns the functions of the position that a kernel has; `None` if it has no such column.
fn functions(
    archive: &Archive,
    class: &str,
    row: &Row<'_>,
) -> Result<Option<Vec<Function>>, DecodeError> {
    if !row.has("spatialfunctions") {
        return Ok(None);
    }
    let ids = row.integers("spatialfunctions")?;
    let read = |id: i32| Function::read(part(archive, class, id.into())?);
    ids.into_iter()
        .map(read)
        .collect::<Result<_, _>>()
        .map(Some)
}
