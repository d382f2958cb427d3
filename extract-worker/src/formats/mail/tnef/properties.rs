//! The properties of a message or an attachment, as Outlook's own programs know them (MAPI).

use super::text;
use crate::input::charset::Charset;
use encoding_rs::UTF_16LE;
use std::collections::HashMap;

/// The values of a few properties, by number.
#[derive(Debug, Default)]
pub(super) struct Properties {
    values: HashMap<u16, Value>,
}

#[derive(Debug)]
pub(super) enum Value {
    Number(u32),
    Text(String),
    Bytes(Vec<u8>),
    /// A message, in a container of its own.
    Object(Vec<u8>),
}

/// Numbers above this are names that programs made up.
const FIRST_NAMED: u16 = 0x8000;
/// The flag of a type with several values.
const SEVERAL: u16 = 0x1000;
/// The length of an interface's id.
const ID_BYTES: usize = 16;

impl Properties {
    /// Reads properties, up to one that cannot be read.
    pub(super) fn of(bytes: &[u8], charset: Option<Charset>) -> Self {
        let mut properties = Self::default();
        let mut cursor = Cursor { bytes };
        let count = cursor.number().unwrap_or_default();
        for _ in 0..count {
            if properties.read(&mut cursor, charset).is_none() {
                break;
            }
        }
        properties
    }

    fn read(&mut self, cursor: &mut Cursor<'_>, charset: Option<Charset>) -> Option<()> {
        let head = cursor.number()?;
        let kind = u16::try_from(head & 0xffff).ok()?;
        let number = u16::try_from(head >> 16).ok()?;
        if number >= FIRST_NAMED {
            cursor.take(ID_BYTES)?;
            let is_string = cursor.number()? == 1;
            let id = cursor.number()?;
            if is_string {
                cursor.padded(id)?;
            }
        }
        let single = kind & !SEVERAL;
        let fixed = match single {
            0x0002..=0x0004 | 0x000a | 0x000b => Some(4),
            0x0005..=0x0007 | 0x0014 | 0x0040 => Some(8),
            0x0048 => Some(ID_BYTES),
            _ => None,
        };
        if let Some(length) = fixed {
            let count = if kind & SEVERAL == 0 { 1 } else { cursor.number()? };
            let bytes = cursor.take(length.checked_mul(usize::try_from(count).ok()?)?)?;
            let value = bytes.first_chunk().map(|value| Value::Number(u32::from_le_bytes(*value)));
            self.values.extend(value.map(|value| (number, value)));
            return Some(());
        }
        for _ in 0..cursor.number()? {
            let length = cursor.number()?;
            let bytes = cursor.padded(length)?;
            let value = match single {
                0x001e => Value::Text(text(bytes, charset)),
                0x001f => Value::Text(
                    UTF_16LE.decode_without_bom_handling(bytes).0.trim_end_matches('\0').to_owned(),
                ),
                0x000d => Value::Object(bytes.get(ID_BYTES..).unwrap_or_default().to_vec()),
                _ => Value::Bytes(bytes.to_vec()),
            };
            self.values.entry(number).or_insert(value);
        }
        Some(())
    }

    pub(super) fn get(&self, number: u16) -> Option<&Value> {
        self.values.get(&number)
    }

    /// A text that is not empty.
    pub(super) fn text(&self, number: u16) -> Option<String> {
        match self.get(number) {
            Some(Value::Text(text)) if !text.trim().is_empty() => Some(text.clone()),
            _ => None,
        }
    }

    pub(super) fn number(&self, number: u16) -> Option<u32> {
        match self.get(number) {
            Some(Value::Number(value)) => Some(*value),
            _ => None,
        }
    }
}

struct Cursor<'b> {
    bytes: &'b [u8],
}

impl<'b> Cursor<'b> {
    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u32> {
        let (number, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(u32::from_le_bytes(*number))
    }

    /// A value whose length is filled up to a multiple of four.
    fn padded(&mut self, length: u32) -> Option<&'b [u8]> {
        let length = usize::try_from(length).ok()?;
        let value = self.take(length)?;
        // The last one may lack its filling.
        self.bytes = self.bytes.get(length.wrapping_neg() % 4..).unwrap_or_default();
        Some(value)
    }
}
