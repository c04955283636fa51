//! The colours of mask planes.
//!
//! They are those of Okabe and Ito (2008, "Color Universal Design"), which people with any colour vision can tell apart,
//! and some of Tol's (2021, "Colour Schemes", SRON/EPS/TN/09-002) for further planes. Planes that the field has names for
//! have the same colour in every picture; the others get what is left.

use std::collections::BTreeMap;

use super::canvas::Colour;

/// A colour with its name.
pub type Named = (&'static str, Colour);

const VERMILION: Named = ("vermilion", [213, 94, 0]);
const ORANGE: Named = ("orange", [230, 159, 0]);
const YELLOW: Named = ("yellow", [240, 228, 66]);
const GREEN: Named = ("green", [0, 158, 115]);
const SKY: Named = ("sky blue", [86, 180, 233]);
const BLUE: Named = ("blue", [0, 114, 178]);
const PURPLE: Named = ("purple", [204, 121, 167]);
const PEAR: Named = ("pear", [187, 204, 51]);
const SAND: Named = ("sand", [221, 204, 119]);
const WINE: Named = ("wine", [136, 34, 85]);
const OLIVE: Named = ("olive", [153, 153, 51]);
const INDIGO: Named = ("indigo", [51, 34, 136]);
const TEAL: Named = ("teal", [68, 170, 153]);
const ROSE: Named = ("rose", [204, 102, 119]);
const BROWN: Named = ("brown", [153, 102, 51]);
const LAVENDER: Named = ("lavender", [190, 170, 255]);
const MINT: Named = ("mint", [187, 230, 190]);

/// In the order in which planes without a colour of their own get them.
const ALL: [Named; 17] = [
    INDIGO, LAVENDER, BROWN, ROSE, TEAL, MINT, OLIVE, WINE, SAND, PEAR, PURPLE, ORANGE, BLUE,
    YELLOW, VERMILION, GREEN, SKY,
];

/// Where there are more planes than colours, the first of them are given out again.
const REPEATED: usize = 6;

fn usual(plane: &str) -> Option<Named> {
    Some(match plane {
        "BAD" => VERMILION,
        "NO_DATA" => ORANGE,
        "EDGE" => YELLOW,
        "SAT" => GREEN,
        "DETECTED" => SKY,
        "DETECTED_NEGATIVE" => BLUE,
        "CR" => PURPLE,
        "INTRP" => PEAR,
        "SUSPECT" => SAND,
        "UNMASKEDNAN" => WINE,
        "CROSSTALK" => OLIVE,
        _ => return None,
    })
}

/// Returns the colour of each plane; two planes share one only where there are more planes than colours.
pub fn plane_colours(planes: &BTreeMap<String, u8>) -> BTreeMap<String, Named> {
    let mut colours: BTreeMap<String, Named> = BTreeMap::new();
    for plane in planes.keys() {
        colours.extend(usual(plane).map(|colour| (plane.clone(), colour)));
    }
    let mut left: Vec<Named> = ALL
        .into_iter()
        .filter(|colour| !colours.values().any(|taken| taken == colour))
        .collect();
    left.reverse();
    let mut by_bit: Vec<(&String, &u8)> = planes.iter().collect();
    by_bit.sort_by_key(|(_, bit)| **bit);
    for (plane, bit) in by_bit {
        if usual(plane).is_none() {
            let colour = left.pop().unwrap_or(ALL[usize::from(*bit) % REPEATED]);
            colours.insert(plane.clone(), colour);
        }
    }
    colours
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_have_colours_of_their_own() {
        let names = ["SAT", "MINE", "DETECTED", "YOURS", "BAD", "CR"];
        let planes = names.iter().zip(0_u8..);
        let planes: BTreeMap<String, u8> = planes
            .map(|(name, bit)| ((*name).to_owned(), bit))
            .collect();
        let colours = plane_colours(&planes);
        assert_eq!(colours["DETECTED"], SKY);
        let mut all: Vec<Named> = colours.values().copied().collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), planes.len());
    }

    #[test]
    fn there_may_be_more_planes_than_colours() {
        let planes = (0_u8..32).map(|bit| (format!("P{bit}"), bit)).collect();
        assert_eq!(plane_colours(&planes).len(), 32);
    }
}
