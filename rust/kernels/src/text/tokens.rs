//! Characters to tokens.

use super::Signs;

/// Characters of a text that are read; what comes after is cut off and the text marked as truncated.
pub const LIMIT: usize = 4096;

const ASKING: [&[u8]; 19] = [
    b"how", b"what", b"why", b"who", b"where", b"when", b"which", b"is", b"are", b"will", b"can", b"could",
    b"does", b"do", b"did", b"should", b"has", b"have", b"would",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Space,
    Letter,
    Digit,
    Break,
    Quote,
    Dash,
    Gap,
}
use Class::{Break, Dash, Digit, Gap, Letter, Quote, Space};

const fn ascii_class(c: u8) -> Class {
    match c {
        b'a'..=b'z' | b'A'..=b'Z' => Letter,
        b'0'..=b'9' => Digit,
        b'.' | b',' | b';' | b':' | b'!' | b'?' | b'(' | b')' | b'|' | b'\n' => Break,
        b' ' | b'\t' | b'\r' | 0x0b | 0x0c => Space,
        b'\'' => Quote,
        b'-' => Dash,
        _ => Gap,
    }
}

const fn table() -> [Class; 128] {
    let mut out = [Gap; 128];
    let mut c = 0;
    while c < 128 {
        out[c] = ascii_class(c as u8);
        c += 1;
    }
    out
}

static ASCII: [Class; 128] = table();

fn class_of(c: char) -> Class {
    let c = c as u32;
    match c {
        0..=0x7F => ASCII[c as usize],
        0x85 | 0xA0 | 0x1680 | 0x2000..=0x200A | 0x2028 | 0x2029 | 0x202F | 0x205F | 0x3000 => Space,
        0x2018 | 0x2019 | 0x02BC | 0xFF07 => Quote,
        0x2010 | 0x2011 | 0x2212 => Dash,
        0x2012..=0x2015 | 0x2026 | 0x3001..=0x303F => Break,
        0xFF01..=0xFF0F | 0xFF1A..=0xFF20 | 0xFF3B..=0xFF40 | 0xFF5B..=0xFF65 => Break,
        0xAA | 0xB5 | 0xBA => Letter,
        0x80..=0xBF | 0xD7 | 0xF7 | 0x2000..=0x2BFF | 0xD800..=0xF8FF | 0xFE00..=0xFE0F => Gap,
        0xFFF0..=0xFFFF | 0x1F000..=0x1FAFF => Gap,
        _ if c >= 0xE_0000 => Gap,
        _ => Letter,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Word,
    Number,
    Sign,
}

/// A word, a number or a sign. `id`: of a word or number its number in the vocabulary, of a sign its row in the
/// lexicon; -1: none, and for a sign a signed percentage of worth `value`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub form: Form,
    pub id: i32,
    pub value: f64,
    pub begin: usize,
    pub end: usize,
    pub clause: u32,
    pub caps: bool,
}

/// Tokens of a text and what its punctuation says.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub tokens: Vec<Token>,
    pub exclamations: u32,
    pub asking: bool,
    pub mixed: bool,
    pub truncated: bool,
    chars: Vec<char>,
    classes: Vec<Class>,
    word: Vec<u8>,
    clause: u32,
}

impl Reader {
    pub(super) fn read(
        &mut self,
        text: impl IntoIterator<Item = char>,
        signs: &Signs,
        lookup: impl Fn(&[u8]) -> i32,
    ) {
        self.start(text);
        let n = self.chars.len();
        let (mut i, mut first_asks) = (0, false);
        while i < n {
            let (c, class) = (self.chars[i], self.classes[i]);
            let alone = i == 0 || self.classes[i - 1] == Space;
            if !c.is_ascii() {
                if let Some(&row) = signs.single.get(&c) {
                    self.push(Form::Sign, row, 0.0, i, i + 1, false);
                    i += 1;
                    continue;
                }
            }
            if alone && class != Space {
                let took = self.address(i);
                if took > 0 {
                    i += took;
                    continue;
                }
                if let Some((took, row)) = self.smiley(i, signs) {
                    self.push(Form::Sign, row, 0.0, i, i + took, false);
                    i += took;
                    continue;
                }
            }
            match class {
                Letter => {
                    i = self.take_word(i, &lookup);
                    if self.tokens.len() == 1 {
                        first_asks = ASKING.contains(&self.word.as_slice());
                    }
                }
                Digit => i = self.take_number(i, &lookup),
                Break => {
                    if !self.inside(i, c) {
                        self.exclamations += u32::from(c == '!');
                        if !matches!(c, '(' | ')' | '|' | '\n') {
                            self.asking = c == '?';
                        }
                        self.clause += 1;
                    }
                    i += 1;
                }
                _ => {
                    if class == Dash && alone && (i + 1 == n || self.classes[i + 1] == Space) {
                        self.clause += 1; // a dash between blanks parts clauses
                    }
                    i += 1;
                }
            }
        }
        self.asking |= first_asks;
    }

