//! Writes a batch row by row.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, DictionaryArray, RecordBatch, StringArray, UInt32Array,
    builder::{
        FixedSizeBinaryBuilder, Int64Builder, StringBuilder, UInt8Builder, UInt16Builder,
        UInt32Builder, UInt64Builder,
    },
    types::UInt32Type,
};
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::{Batch, DOCUMENT_BYTES, Event, ROWS_MAX, schema};
use crate::{
    fleet::{Interner, Pod, Symbol},
    resource::Resource,
};

/// An object that is not a pod, as a row.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names of the columns")]
pub struct ObjectRow<'a> {
    pub uid: u128,
    pub resource_version: u64,
    pub namespace: Symbol,
    pub name: &'a str,
    /// `None` when it is gone.
    pub document: Option<&'a str>,
}

/// The rows of a batch so far. Texts are symbols of one interner.
#[derive(Debug)]
pub struct BatchBuilder<'t> {
    texts: &'t Interner,
    event: UInt8Builder,
    resource: UInt8Builder,
    time_ms: Int64Builder,
    uid: FixedSizeBinaryBuilder,
    resource_version: UInt64Builder,
    namespace: DictionaryBuilder,
    name: StringBuilder,
    document: StringBuilder,
    pod_texts: [DictionaryBuilder; 7],
    pod_times: [UInt32Builder; 2],
    pod_counts: [UInt16Builder; 2],
    rows: usize,
}

impl<'t> BatchBuilder<'t> {
    /// An empty batch over these texts.
    #[must_use]
    pub fn new(texts: &'t Interner) -> Self {
        Self {
            texts,
            event: UInt8Builder::new(),
            resource: UInt8Builder::new(),
            time_ms: Int64Builder::new(),
            uid: FixedSizeBinaryBuilder::new(16),
            resource_version: UInt64Builder::new(),
            namespace: DictionaryBuilder::default(),
            name: StringBuilder::new(),
            document: StringBuilder::new(),
            pod_texts: Default::default(),
            pod_times: Default::default(),
            pod_counts: Default::default(),
            rows: 0,
        }
    }

    /// Rows so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is no row yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Whether the next row belongs to another batch.
    fn is_full(&self) -> bool {
        self.rows == ROWS_MAX || self.document.values_slice().len() >= DOCUMENT_BYTES
    }

    /// A complete list of `resource` begins.
    pub fn list_begun(&mut self, resource: Resource, time_ms: i64, resource_version: u64) {
        self.mark(Event::ListBegun, resource, time_ms, resource_version);
    }

    /// The list of `resource` is complete.
    pub fn list_completed(&mut self, resource: Resource, time_ms: i64, resource_version: u64) {
        self.mark(Event::ListCompleted, resource, time_ms, resource_version);
    }

    /// Nothing else happened to `resource` until now, up to this version.
    pub fn time_passed(&mut self, resource: Resource, time_ms: i64, resource_version: u64) {
        self.mark(Event::TimePassed, resource, time_ms, resource_version);
    }

    /// A pod was seen.
    pub fn pod(&mut self, time_ms: i64, pod: &Pod<'_>) {
        self.begin(Event::Observed, Resource::Pods, time_ms);
        self.identity(pod.uid, pod.resource_version, pod.class.namespace, pod.name);
        self.document.append_null();
        let texts = [
            pod.node,
            pod.class.owner,
            pod.class.revision,
            pod.class.labels,
            pod.class.annotations,
            pod.class.spec,
            pod.class.status,
        ];
        for (column, text) in self.pod_texts.iter_mut().zip(texts) {
            column.append(text);
        }
        self.pod_times[0].append_value(pod.created_s);
        self.pod_times[1].append_value(pod.ready_since_s);
        self.pod_counts[0].append_value(pod.restarts);
        self.pod_counts[1].append_value(pod.flags);
    }

    /// An object was seen, or (without a document) is gone.
    pub fn object(&mut self, resource: Resource, time_ms: i64, object: &ObjectRow<'_>) {
        let event = if object.document.is_some() {
            Event::Observed
        } else {
            Event::Gone
        };
        self.begin(event, resource, time_ms);
        self.identity(
            object.uid,
            object.resource_version,
            object.namespace,
            object.name,
        );
        self.document.append_option(object.document);
        self.no_pod();
    }

