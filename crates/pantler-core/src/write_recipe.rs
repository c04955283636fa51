//! Write recipes: how the planes of an image are compressed, as a policy's `recipes` section says it.
//!
//! ```yaml
//! recipes:
//!   small:
//!     image:    {compression: {algorithm: RICE_1, quantizeLevel: 16, dither: SUBTRACTIVE_DITHER_1, seed: 42, tile: [64, 64]}}
//!     mask:     {compression: {algorithm: RICE_1}}
//! ```
//!
//! The settings are those of the field's own recipes (`image.compression.algorithm: GZIP_SHUFFLE`, `scaling.algorithm:
//! STDEV_POSITIVE`, `scaling.quantizeLevel`, `rows`, …) and some that name what the FITS standard has beside them. A setting
//! without a plane in front counts for all planes. The codec alone may stand for all of it: `small: RICE_1`, `compression:
//! GZIP_2`, `image: GZIP_2`. Policies are checked with [`WriteRecipe::of_settings`], formatters write
//! by what it returns; it knows of no file.

use crate::similar::most_similar;

/// How each plane of an image is written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WriteRecipe {
    /// The pixels.
    pub image: Compression,
    /// The mask.
    pub mask: Compression,
    /// The variance.
    pub variance: Compression,
}

/// How pixels are compressed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Compression {
    /// The codec; `None` leaves the pixels as they are.
    pub algorithm: Option<Algorithm>,
    /// How floating-point numbers are rounded; `None` keeps every bit. Integers are never rounded.
    pub quantize: Option<Quantize>,
    /// The size of a tile in pixels, columns first; 0 is the whole length. `None` is one row.
    pub tile: Option<(u64, u64)>,
}

/// A codec for tiles of pixels (FITS standard 4.0, section 10.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// `RICE_1`.
    Rice,
    /// `GZIP_1`.
    Gzip,
    /// `GZIP_2`: the bytes of equal weight together.
    Gzip2,
}

/// How floating-point numbers are rounded to integers (FITS standard 4.0, section 10.2).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantize {
    /// The noise of a tile divided by the step; larger is finer.
    pub level: f32,
    /// Whether a random fraction is added before rounding and taken away on reading (`SUBTRACTIVE_DITHER_1`).
    pub dither: bool,
    /// Where the random numbers start, from 1 to 10000; `None` computes it from the pixels.
    pub seed: Option<u16>,
}

impl Default for Quantize {
    /// As cfitsio does: a quarter of the noise, dithered, with a seed computed from the pixels.
    fn default() -> Quantize {
        Quantize {
            level: 4.0,
            dither: true,
            seed: None,
        }
    }
}

/// The recipes that need no definition.
pub const BUILT_IN: [&str; 5] = ["none", "plain", "default", "lossless", "lossy"];

/// A setting of a recipe that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SettingError {
    /// Its number among the settings.
    pub number: usize,
    /// What is wrong.
    pub message: String,
    /// What may have been meant.
    pub meant: Option<String>,
}

const PLANES: [&str; 3] = ["image", "mask", "variance"];

/// The settings, without the plane in front. `bitpix`, `maskPlanes` and `quantizePad` of the field's recipes say how its own
/// software computes a scaling, and change nothing here.
const SETTINGS: [&str; 20] = [
    "algorithm",
    "compression",
    "compression.algorithm",
    "compression.rows",
    "compression.columns",
    "compression.tile",
    "compression.quantizeLevel",
    "compression.dither",
    "compression.seed",
    "scaling.algorithm",
    "scaling.quantizeLevel",
    "scaling.fuzz",
    "scaling.seed",
    "scaling.bitpix",
    "scaling.maskPlanes",
    "scaling.quantizePad",
    "quantizeLevel",
    "dither",
    "seed",
    "tile",
];

const ALGORITHMS: [&str; 7] = [
    "NONE",
    "GZIP",
    "GZIP_1",
    "GZIP_2",
    "GZIP_SHUFFLE",
    "RICE",
    "RICE_1",
];

const SCALINGS: [&str; 4] = ["NONE", "STDEV_BOTH", "STDEV_POSITIVE", "STDEV_NEGATIVE"];

const DITHERS: [&str; 2] = ["SUBTRACTIVE_DITHER_1", "NO_DITHER"];

impl WriteRecipe {
    /// Returns a recipe that needs no definition; `None` if there is none of this name.
    pub fn built_in(name: &str) -> Option<WriteRecipe> {
        let all = |floats: Compression, mask: Compression| WriteRecipe {
            image: floats.clone(),
            mask,
            variance: floats,
        };
        let with = |algorithm, quantize| Compression {
            algorithm: Some(algorithm),
            quantize,
            tile: None,
        };
        match name {
            "none" | "plain" | "default" => Some(WriteRecipe::default()),
            "lossless" => {
                let lossless = with(Algorithm::Gzip2, None);
                Some(all(lossless.clone(), lossless))
            }
            "lossy" => {
                let lossy = with(Algorithm::Rice, Some(Quantize::default()));
                Some(all(lossy, with(Algorithm::Rice, None)))
            }
            _ => None,
        }
    }