    fn start(&mut self, text: impl IntoIterator<Item = char>) {
        self.tokens.clear();
        self.chars.clear();
        self.classes.clear();
        (self.exclamations, self.clause) = (0, 0);
        (self.asking, self.mixed, self.truncated) = (false, false, false);
        for c in text {
            if self.chars.len() == LIMIT {
                self.truncated = true;
                break;
            }
            self.chars.push(c);
            self.classes.push(class_of(c));
        }
    }

    fn push(&mut self, form: Form, id: i32, value: f64, begin: usize, end: usize, caps: bool) {
        self.tokens.push(Token {
            form,
            id,
            value,
            begin,
            end,
            clause: self.clause,
            caps,
        });
    }

    /// Whether a full stop stands inside a name such as crypto.com.
    fn inside(&self, i: usize, c: char) -> bool {
        c == '.'
            && i > 0
            && i + 1 < self.classes.len()
            && matches!(self.classes[i - 1], Letter | Digit)
            && self.classes[i + 1] == Letter
    }

    /// Length of a link, a mention or a cashtag that begins here; 0 if there is none.
    fn address(&self, i: usize) -> usize {
        let n = self.chars.len();
        let mut j = i;
        match self.chars[i] {
            'h' | 'H' | 'w' | 'W' => {
                let begins = |head: &str| {
                    i + head.len() <= n
                        && head
                            .chars()
                            .zip(&self.chars[i..])
                            .all(|(a, b)| a == b.to_ascii_lowercase())
                };
                if begins("http://") || begins("https://") || begins("www.") {
                    while j < n && self.classes[j] != Space && self.chars[j] != '\n' {
                        j += 1;
                    }
                }
            }
            '@' | '$' if i + 1 < n && (self.classes[i + 1] == Letter || self.chars[i + 1] == '_') => {
                j += 1;
                while j < n && (matches!(self.classes[j], Letter | Digit) || self.chars[j] == '_') {
                    j += 1;
                }
            }
            _ => {}
        }
        j - i
    }

    /// Length and row of an emoticon that stands alone here.
    fn smiley(&self, i: usize, signs: &Signs) -> Option<(usize, i32)> {
        let c = self.chars[i];
        if !c.is_ascii() || (c.is_ascii_alphanumeric() && c != 'D') {
            return None;
        }
        let rest = &self.chars[i..];
        signs.smileys.iter().find_map(|(sign, row)| {
            let ends = rest.len() == sign.len()
                || (rest.len() > sign.len()
                    && (self.classes[i + sign.len()] == Space || rest[sign.len()] == '\n'));
            (ends && rest.starts_with(sign)).then_some((sign.len(), *row))
        })
    }

    fn lowered(&mut self, begin: usize, end: usize) {
        self.word.clear();
        for k in begin..end {
            let c = self.chars[k];
            if c.is_ascii() {
                self.word.push(c.to_ascii_lowercase() as u8);
            } else if self.classes[k] == Quote {
                self.word.push(b'\'');
            } else {
                self.word.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }

    fn take_word(&mut self, i: usize, lookup: &impl Fn(&[u8]) -> i32) -> usize {
        let n = self.chars.len();
        let (mut j, mut upper, mut small) = (i, 0, false);
        while j < n {
            match self.classes[j] {
                Quote if j + 1 == n || self.classes[j + 1] != Letter => break,
                Quote | Letter | Digit => {}
                _ => break,
            }
            upper += usize::from(self.chars[j].is_ascii_uppercase());
            small |= self.chars[j].is_ascii_lowercase();
            j += 1;
        }
        self.mixed |= small;
        self.lowered(i, j);
        let id = lookup(&self.word);
        self.push(Form::Word, id, 0.0, i, j, upper >= 2 && !small);
        j
    }

    fn take_number(&mut self, i: usize, lookup: &impl Fn(&[u8]) -> i32) -> usize {
        let n = self.chars.len();
        let mut j = i;
        while j < n
            && (matches!(self.classes[j], Digit | Letter)
                || (matches!(self.chars[j], '.' | ',')
                    && j + 1 < n
                    && self.classes[j + 1] == Digit
                    && self.classes[j - 1] == Digit))
        {
            j += 1;
        }
        let percent = j < n && self.chars[j] == '%';
        let end = j + usize::from(percent);
        let mut sign = 0.0;
        if percent && i > 0 && (i == 1 || !matches!(self.classes[i - 2], Letter | Digit)) {
            if self.chars[i - 1] == '+' {
                sign = 1.2;
            } else if self.classes[i - 1] == Dash {
                sign = -1.2;
            }
        }
        if sign == 0.0 {
            self.lowered(i, j);
            let id = lookup(&self.word);
            self.push(Form::Number, id, 0.0, i, end, false);
        } else {
            self.push(Form::Sign, -1, sign, i - 1, end, false);
        }
        end
    }
}
