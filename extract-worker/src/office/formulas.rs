//! Office formulas (OMML) as a line of text: `(a+b)/2`, `x²`, `√(a+b)`, `∑_(i=1)^n i`.
//!
//! Invariant: no recursion over nested formulas, and no work beyond the size times [`DEEPEST`].

use crate::office::xml::{Element, Node, Xml};

/// Structure is kept down to this nesting depth; deeper content is plain characters.
const DEEPEST: usize = 32;

/// Maximum length of a bracket or operator, in characters.
const LONGEST_SIGN: usize = 4;

/// An open part of a formula.
#[derive(Debug, Default)]
struct Part {
    kind: Kind,
    /// Its content in order, each piece with its role.
    pieces: Vec<(Role, String)>,
    /// `m:chr`, `m:begChr`, `m:sepChr`, `m:endChr`.
    signs: [Option<String>; 4],
}

/// The kind of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Kind {
    #[default]
    Row,
    Fraction,
    Scripts,
    PreScripts,
    Root,
    Large,
    Brackets,
    Function,
    Lower,
    Upper,
    Accent,
    Matrix,
    MatrixRow,
    Lines,
    Slot(Role),
}

/// The role of a piece within its part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Base,
    Above,
    Below,
    Degree,
    Name,
}

/// Reads an open `m:oMath` to its end.
pub(crate) fn read(xml: &mut Xml<'_>) -> String {
    let mut open = vec![Part::default()];
    let (mut deeper, mut in_text) = (0_usize, false);
    while let Some(node) = xml.next() {
        match node {
            Node::Start(element) => {
                in_text = element.name() == "t";
                if is_silent(&element) {
                    if xml.skip().is_none() {
                        break;
                    }
                } else if open.len() < DEEPEST {
                    open.push(Part { kind: kind(&element), ..Part::default() });
                    note_sign(&mut open, &element);
                } else {
                    deeper += 1;
                }
            }
            Node::End(_) if deeper > 0 => deeper -= 1,
            Node::End(_) => {
                in_text = false;
                let Some(part) = open.pop() else { break };
                let Some(around) = open.last_mut() else { return part.write().1 };
                around.push(part);
            }
            Node::Text(text) if in_text => {
                if let Some(part) = open.last_mut() {
                    part.pieces.push((Role::Base, text.into_owned()));
                }
            }
            Node::Text(_) => {}
        }
    }
    // The file ends inside the formula.
    while let Some(part) = open.pop() {
        match open.last_mut() {
            Some(around) => around.push(part),
            None => return part.write().1,
        }
    }
    String::new()
}

/// Whether an element is a run property or deleted text.
fn is_silent(element: &Element<'_>) -> bool {
    matches!(
        (element.space, element.name()),
        ("w", "rPr" | "del" | "moveFrom") | ("m", "rPr" | "ctrlPr" | "argPr")
    )
}

fn kind(element: &Element<'_>) -> Kind {
    if element.space != "m" {
        return Kind::Row;
    }
    match element.name() {
        "f" => Kind::Fraction,
        "sSup" | "sSub" | "sSubSup" => Kind::Scripts,
        "sPre" => Kind::PreScripts,
        "rad" => Kind::Root,
        "nary" => Kind::Large,
        "d" => Kind::Brackets,
        "func" => Kind::Function,
        "limLow" => Kind::Lower,
        "limUpp" => Kind::Upper,
        "acc" => Kind::Accent,
        "m" => Kind::Matrix,
        "mr" => Kind::MatrixRow,
        "eqArr" => Kind::Lines,
        "e" => Kind::Slot(Role::Base),
        "num" | "sup" => Kind::Slot(Role::Above),
        "den" | "sub" | "lim" => Kind::Slot(Role::Below),
        "deg" => Kind::Slot(Role::Degree),
        "fName" => Kind::Slot(Role::Name),
        _ => Kind::Row,
    }
}

/// Brackets and operators are set in the properties (`m:dPr`) of their part.
fn note_sign(open: &mut [Part], element: &Element<'_>) {
    let index = match (element.space, element.name()) {
        ("m", "chr") => 0,
        ("m", "begChr") => 1,
        ("m", "sepChr") => 2,
        ("m", "endChr") => 3,
        _ => return,
    };
    if let [.., part, _properties, _sign] = open {
        let sign = element.attribute("val").unwrap_or_default();
        part.signs[index] = Some(sign.chars().take(LONGEST_SIGN).collect());
    }
}

impl Part {
    fn push(&mut self, part: Self) {
        let (role, text) = part.write();
        if !text.is_empty() {
            self.pieces.push((role, text));
        }
    }

    fn write(self) -> (Role, String) {
        let role = if let Kind::Slot(role) = self.kind { role } else { Role::Base };
        (role, self.text())
    }

    fn text(&self) -> String {
        let base = self.all(Role::Base);
        let (above, below) = (self.all(Role::Above), self.all(Role::Below));
        match self.kind {
            Kind::Row | Kind::Slot(_) => base,
            Kind::Fraction if above.is_empty() && below.is_empty() => base,
            Kind::Fraction => format!("{}/{}", grouped(&above), grouped(&below)),
            Kind::Scripts => [whole(&base), script('_', &below), script('^', &above)].concat(),
            Kind::PreScripts => [script('_', &below), script('^', &above), base].concat(),
            Kind::Root => root(&self.all(Role::Degree), &base),
            Kind::Large => {
                let limits = [self.sign(0, "∫"), script('_', &below), script('^', &above)].concat();
                format!("{limits} {base}")
            }
            Kind::Brackets => {
                let inner = self.joined(&self.sign(2, "|"));
                [self.sign(1, "("), inner, self.sign(3, ")")].concat()
            }
            Kind::Function if base.starts_with(['(', '[', '{']) => self.all(Role::Name) + &base,
            Kind::Function => format!("{} {base}", self.all(Role::Name)),
            Kind::Lower => base + &script('_', &below),
            Kind::Upper => base + &script('^', &below),
            Kind::Accent => base + &self.sign(0, "\u{302}"),
            Kind::MatrixRow => self.joined(", "),
            Kind::Matrix | Kind::Lines => self.joined("; "),
        }
    }