    /// Reads the settings of a recipe, nested keys joined by dots; all that mean nothing are named.
    pub fn of_settings(settings: &[(String, String)]) -> Result<WriteRecipe, Vec<SettingError>> {
        let mut planes: [Settings; 3] = Default::default();
        let mut errors = Vec::new();
        for (number, (key, value)) in settings.iter().enumerate() {
            let (plane, name) = match key.split_once('.') {
                Some((plane, name)) if PLANES.contains(&plane) => (Some(plane), name),
                // `image: RICE_1`
                None if PLANES.contains(&key.as_str()) => (Some(key.as_str()), "compression"),
                _ => (None, key.as_str()),
            };
            let meant = PLANES.iter().zip(&mut planes);
            let mut meant = meant.filter(|(known, _)| plane.is_none_or(|plane| plane == **known));
            let refused = meant.find_map(|(_, plane)| plane.set(name, key, value).err());
            errors.extend(refused.map(|(message, meant)| SettingError {
                number,
                message,
                meant,
            }));
        }
        let [image, mask, variance] = planes.map(Settings::compression);
        if errors.is_empty() {
            Ok(WriteRecipe {
                image,
                mask,
                variance,
            })
        } else {
            Err(errors)
        }
    }
}

type Refusal = (String, Option<String>);

/// The settings of one plane, as far as they were read.
#[derive(Default)]
struct Settings {
    algorithm: Option<Algorithm>,
    /// The level of rounding; 0 is no rounding.
    level: Option<f32>,
    scaled: bool,
    dither: Option<bool>,
    seed: Option<u16>,
    tile: Option<(u64, u64)>,
}

impl Settings {
    fn set(&mut self, name: &str, key: &str, value: &str) -> Result<(), Refusal> {
        let setting = name.strip_prefix("compression.").unwrap_or(name);
        match setting {
            "algorithm" | "compression" => {
                self.algorithm = match one_of(key, value, &ALGORITHMS)? {
                    "RICE" | "RICE_1" => Some(Algorithm::Rice),
                    "GZIP" | "GZIP_1" => Some(Algorithm::Gzip),
                    "GZIP_2" | "GZIP_SHUFFLE" => Some(Algorithm::Gzip2),
                    _ => None,
                };
            }
            "scaling.algorithm" => self.scaled = one_of(key, value, &SCALINGS)? != "NONE",
            "quantizeLevel" | "scaling.quantizeLevel" => {
                let level = value.parse().ok();
                let level = level.filter(|level: &f32| *level >= 0.0 && level.is_finite());
                let level = level.ok_or_else(|| wrong(key, value, "a number, 0 for none"))?;
                if setting == "quantizeLevel" || level > 0.0 {
                    self.level = Some(level);
                }
            }
            "dither" => self.dither = Some(one_of(key, value, &DITHERS)? != "NO_DITHER"),
            "scaling.fuzz" => {
                let fuzz = value
                    .parse()
                    .map_err(|_| wrong(key, value, "true or false"))?;
                self.dither = Some(fuzz);
            }
            "seed" | "scaling.seed" => {
                let seed = value.parse().ok();
                self.seed = seed.filter(|seed| (1..=10_000_u16).contains(seed));
                if self.seed.is_none() && value != "0" && value != "data" {
                    return Err(wrong(key, value, "a number from 1 to 10000, or `data`"));
                }
            }
            "rows" | "columns" => {
                let length = value.parse();
                let length =
                    length.map_err(|_| wrong(key, value, "a number of pixels, 0 for all"))?;
                let tile = self.tile.get_or_insert((0, 1));
                if setting == "rows" {
                    tile.1 = length;
                } else {
                    tile.0 = length;
                }
            }
            "tile" => {
                let inside = value.trim_matches(['[', ']', '(', ')']).split(',');
                let lengths = inside.map(|length| length.trim().parse().ok());
                match lengths.collect::<Option<Vec<u64>>>().as_deref() {
                    Some(&[columns, rows]) => self.tile = Some((columns, rows)),
                    _ => {
                        return Err(wrong(
                            key,
                            value,
                            "columns and rows of a tile, like [64, 64]",
                        ));
                    }
                }
            }
            "scaling.bitpix" | "scaling.maskPlanes" | "scaling.quantizePad" => {}
            _ => {
                let plane = key.strip_suffix(name).unwrap_or_default();
                let meant = most_similar(name, SETTINGS).map(|meant| format!("{plane}{meant}"));
                return Err((
                    format!("there is no setting `{key}` of a write recipe"),
                    meant,
                ));
            }
        }
        Ok(())
    }

    /// Returns what the settings mean together: Rice codes integers, so that it rounds unless it is told not to.
    fn compression(self) -> Compression {
        let rounds = match self.level {
            Some(level) => level > 0.0,
            None => self.scaled || self.algorithm == Some(Algorithm::Rice),
        };
        let usual = Quantize::default();
        let quantize = Quantize {
            level: self.level.unwrap_or(usual.level),
            dither: self.dither.unwrap_or(usual.dither),
            seed: self.seed,
        };
        Compression {
            algorithm: self.algorithm,
            quantize: (rounds && self.algorithm.is_some()).then_some(quantize),
            tile: self.tile,
        }
    }
}

