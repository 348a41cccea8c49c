//! Rows of unequal length, end to end: a million lists without a million allocations.

use std::ops::Range;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rows<T> {
    ends: Vec<u32>,
    values: Vec<T>,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self {
            ends: Vec::new(),
            values: Vec::new(),
        }
    }
}

impl<T> Rows<T> {
    pub fn with_capacity(rows: usize, values: usize) -> Self {
        Self {
            ends: Vec::with_capacity(rows),
            values: Vec::with_capacity(values),
        }
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn push_row(&mut self, row: impl IntoIterator<Item = T>) {
        self.values.extend(row);
        self.ends.push(self.values.len() as u32);
    }

    /// Adds a value to the row that is pushed next.
    pub fn push_value(&mut self, value: T) {
        self.values.push(value);
    }

    pub fn range(&self, row: usize) -> Range<usize> {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        start as usize..self.ends[row] as usize
    }

    pub fn row(&self, row: usize) -> &[T] {
        &self.values[self.range(row)]
    }

    pub fn row_mut(&mut self, row: usize) -> &mut [T] {
        let range = self.range(row);
        &mut self.values[range]
    }

    pub fn values(&self) -> &[T] {
        &self.values
    }
}

impl<T: Copy> Rows<T> {
    pub fn push_slice(&mut self, row: &[T]) {
        self.values.extend_from_slice(row);
        self.ends.push(self.values.len() as u32);
    }

    /// Adds all rows of another.
    pub fn append(&mut self, other: &Self) {
        let begin = self.values.len() as u32;
        self.values.extend_from_slice(&other.values);
        self.ends.extend(other.ends.iter().map(|end| begin + end));
    }
}
