//! The functions of two variables that kernels are made of, and with which they change over an image.
//!
//! | class of the record | columns | value |
//! | --- | --- | --- |
//! | `GaussianFunction2D` | `sigma1`, `sigma2`, `angle` | Gaussian with axes at `angle` (radians from x to y), integral 1 |
//! | `DoubleGaussianFunction2D` | `sigma1`, `sigma2`, `ampl2` | two round Gaussians, the second `ampl2` as high as the first, integral 1 |
//! | `PolynomialFunction2D` | `coefficients` | Σ c xᵖ yᑫ |
//! | `Chebyshev1Function2D` | `coefficients`, `min`, `max` | Σ c Tp(x′) Tq(y′) with x′, y′ from -1 to 1 between `min` and `max` |
//!
//! Coefficients are ordered (p, q) = (0,0), (1,0), (0,1), (2,0), (1,1), (0,2), …: all of one order, then the next. Classes
//! that end in `F` are the same with single precision. Tp are Chebyshev polynomials of the first kind.

use std::f64::consts::TAU;

use crate::archive::ArchiveObject;
use crate::decode::{DecodeError, Row};

/// A function of two variables.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Function {
    Gaussian {
        sigma1: f64,
        sigma2: f64,
        angle: f64,
    },
    DoubleGaussian {
        sigma1: f64,
        sigma2: f64,
        ampl2: f64,
    },
    Polynomial(Vec<f64>),
    Chebyshev {
        coefficients: Vec<f64>,
        min: (f64, f64),
        max: (f64, f64),
    },
}

impl Function {
    /// Decodes a record.
    pub(crate) fn read(object: &ArchiveObject) -> Result<Function, DecodeError> {
        let row = Row::only(object, 0)?;
        let class = object.class();
        let function = match class.strip_suffix(['D', 'F']).unwrap_or(class) {
            "GaussianFunction2" => Function::Gaussian {
                sigma1: row.finite("sigma1")?,
                sigma2: row.finite("sigma2")?,
                angle: row.finite("angle")?,
            },
            "DoubleGaussianFunction2" => Function::DoubleGaussian {
                sigma1: row.finite("sigma1")?,
                sigma2: row.finite("sigma2")?,
                ampl2: row.finite("ampl2")?,
            },
            "PolynomialFunction2" => {
                Function::Polynomial(triangle(class, row.finites("coefficients")?)?)
            }
            "Chebyshev1Function2" => Function::Chebyshev {
                coefficients: triangle(class, row.finites("coefficients")?)?,
                min: row.real_point("min")?,
                max: row.real_point("max")?,
            },
            _ => {
                return Err(DecodeError::unsupported(
                    class,
                    "it knows no function of this class",
                ));
            }
        };
        Ok(function)
    }

    /// Returns the number of parameters that may change over an image.
    pub(crate) fn parameters(&self) -> usize {
        match self {
            Function::Gaussian { .. } | Function::DoubleGaussian { .. } => 3,
            Function::Polynomial(coefficients) | Function::Chebyshev { coefficients, .. } => {
                coefficients.len()
            }
        }
    }

    /// Returns the function with other parameters, of which there must be as many.
    pub(crate) fn with_parameters(&self, parameters: &[f64]) -> Function {
        match (self, parameters) {
            (Function::Gaussian { .. }, [sigma1, sigma2, angle]) => Function::Gaussian {
                sigma1: *sigma1,
                sigma2: *sigma2,
                angle: *angle,
            },
            (Function::DoubleGaussian { .. }, [sigma1, sigma2, ampl2]) => {
                Function::DoubleGaussian {
                    sigma1: *sigma1,
                    sigma2: *sigma2,
                    ampl2: *ampl2,
                }
            }
            (Function::Polynomial(_), _) => Function::Polynomial(parameters.to_vec()),
            (Function::Chebyshev { min, max, .. }, _) => Function::Chebyshev {
                coefficients: parameters.to_vec(),
                min: *min,
                max: *max,
            },
            _ => self.clone(),
        }
    }

    /// Returns the value at a point.
    pub(crate) fn value(&self, x: f64, y: f64) -> f64 {
        match self {
            Function::Gaussian {
                sigma1,
                sigma2,
                angle,
            } => {
                let (sin, cos) = angle.sin_cos();
                let (along, across) = ((cos * x + sin * y) / sigma1, (cos * y - sin * x) / sigma2);
                (-(along * along + across * across) / 2.0).exp() / (TAU * sigma1 * sigma2)
            }
            Function::DoubleGaussian {
                sigma1,
                sigma2,
                ampl2,
            } => {
                let square = x * x + y * y;
                let (first, second) = (sigma1 * sigma1, sigma2 * sigma2);
                // Where the second has no height, its width may be 0 as well.
                let outer = match *ampl2 {
                    0.0 => 0.0,
                    height => height * (-square / (2.0 * second)).exp(),
                };
                ((-square / (2.0 * first)).exp() + outer) / (TAU * (first + ampl2 * second))
            }
            Function::Polynomial(coefficients) => {
                let powers = |value: f64, order| {
                    let next = move |power: &f64| Some(power * value);
                    std::iter::successors(Some(1.0), next).take(order)
                };
                sum_of_terms(coefficients, |order| {
                    (powers(x, order).collect(), powers(y, order).collect())
                })
            }
            Function::Chebyshev {
                coefficients,
                min,
                max,
            } => sum_of_terms(coefficients, |order| {
                (
                    chebyshev(scaled(x, min.0, max.0), order),
                    chebyshev(scaled(y, min.1, max.1), order),
                )
            }),
        }
    }
}

/// Returns where a value lies between two others, as a number from -1 to 1.
pub(crate) fn scaled(value: f64, min: f64, max: f64) -> f64 {
    (2.0 * value - (min + max)) / (max - min)
}

/// Returns the first Chebyshev polynomials of the first kind at a point: T₀ = 1, T₁ = x, Tₙ₊₁ = 2 x Tₙ - Tₙ₋₁.
pub(crate) fn chebyshev(x: f64, count: usize) -> Vec<f64> {
    let mut values: Vec<f64> = Vec::with_capacity(count);
    for index in 0..count {
        let next = match index {
            0 => 1.0,
            1 => x,
            _ => 2.0 * x * values[index - 1] - values[index - 2],
        };
        values.push(next);
    }
    values
}

/// Returns the order of a polynomial with so many coefficients; `None` if no polynomial has so many.
fn order_of(coefficients: usize) -> Option<usize> {
    let mut order = 0;
    while (order + 1) * (order + 2) / 2 < coefficients {
        order += 1;
    }
    ((order + 1) * (order + 2) / 2 == coefficients).then_some(order)
}

fn triangle(class: &str, coefficients: Vec<f64>) -> Result<Vec<f64>, DecodeError> {
    match order_of(coefficients.len()) {
        Some(_) => Ok(coefficients),
        None => Err(DecodeError::damaged(
            class,
            format!("no polynomial has {} coefficients", coefficients.len()),
        )),
    }
}

/// Sums coefficients times the terms of x and of y, which `terms` gives for as many powers as it is asked for.
fn sum_of_terms(coefficients: &[f64], terms: impl Fn(usize) -> (Vec<f64>, Vec<f64>)) -> f64 {
    let order = order_of(coefficients.len()).unwrap_or(0);
    let (of_x, of_y) = terms(order + 1);
    let mut sum = 0.0;
    let mut rest = coefficients.iter();
    for total in 0..=order {
        for q in 0..=total {
            let coefficient = rest.next().copied().unwrap_or(0.0);
            sum += coefficient * of_x[total - q] * of_y[q];
        }
    }
    sum
}
