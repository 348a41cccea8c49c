//! The columns of a batch with their types.

use arrow_array::{
    Array, DictionaryArray, FixedSizeBinaryArray, Int64Array, RecordBatch, StringArray, UInt8Array,
    UInt16Array, UInt32Array, UInt64Array, cast::AsArray, types::UInt32Type,
};

/// A column of texts that rows share.
pub type Dictionary = DictionaryArray<UInt32Type>;

/// The columns of a [`super::Batch`] by name; [`super`] tells which rows have which.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "told in the table of the module above")]
pub struct Columns<'a> {
    pub event: &'a UInt8Array,
    pub resource: &'a UInt8Array,
    pub time_ms: &'a Int64Array,
    pub uid: &'a FixedSizeBinaryArray,
    pub resource_version: &'a UInt64Array,
    pub namespace: &'a Dictionary,
    pub name: &'a StringArray,
    pub document: &'a StringArray,
    pub node: &'a Dictionary,
    pub owner: &'a Dictionary,
    pub revision: &'a Dictionary,
    pub labels: &'a Dictionary,
    pub annotations: &'a Dictionary,
    pub spec: &'a Dictionary,
    pub status: &'a Dictionary,
    pub created_s: &'a UInt32Array,
    pub ready_since_s: &'a UInt32Array,
    pub restarts: &'a UInt16Array,
    pub flags: &'a UInt16Array,
}

impl<'a> Columns<'a> {
    /// The columns of records that have the schema of a batch.
    pub(super) fn new(records: &'a RecordBatch) -> Self {
        let column = |index: usize| records.column(index).as_ref();
        Self {
            event: column(0).as_primitive(),
            resource: column(1).as_primitive(),
            time_ms: column(2).as_primitive(),
            uid: column(3).as_fixed_size_binary(),
            resource_version: column(4).as_primitive(),
            namespace: column(5).as_dictionary(),
            name: column(6).as_string(),
            document: column(7).as_string(),
            node: column(8).as_dictionary(),
            owner: column(9).as_dictionary(),
            revision: column(10).as_dictionary(),
            labels: column(11).as_dictionary(),
            annotations: column(12).as_dictionary(),
            spec: column(13).as_dictionary(),
            status: column(14).as_dictionary(),
            created_s: column(15).as_primitive(),
            ready_since_s: column(16).as_primitive(),
            restarts: column(17).as_primitive(),
            flags: column(18).as_primitive(),
        }
    }

    /// The uid of a row that has one.
    #[must_use]
    pub fn uid_of(&self, row: usize) -> u128 {
        let bytes = self.uid.value(row).try_into().expect("a uid has 16 bytes");
        u128::from_be_bytes(bytes)
    }

    /// Every column of shared texts, the namespace first.
    pub(crate) fn dictionaries(&self) -> [&'a Dictionary; 8] {
        [
            self.namespace,
            self.node,
            self.owner,
            self.revision,
            self.labels,
            self.annotations,
            self.spec,
            self.status,
        ]
    }

    /// Whether all columns of pods hold a value in this row.
    pub(super) fn pod_is_valid(&self, row: usize) -> bool {
        self.dictionaries()[1..]
            .iter()
            .all(|column| column.is_valid(row))
            && self.created_s.is_valid(row)
            && self.ready_since_s.is_valid(row)
            && self.restarts.is_valid(row)
            && self.flags.is_valid(row)
    }
}

/// The text of a dictionary row that has one.
#[must_use]
pub fn text(column: &Dictionary, row: usize) -> &str {
    let values = column.values().as_string::<i32>();
    values.value(column.keys().value(row) as usize)
}
