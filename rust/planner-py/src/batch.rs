//! Batches of observations as Arrow, as bytes and as rows.

use std::collections::BTreeMap;

use crate::{
    arrow::hand_over,
    run::{detached, tried},
};
use arrow_array::Array;
use planner_core::{
    batch::{Batch, Columns, Event, text},
    observe::uid_text,
    resource::Resource,
};
use pyo3::{
    prelude::*,
    types::{PyBytes, PyDict, PyTuple, PyType},
};

/// Observations of one cluster, as the log stores them.
#[pyclass(frozen, name = "Batch", module = "planner._core")]
pub struct PyBatch {
    pub inner: Batch,
}

impl From<Batch> for PyBatch {
    fn from(inner: Batch) -> Self {
        Self { inner }
    }
}

#[pymethods]
impl PyBatch {
    #[classmethod]
    fn from_bytes(_cls: &Bound<'_, PyType>, py: Python<'_>, payload: &[u8]) -> PyResult<Self> {
        tried(py, || Batch::from_bytes(payload)).map(Self::from)
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &detached(py, || self.inner.to_bytes()))
    }

    fn slice(&self, begin: usize, count: usize) -> Self {
        Self {
            inner: self.inner.slice(begin, count),
        }
    }

    #[getter]
    fn time_last_ms(&self) -> i64 {
        self.inner.time_last_ms()
    }

    fn counts(&self) -> BTreeMap<&'static str, u64> {
        let columns = self.inner.columns();
        let mut counts = BTreeMap::new();
        for row in 0..self.inner.len() {
            if Event::from_code(columns.event.value(row)) == Some(Event::Observed) {
                let resource = Resource::from_code(columns.resource.value(row));
                *counts
                    .entry(resource.map_or("", Resource::name))
                    .or_insert(0) += 1;
            }
        }
        counts
    }

    fn reached(&self) -> BTreeMap<&'static str, (u64, bool)> {
        let reached = self.inner.reached().into_iter();
        reached
            .map(|(resource, it)| (resource.name(), (it.resource_version, it.is_certain)))
            .collect()
    }

    fn __len__(&self) -> usize {
        self.inner.len()
    }

    fn rows<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let columns = self.inner.columns();
        (0..self.inner.len())
            .map(|row| row_of(py, &columns, row))
            .collect()
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        // The interface allows to ignore what was asked for.
        let _ = requested_schema;
        hand_over(py, self.inner.records())
    }
}

fn row_of<'py>(py: Python<'py>, columns: &Columns<'_>, row: usize) -> PyResult<Bound<'py, PyDict>> {
    let event = Event::from_code(columns.event.value(row)).expect("checked when it was read");
    let code = columns.resource.value(row);
    let resource = Resource::from_code(code).expect("checked when it was read");
    let dict = PyDict::new(py);
    dict.set_item("event", event.name())?;
    dict.set_item("resource", resource.name())?;
    dict.set_item("time_ms", columns.time_ms.value(row))?;
    if columns.resource_version.is_valid(row) {
        dict.set_item("resource_version", columns.resource_version.value(row))?;
    }
    if columns.uid.is_valid(row) {
        dict.set_item("uid", uid_text(columns.uid_of(row)))?;
        dict.set_item("namespace", text(columns.namespace, row))?;
        dict.set_item("name", columns.name.value(row))?;
    }
    if columns.document.is_valid(row) {
        dict.set_item("document", columns.document.value(row))?;
    }
    if columns.flags.is_valid(row) {
        let texts = [
            ("node", columns.node),
            ("owner", columns.owner),
            ("revision", columns.revision),
            ("labels", columns.labels),
            ("annotations", columns.annotations),
            ("spec", columns.spec),
            ("status", columns.status),
        ];
        for (name, column) in texts {
            dict.set_item(name, text(column, row))?;
        }
        dict.set_item("created_s", columns.created_s.value(row))?;
        dict.set_item("ready_since_s", columns.ready_since_s.value(row))?;
        dict.set_item("restarts", columns.restarts.value(row))?;
        dict.set_item("flags", columns.flags.value(row))?;
    }
    Ok(dict)
}
