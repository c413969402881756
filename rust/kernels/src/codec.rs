//! Snapshots: a tag and little-endian numbers, the same bytes from the kernel and from its twin.

use crate::error::{KernelError, Result};

/// First bytes of every snapshot; the digit is the layout version.
pub const MAGIC: &[u8; 4] = b"TWK1";
const TAG_LEN: usize = 12;

/// Appends numbers to a snapshot.
pub struct Writer(Vec<u8>);

impl Writer {
    /// Start a snapshot of the kernel named `tag` (at most 12 bytes).
    pub fn new(tag: &str) -> Self {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(tag.bytes().chain(std::iter::repeat(0)).take(TAG_LEN));
        Self(bytes)
    }

    /// Append an unsigned integer.
    pub fn u64(mut self, value: u64) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    /// Append floats, bit by bit.
    pub fn f64s(mut self, values: &[f64]) -> Self {
        for v in values {
            self.0.extend(v.to_bits().to_le_bytes());
        }
        self
    }

    /// Append a nested snapshot with its length.
    pub fn nested(self, bytes: &[u8]) -> Self {
        let mut w = self.u64(bytes.len() as u64);
        w.0.extend(bytes);
        w
    }

    /// The finished bytes.
    pub fn done(self) -> Vec<u8> {
        self.0
    }
}

/// Reads what [`Writer`] wrote, in the same order.
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The tag of a snapshot, whatever kernel it is of.
    ///
    /// # Errors
    /// [`KernelError::Snapshot`] when the bytes do not start like a snapshot.
    pub fn tag(bytes: &'a [u8]) -> Result<&'a str> {
        let head = bytes
            .get(..MAGIC.len() + TAG_LEN)
            .ok_or(KernelError::Snapshot("too short"))?;
        let (magic, tag) = head.split_at(MAGIC.len());
        if magic != MAGIC {
            return Err(KernelError::Snapshot("foreign magic bytes or layout version"));
        }
        let end = tag.iter().position(|b| *b == 0).unwrap_or(TAG_LEN);
        std::str::from_utf8(&tag[..end]).map_err(|_| KernelError::Snapshot("unreadable tag"))
    }

    /// Open a snapshot that must be of the kernel named `tag`.
    ///
    /// # Errors
    /// [`KernelError::Snapshot`] when it is of another.
    pub fn open(bytes: &'a [u8], tag: &str) -> Result<Self> {
        if Self::tag(bytes)? != tag {
            return Err(KernelError::Snapshot("it belongs to another kernel"));
        }
        Ok(Self(&bytes[MAGIC.len() + TAG_LEN..]))
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        if n > self.0.len() {
            return Err(KernelError::Snapshot("truncated"));
        }
        let (head, rest) = self.0.split_at(n);
        self.0 = rest;
        Ok(head)
    }

    /// Read an unsigned integer.
    ///
    /// # Errors
    /// [`KernelError::Snapshot`] when the bytes end early.
    pub fn u64(&mut self) -> Result<u64> {
        let mut b = [0; 8];
        b.copy_from_slice(self.take(8)?);
        Ok(u64::from_le_bytes(b))
    }

    /// Read a count or window that must fit the machine.
    ///
    /// # Errors
    /// [`KernelError::Snapshot`] when the bytes end early or the value does not fit.
    pub fn size(&mut self) -> Result<usize> {
        usize::try_from(self.u64()?).map_err(|_| KernelError::Snapshot("a count is too large"))
    }

    /// Read a float, bit by bit.
    ///
    /// # Errors
    /// [`KernelError::Snapshot`] when the bytes end early.
    pub fn f64(&mut self) -> Result<f64> {
        Ok(f64::from_bits(self.u64()?))
    }

    /// Read `n` floats.
    ///
    /// # Errors
    /// [`KernelError::Snapshot`] when the bytes end early.
    pub fn f64s(&mut self, n: usize) -> Result<Vec<f64>> {
        if n > self.0.len() / 8 {
            return Err(KernelError::Snapshot("truncated"));
        }
        (0..n).map(|_| self.f64()).collect()
    }

    /// Read a nested snapshot.
    ///
    /// # Errors
    /// [`KernelError::Snapshot`] when the bytes end early.
    pub fn nested(&mut self) -> Result<&'a [u8]> {
        let n = self.size()?;
        self.take(n)
    }

    /// Check that nothing is left.
    ///
    /// # Errors
    /// [`KernelError::Snapshot`] when bytes remain.
    pub fn end(&self) -> Result<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(KernelError::Snapshot("bytes left over"))
        }
    }
}
