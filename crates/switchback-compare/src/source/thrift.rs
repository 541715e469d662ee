//! Thrift's compact protocol, as far as Parquet's headers need it: whether a structure holds as much as it counts.
//!
//! The layout is that of Apache Thrift's *Thrift compact protocol encoding* (doc/specs/thrift-compact-protocol.md).

/// Deeper nesting than this is in no header.
const NESTING_MAX: usize = 32;

/// Why a structure cannot be walked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It goes on behind the last byte.
    CutOff,
    /// It is none.
    Wrong,
}

/// Walks through one structure. Answers how many bytes it takes.
///
/// `integer` is told of each integer among its own fields, and among those of a structure that is one of them: the field
/// of that structure (0: its own), the field, and the value.
pub(super) fn walk(bytes: &[u8], integer: &mut dyn FnMut(i64, i64, i64)) -> Result<usize, Fault> {
    let mut walker = Walker { rest: bytes };
    walker.structure(0, 0, integer)?;
    Ok(bytes.len() - walker.rest.len())
}

struct Walker<'b> {
    rest: &'b [u8],
}

impl Walker<'_> {
    fn byte(&mut self) -> Result<u8, Fault> {
        let (first, rest) = self.rest.split_first().ok_or(Fault::CutOff)?;
        self.rest = rest;
        Ok(*first)
    }

    fn skip(&mut self, bytes: u64) -> Result<(), Fault> {
        let bytes = usize::try_from(bytes).map_err(|_| Fault::Wrong)?;
        self.rest = self.rest.get(bytes..).ok_or(Fault::CutOff)?;
        Ok(())
    }

    /// Seven bits a byte, the lowest first.
    fn unsigned(&mut self) -> Result<u64, Fault> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Fault::Wrong)
    }

    /// Zigzag: 0, -1, 1, -2 and so on.
    fn signed(&mut self) -> Result<i64, Fault> {
        let value = self.unsigned()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    fn structure(
        &mut self,
        depth: usize,
        within: i64,
        integer: &mut dyn FnMut(i64, i64, i64),
    ) -> Result<(), Fault> {
        if depth > NESTING_MAX {
            return Err(Fault::Wrong);
        }
        let mut field = 0_i64;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(());
            }
            field = match head >> 4 {
                0 => self.signed()?,
                step => field.saturating_add(i64::from(step)),
            };
            match head & 0x0f {
                // The head itself says whether it is true.
                1 | 2 => {}
                4..=6 => integer(within, field, self.signed()?),
                12 if depth == 0 => self.structure(1, field, integer)?,
                kind => self.value(kind, depth)?,
            }
        }
    }

    /// A value of that kind, within a list, a map or a field.
    fn value(&mut self, kind: u8, depth: usize) -> Result<(), Fault> {
        if depth > NESTING_MAX {
            return Err(Fault::Wrong);
        }
        match kind {
            1..=3 => self.skip(1),
            4..=6 => self.unsigned().map(drop),
            7 => self.skip(8),
            8 => {
                let length = self.unsigned()?;
                self.skip(length)
            }
            9 | 10 => {
                let head = self.byte()?;
                let length = if head >> 4 == 15 { self.unsigned()? } else { u64::from(head >> 4) };
                self.values(length, &[head & 0x0f], depth)
            }
            11 => {
                let length = self.unsigned()?;
                let kinds = if length == 0 { 0 } else { self.byte()? };
                self.values(length, &[kinds >> 4, kinds & 0x0f], depth)
            }
            12 => self.structure(depth + 1, 0, &mut |_, _, _| {}),
            13 => self.skip(16),
            _ => Err(Fault::Wrong),
        }
    }

    fn values(&mut self, length: u64, kinds: &[u8], depth: usize) -> Result<(), Fault> {
        // Every value takes a byte at least: no count is believed that cannot be true.
        if length > self.rest.len() as u64 {
            return Err(Fault::CutOff);
        }
        for _ in 0..length {
            for kind in kinds {
                self.value(*kind, depth + 1)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], integers: &[(i64, i64, i64)], end: Result<usize, Fault>) {
        let mut found = Vec::new();
        assert_eq!(
            walk(bytes, &mut |within, field, value| found.push((within, field, value))),
            end,
            "{bytes:x?}"
        );
        assert_eq!(found, integers, "{bytes:x?}");
    }

    #[test]
    fn integers_of_the_structure_itself_are_named() {
        // Fields 1 = 0, 2 = 300 and 5 = a structure whose first field is 7; then a byte that is not its own.
        check(
            &[0x15, 0x00, 0x15, 0xd8, 0x04, 0x3c, 0x15, 0x0e, 0x00, 0x00, 9],
            &[(0, 1, 0), (0, 2, 300), (5, 1, 7)],
            Ok(10),
        );
        // A long field number, a double, a text, a map of nothing.
        check(
            &[0x05, 0x80, 0x02, 0x01, 0x17, 0, 0, 0, 0, 0, 0, 0, 0, 0x18, 1, b'x', 0x1b, 0, 0],
            &[(0, 128, -1)],
            Ok(19),
        );
    }

    #[test]
    fn a_count_that_cannot_be_true_is_not_believed() {
        check(&[0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0x00], &[], Err(Fault::CutOff));
        check(&[0x18, 0xff, 0xff, 0xff, 0xff, 0x07], &[], Err(Fault::CutOff));
        check(&[0x15, 0xff], &[], Err(Fault::CutOff));
        check(&[0x1f], &[], Err(Fault::Wrong));
        check(&[0x1c; 100], &[], Err(Fault::Wrong));
    }
}
