//! Changes texts in ways that break parsers: characters, words of the language, pieces of other texts.

/// A small generator of random numbers (SplitMix64, Steele, Lea and Flood 2014): the same start gives the same texts.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// A number that is small, large or at the edge.
    pub fn number(&mut self) -> i64 {
        match self.below(6) {
            0 => i64::MIN,
            1 => i64::MAX,
            2 => -(self.below(1000) as i64),
            3 => self.next() as i64,
            _ => self.below(100_000) as i64,
        }
    }

    /// A short text, mostly of letters.
    pub fn word(&mut self) -> String {
        const CHARACTERS: &[char] = &[
            'a', 'b', 'r', '1', '0', '-', '_', '.', ',', '+', ' ', '/', '%', 'é',
        ];
        let letters = if self.below(2) == 0 {
            5
        } else {
            CHARACTERS.len()
        };
        let length = self.below(6);
        (0..length)
            .map(|_| CHARACTERS[self.below(letters)])
            .collect()
    }
}

const STRANGE: &[char] = &[
    '\0', '\t', '\n', '\r', ' ', '"', '\'', '#', '%', '&', '*', '(', ')', ',', '-', '.', '/', ':',
    '<', '=', '>', '?', '@', '[', '\\', ']', '_', '`', '{', '|', '}', '~', '\u{a0}', '\u{85}',
    '\u{2028}', '\u{feff}', 'é', '🔭', '0', '9', 'e', 'y',
];

/// The longest text made; longer ones find nothing that these do not.
const LONGEST: usize = 6000;

/// Takes one of the texts and changes it in one to eight places.
pub fn mutated(texts: &[String], words: &[&str], random: &mut Random) -> String {
    let mut text: Vec<char> = texts[random.below(texts.len())].chars().collect();
    for _ in 0..=random.below(8) {
        let at = random.below(text.len() + 1);
        let end = (at + 1 + random.below(12)).min(text.len());
        match random.below(8) {
            0 => text.insert(at, STRANGE[random.below(STRANGE.len())]),
            1 if at < end => text[at] = STRANGE[random.below(STRANGE.len())],
            2 | 3 => {
                let word = words[random.below(words.len())].chars();
                text.splice(at..at, word);
            }
            4 if at < end => drop(text.drain(at..end)),
            5 if at < end => {
                let piece: Vec<char> = text[at..end].to_vec();
                text.splice(at..at, piece);
            }
            6 => {
                let other: Vec<char> = texts[random.below(texts.len())].chars().collect();
                let from = random.below(other.len() + 1);
                let to = (from + random.below(60)).min(other.len());
                text.splice(at..at, other[from..to].iter().copied());
            }
            _ => text.truncate(at.max(1)),
        }
        text.truncate(LONGEST);
    }
    text.into_iter().collect()
}