    fn all(&self, role: Role) -> String {
        self.pieces.iter().filter(|(of, _)| *of == role).map(|(_, text)| text.as_str()).collect()
    }

    fn joined(&self, by: &str) -> String {
        let pieces: Vec<&str> = self.pieces.iter().map(|(_, text)| text.as_str()).collect();
        pieces.join(by)
    }

    fn sign(&self, index: usize, usual: &str) -> String {
        self.signs[index].clone().unwrap_or_else(|| usual.to_owned())
    }
}

/// Whether a text is one unit that needs no brackets.
fn is_whole(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | ',' | '\'' | '′' | '∞'))
}

fn grouped(text: &str) -> String {
    let is_bracketed = text.starts_with('(') && text.find(')') == Some(text.len() - 1);
    if is_whole(text) || is_bracketed { text.to_owned() } else { format!("({text})") }
}

/// The base of an exponent, in brackets unless it is a number, a name or bracketed already.
fn whole(base: &str) -> String {
    if base.ends_with([')', ']', '}', '|']) { base.to_owned() } else { grouped(base) }
}

fn root(degree: &str, base: &str) -> String {
    match degree {
        "" | "2" => format!("√{}", grouped(base)),
        "3" => format!("∛{}", grouped(base)),
        "4" => format!("∜{}", grouped(base)),
        _ => format!("{}√{}", script('^', degree), grouped(base)),
    }
}

/// An index or exponent, in subscript or superscript characters if all of it can be written that way.
fn script(mark: char, text: &str) -> String {
    let text = text.trim();
    if text.is_empty() {
        return String::new();
    }
    let small: Option<String> = text.chars().map(|c| small(mark, c)).collect();
    small.unwrap_or_else(|| format!("{mark}{}", grouped(text)))
}

fn small(mark: char, figure: char) -> Option<char> {
    const FIGURES: &str = "0123456789+-=";
    let place = FIGURES.find(if figure == '−' { '-' } else { figure })?;
    let all = if mark == '^' {
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼"
    } else {
        "₀₁₂₃₄₅₆₇₈₉₊₋₌"
    };
    all.chars().nth(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(formula: &str) -> String {
        let namespace = "http://schemas.openxmlformats.org/officeDocument/2006/math";
        let xml = format!("<m:oMath xmlns:m=\"{namespace}\">{formula}</m:oMath>");
        let mut reader = Xml::new(&xml);
        reader.next();
        read(&mut reader)
    }

    fn run(text: &str) -> String {
        format!("<m:r><m:t>{text}</m:t></m:r>")
    }

    #[test]
    fn formulas_are_a_line_of_text() {
        let slot = |name: &str, inner: &str| format!("<m:{name}>{inner}</m:{name}>");
        let simple = |name: &str, text: &str| slot(name, &run(text));
        let part = |name: &str, slots: &[String]| slot(name, &slots.concat());
        let square = part("sSup", &[simple("e", "x"), simple("sup", "2")]);
        for (formula, expected) in [
            (part("f", &[simple("num", "a+b"), simple("den", "2")]), "(a+b)/2"),
            (square.clone(), "x²"),
            (part("sSub", &[simple("e", "a"), simple("sub", "i+1")]), "a_(i+1)"),
            (part("rad", &[simple("deg", ""), slot("e", &square)]), "√x²"),
            (part("rad", &[simple("deg", "3"), simple("e", "8")]), "∛8"),
            (
                part(
                    "nary",
                    &[
                        "<m:naryPr><m:chr m:val=\"∑\"/></m:naryPr>".to_owned(),
                        simple("sub", "i=1"),
                        simple("sup", "n"),
                        simple("e", "i"),
                    ],
                ),
                "∑_(i=1)^n i",
            ),
            (
                part(
                    "d",
                    &[
                        "<m:dPr><m:begChr m:val=\"[\"/><m:endChr m:val=\"]\"/></m:dPr>".to_owned(),
                        simple("e", "a"),
                        simple("e", "b"),
                    ],
                ),
                "[a|b]",
            ),
            (part("func", &[simple("fName", "sin"), simple("e", "x")]), "sin x"),
            (
                part(
                    "m",
                    &[
                        slot("mr", &[simple("e", "1"), simple("e", "2")].concat()),
                        slot("mr", &simple("e", "3")),
                    ],
                ),
                "1, 2; 3",
            ),
        ] {
            assert_eq!(written(&formula), expected);
        }
    }

    #[test]
    fn depth_costs_nothing_but_structure() {
        let deep = format!("{}{}{}", "<m:f><m:num>".repeat(5000), run("x"), "</m:num></m:f>".repeat(5000));
        assert!(written(&deep).contains('x'));
        let open = format!("{}{}", "<m:d><m:e>".repeat(5000), run("y"));
        let namespace = "http://schemas.openxmlformats.org/officeDocument/2006/math";
        let xml = format!("<m:oMath xmlns:m=\"{namespace}\">{open}");
        let mut reader = Xml::new(&xml);
        reader.next();
        assert!(read(&mut reader).contains('y'));
    }
}