    /// The batch of all rows.
    #[must_use]
    pub fn finish(mut self) -> Batch {
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(self.event.finish()),
            Arc::new(self.resource.finish()),
            Arc::new(self.time_ms.finish()),
            Arc::new(self.uid.finish()),
            Arc::new(self.resource_version.finish()),
            self.namespace.finish(self.texts),
            Arc::new(self.name.finish()),
            Arc::new(self.document.finish()),
        ];
        columns.extend(
            self.pod_texts
                .into_iter()
                .map(|column| column.finish(self.texts)),
        );
        columns.extend(
            self.pod_times
                .map(|mut column| Arc::new(column.finish()) as ArrayRef),
        );
        columns.extend(
            self.pod_counts
                .map(|mut column| Arc::new(column.finish()) as ArrayRef),
        );
        Batch(RecordBatch::try_new(schema(), columns).expect("the columns are those of the schema"))
    }

    fn mark(&mut self, event: Event, resource: Resource, time_ms: i64, version: u64) {
        self.begin(event, resource, time_ms);
        self.uid.append_null();
        self.resource_version.append_value(version);
        self.namespace.append_null();
        self.name.append_null();
        self.document.append_null();
        self.no_pod();
    }

    fn begin(&mut self, event: Event, resource: Resource, time_ms: i64) {
        self.event.append_value(event as u8);
        self.resource.append_value(resource.code());
        self.time_ms.append_value(time_ms);
        self.rows += 1;
    }

    fn identity(&mut self, uid: u128, resource_version: u64, namespace: Symbol, name: &str) {
        self.uid
            .append_value(uid.to_be_bytes())
            .expect("a uid has 16 bytes");
        self.resource_version.append_value(resource_version);
        self.namespace.append(namespace);
        self.name.append_value(name);
    }

    fn no_pod(&mut self) {
        self.pod_texts
            .iter_mut()
            .for_each(DictionaryBuilder::append_null);
        self.pod_times
            .iter_mut()
            .for_each(UInt32Builder::append_null);
        self.pod_counts
            .iter_mut()
            .for_each(UInt16Builder::append_null);
    }
}

/// Cuts rows into batches of at most [`ROWS_MAX`], and of not many more bytes than
/// [`DOCUMENT_BYTES`].
#[derive(Debug)]
pub struct BatchWriter<'t> {
    open: BatchBuilder<'t>,
    full: Vec<Batch>,
}

impl<'t> BatchWriter<'t> {
    /// No batch yet, over these texts.
    #[must_use]
    pub fn new(texts: &'t Interner) -> Self {
        Self {
            open: BatchBuilder::new(texts),
            full: Vec::new(),
        }
    }

    /// The batch that takes the next row.
    pub fn row(&mut self) -> &mut BatchBuilder<'t> {
        if self.open.is_full() {
            let next = BatchBuilder::new(self.open.texts);
            self.full
                .push(std::mem::replace(&mut self.open, next).finish());
        }
        &mut self.open
    }

    /// Every batch in order; the last may be short, none is empty.
    #[must_use]
    pub fn finish(mut self) -> Vec<Batch> {
        if !self.open.is_empty() {
            self.full.push(self.open.finish());
        }
        self.full
    }
}

/// A dictionary column over symbols: it hashes numbers, not texts.
#[derive(Debug, Default)]
pub struct DictionaryBuilder {
    keys: Vec<Option<u32>>,
    values: Vec<Symbol>,
    key_of: HashMap<Symbol, u32, FxBuildHasher>,
}

impl DictionaryBuilder {
    /// Appends a text.
    pub fn append(&mut self, text: Symbol) {
        let next = self.values.len() as u32;
        let key = *self.key_of.entry(text).or_insert_with(|| {
            self.values.push(text);
            next
        });
        self.keys.push(Some(key));
    }

    /// Appends nothing.
    pub fn append_null(&mut self) {
        self.keys.push(None);
    }

    /// The column.
    #[must_use]
    pub fn finish(self, texts: &Interner) -> ArrayRef {
        let values: StringArray = self
            .values
            .iter()
            .map(|symbol| Some(texts.text(*symbol)))
            .collect();
        let keys = UInt32Array::from(self.keys);
        Arc::new(
            DictionaryArray::<UInt32Type>::try_new(keys, Arc::new(values))
                .expect("every key was given to a value"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{BatchWriter, ObjectRow};
    use crate::{
        batch::{DOCUMENT_BYTES, ROWS_MAX},
        fleet::{Interner, Symbol},
        resource::Resource,
    };

    fn lengths(rows: usize, document: &str) -> Vec<usize> {
        let texts = Interner::default();
        let mut writer = BatchWriter::new(&texts);
        for uid in 0..rows {
            let object = ObjectRow {
                uid: uid as u128,
                resource_version: 1,
                namespace: Symbol::default(),
                name: "cart",
                document: Some(document),
            };
            writer.row().object(Resource::Deployments, 0, &object);
        }
        writer.finish().iter().map(super::Batch::len).collect()
    }

    #[test]
    fn a_batch_is_full_when_its_rows_or_its_documents_are_many() {
        assert_eq!(lengths(ROWS_MAX + 2, "{}"), [ROWS_MAX, 2]);
        assert_eq!(lengths(9, &" ".repeat(DOCUMENT_BYTES / 4)), [4, 4, 1]);
    }
}
