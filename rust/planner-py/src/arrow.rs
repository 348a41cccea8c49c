//! Columns for any reader of Arrow, through the `PyCapsule` interface.

use arrow_array::{
    Array, RecordBatch, StructArray,
    ffi::{FFI_ArrowArray, FFI_ArrowSchema},
};
use pyo3::{
    exceptions::PyValueError,
    prelude::*,
    types::{PyCapsule, PyTuple},
};

/// Hands a table over without a copy. A requested schema may be ignored, says the interface.
pub fn hand_over<'py>(py: Python<'py>, records: &RecordBatch) -> PyResult<Bound<'py, PyTuple>> {
    let schema = FFI_ArrowSchema::try_from(records.schema_ref().as_ref())
        .map_err(|error| PyValueError::new_err(error.to_string()))?;
    let array = FFI_ArrowArray::new(&StructArray::from(records.clone()).into_data());
    let schema = PyCapsule::new_with_value(py, schema, c"arrow_schema")?;
    let array = PyCapsule::new_with_value(py, array, c"arrow_array")?;
    PyTuple::new(py, [schema, array])
}
