//! The pods that exist as one Arrow table, for people with a notebook.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, RecordBatch, UInt16Array, UInt32Array, UInt64Array,
    builder::{FixedSizeBinaryBuilder, StringBuilder},
};
use arrow_schema::{Field, Schema};

use super::{Fleet, Interner, Pod, Symbol};
use crate::batch::DictionaryBuilder;

impl Fleet {
    /// A row for each pod that exists: `cluster` and the columns of [`crate::batch`].
    #[must_use]
    pub fn pods_table(&self) -> RecordBatch {
        self.texts.open();
        let mut cluster_names = Interner::default();
        let clusters: Vec<Symbol> = self
            .clusters
            .keys()
            .map(|name| cluster_names.intern(name))
            .collect();
        let mut uids = FixedSizeBinaryBuilder::new(16);
        let mut names = StringBuilder::new();
        let mut cluster_column = DictionaryBuilder::default();
        let mut text_columns: [DictionaryBuilder; 8] = Default::default();
        let mut pods: Vec<Pod<'_>> = Vec::new();
        for (cluster, symbol) in self.clusters.values().zip(clusters) {
            for pod in cluster.pods.rows().map(|row| cluster.pods.get(row)) {
                uids.append_value(pod.uid.to_be_bytes())
                    .expect("a uid has 16 bytes");
                names.append_value(pod.name);
                cluster_column.append(symbol);
                for (column, text) in text_columns.iter_mut().zip(pod.texts()) {
                    column.append(text);
                }
                pods.push(pod);
            }
        }
        let mut columns: Vec<(&str, ArrayRef)> = vec![
            ("cluster", cluster_column.finish(&cluster_names)),
            ("uid", Arc::new(uids.finish())),
            ("name", Arc::new(names.finish())),
        ];
        columns.extend(
            TEXTS
                .into_iter()
                .zip(text_columns.map(|column| column.finish(&self.texts))),
        );
        columns.extend(numbers(&pods));
        let fields: Vec<_> = columns
            .iter()
            .map(|(name, column)| Field::new(*name, column.data_type().clone(), false))
            .collect();
        let columns = columns.into_iter().map(|(_, column)| column).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
            .expect("every column has a row for each pod")
    }
}

/// The names of [`Pod::texts`].
const TEXTS: [&str; 8] = [
    "namespace",
    "node",
    "owner",
    "revision",
    "labels",
    "annotations",
    "spec",
    "status",
];

fn numbers(pods: &[Pod<'_>]) -> [(&'static str, ArrayRef); 5] {
    let version = UInt64Array::from_iter_values(pods.iter().map(|pod| pod.resource_version));
    let created = UInt32Array::from_iter_values(pods.iter().map(|pod| pod.created_s));
    let ready_since = UInt32Array::from_iter_values(pods.iter().map(|pod| pod.ready_since_s));
    let restarts = UInt16Array::from_iter_values(pods.iter().map(|pod| pod.restarts));
    let flags = UInt16Array::from_iter_values(pods.iter().map(|pod| pod.flags));
    [
        ("resource_version", Arc::new(version)),
        ("created_s", Arc::new(created)),
        ("ready_since_s", Arc::new(ready_since)),
        ("restarts", Arc::new(restarts)),
        ("flags", Arc::new(flags)),
    ]
}