fn wrong(key: &str, value: &str, wanted: &str) -> Refusal {
    (
        format!("`{key}` is {wanted}, and here it is `{value}`"),
        None,
    )
}

fn one_of<'a>(key: &str, value: &str, known: &[&'a str]) -> Result<&'a str, Refusal> {
    let found = known.iter().find(|name| name.eq_ignore_ascii_case(value));
    found.copied().ok_or_else(|| {
        let meant = most_similar(value, known.iter().copied()).map(str::to_owned);
        (
            format!(
                "`{key}` is one of {}, and here it is `{value}`",
                known.join(", ")
            ),
            meant,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    /// The settings of the field's own recipe `lossyBasic`.
    #[test]
    fn the_fields_own_recipes_are_understood() {
        let recipe = WriteRecipe::of_settings(&settings(&[
            ("image.compression.algorithm", "RICE"),
            ("image.scaling.algorithm", "STDEV_POSITIVE"),
            ("image.scaling.maskPlanes", "[NO_DATA]"),
            ("image.scaling.bitpix", "32"),
            ("image.scaling.fuzz", "false"),
            ("image.scaling.seed", "7"),
            ("image.scaling.quantizeLevel", "10.0"),
            ("mask.compression.algorithm", "GZIP_SHUFFLE"),
            ("mask.scaling.algorithm", "NONE"),
        ]));
        let quantize = Quantize {
            level: 10.0,
            dither: false,
            seed: Some(7),
        };
        let image = Compression {
            algorithm: Some(Algorithm::Rice),
            quantize: Some(quantize),
            tile: None,
        };
        let mask = Compression {
            algorithm: Some(Algorithm::Gzip2),
            ..Compression::default()
        };
        let expected = WriteRecipe {
            image,
            mask,
            variance: Compression::default(),
        };
        assert_eq!(recipe, Ok(expected));
    }

    #[test]
    fn a_setting_without_a_plane_counts_for_all() {
        let recipe = WriteRecipe::of_settings(&settings(&[
            ("algorithm", "GZIP_2"),
            ("image.compression.rows", "32"),
            ("mask.tile", "[8, 4]"),
            ("seed", "3"),
        ]))
        .unwrap();
        let gzip2 = Some(Algorithm::Gzip2);
        let algorithms = [&recipe.image, &recipe.mask, &recipe.variance];
        assert!(
            algorithms
                .iter()
                .all(|one| one.algorithm == gzip2 && one.quantize.is_none())
        );
        assert_eq!(
            (recipe.image.tile, recipe.mask.tile),
            (Some((0, 32)), Some((8, 4)))
        );
    }

    #[test]
    fn a_codec_alone_is_short_for_the_whole_setting() {
        let long = WriteRecipe::of_settings(&settings(&[("compression.algorithm", "GZIP_2")]));
        for short in [
            &[("compression", "GZIP_2")][..],
            &[
                ("image", "GZIP_2"),
                ("mask", "GZIP_2"),
                ("variance", "GZIP_2"),
            ],
            &[
                ("image.compression", "gzip_2"),
                ("mask.compression", "GZIP_SHUFFLE"),
                ("variance", "GZIP_2"),
            ],
        ] {
            assert_eq!(WriteRecipe::of_settings(&settings(short)), long);
        }
        let none = WriteRecipe::of_settings(&settings(&[("compression", "none")]));
        assert_eq!(none, Ok(WriteRecipe::default()));
        let wrong = WriteRecipe::of_settings(&settings(&[("image", "RISE_1")])).unwrap_err();
        assert_eq!(wrong[0].meant.as_deref(), Some("RICE_1"));
    }

    #[test]
    fn what_means_nothing_is_named() {
        let errors = WriteRecipe::of_settings(&settings(&[
            ("image.compression.algoritm", "RICE"),
            ("mask.compression.algorithm", "RICE_11"),
            ("variance.compression.quantizeLevel", "-1"),
            ("seed", "10001"),
            ("image.tile", "[1, 2, 3]"),
        ]))
        .unwrap_err();
        let meant: Vec<Option<&str>> = errors.iter().map(|one| one.meant.as_deref()).collect();
        assert_eq!(
            meant,
            [
                Some("image.compression.algorithm"),
                Some("RICE_1"),
                None,
                None,
                None
            ]
        );
        assert!(errors[0].message.contains("image.compression.algoritm"));
        assert!(
            errors
                .iter()
                .zip(0..)
                .all(|(error, number)| error.number == number)
        );
    }

    #[test]
    fn recipes_that_need_no_definition_are_there() {
        for name in BUILT_IN {
            assert!(WriteRecipe::built_in(name).is_some(), "{name}");
        }
        assert_eq!(WriteRecipe::built_in("losless"), None);
    }
}
