//! Batches of observations as Arrow, as bytes and as rows.

use std::collections::BTreeMap;

use crate::{
    arrow::hand_over,
    run::{detached, tried},
};
use arrow_array::Array;
use planner_core::{
    batch::{Batch, Columns, Dictionary, Event, text},
    observe::uid_text,
    resource::Resource,
};
use pyo3::{
    intern,
    prelude::*,
    types::{PyBytes, PyDict, PyString, PyTuple, PyType},
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

    fn listed(&self) -> Vec<&'static str> {
        let listed = self.inner.listed().into_iter();
        listed.map(Resource::name).collect()
    }

    fn __len__(&self) -> usize {
        self.inner.len()
    }

    fn rows<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let columns = self.inner.columns();
        let mut texts = [
            Texts::of(intern!(py, "namespace"), columns.namespace),
            Texts::of(intern!(py, "node"), columns.node),
            Texts::of(intern!(py, "owner"), columns.owner),
            Texts::of(intern!(py, "revision"), columns.revision),
            Texts::of(intern!(py, "labels"), columns.labels),
            Texts::of(intern!(py, "annotations"), columns.annotations),
            Texts::of(intern!(py, "spec"), columns.spec),
            Texts::of(intern!(py, "status"), columns.status),
        ];
        (0..self.inner.len())
            .map(|row| row_of(py, &columns, &mut texts, row))
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

/// A column of shared texts; each becomes one Python text, which the rows share too.
struct Texts<'a, 'py> {
    name: &'a Bound<'py, PyString>,
    column: &'a Dictionary,
    made: Vec<Option<Bound<'py, PyString>>>,
}

impl<'a, 'py> Texts<'a, 'py> {
    fn of(name: &'a Bound<'py, PyString>, column: &'a Dictionary) -> Self {
        let made = vec![None; column.values().len()];
        Self { name, column, made }
    }

    fn put(&mut self, dict: &Bound<'py, PyDict>, row: usize) -> PyResult<()> {
        let key = self.column.keys().value(row) as usize;
        let text =
            self.made[key].get_or_insert_with(|| PyString::new(dict.py(), text(self.column, row)));
        dict.set_item(self.name, &*text)
    }
}

fn row_of<'py>(
    py: Python<'py>,
    columns: &Columns<'_>,
    texts: &mut [Texts<'_, 'py>; 8],
    row: usize,
) -> PyResult<Bound<'py, PyDict>> {
    let event = Event::from_code(columns.event.value(row)).expect("checked when it was read");
    let code = columns.resource.value(row);
    let resource = Resource::from_code(code).expect("checked when it was read");
    let [namespace, of_pods @ ..] = texts;
    let dict = PyDict::new(py);
    dict.set_item(intern!(py, "event"), PyString::intern(py, event.name()))?;
    dict.set_item(
        intern!(py, "resource"),
        PyString::intern(py, resource.name()),
    )?;
    dict.set_item(intern!(py, "time_ms"), columns.time_ms.value(row))?;
    if columns.resource_version.is_valid(row) {
        let version = columns.resource_version.value(row);
        dict.set_item(intern!(py, "resource_version"), version)?;
    }
    if columns.uid.is_valid(row) {
        dict.set_item(intern!(py, "uid"), uid_text(columns.uid_of(row)))?;
        namespace.put(&dict, row)?;
        dict.set_item(intern!(py, "name"), columns.name.value(row))?;
    }
    if columns.document.is_valid(row) {
        dict.set_item(intern!(py, "document"), columns.document.value(row))?;
    }
    if columns.flags.is_valid(row) {
        for column in of_pods {
            column.put(&dict, row)?;
        }
        dict.set_item(intern!(py, "created_s"), columns.created_s.value(row))?;
        let ready_since_s = columns.ready_since_s.value(row);
        dict.set_item(intern!(py, "ready_since_s"), ready_since_s)?;
        dict.set_item(intern!(py, "restarts"), columns.restarts.value(row))?;
        dict.set_item(intern!(py, "flags"), columns.flags.value(row))?;
    }
    Ok(dict)
}
