//! Tables as lists, one a column, for those who read every row in plain Python.

use arrow_array::{
    Array, ArrowPrimitiveType, PrimitiveArray, RecordBatch, cast::AsArray, types as arrow,
};
use arrow_schema::DataType;
use planner_core::observe::uid_text;
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyDict, PyList, PyString},
};

/// Every column by its name; None where a row has no value. Texts that rows share are one text.
pub fn columns_of<'py>(py: Python<'py>, records: &RecordBatch) -> PyResult<Bound<'py, PyDict>> {
    let columns = PyDict::new(py);
    let schema = records.schema_ref();
    for (field, column) in schema.fields().iter().zip(records.columns()) {
        columns.set_item(field.name(), list_of(py, column)?)?;
    }
    Ok(columns)
}

fn list_of<'py>(py: Python<'py>, column: &dyn Array) -> PyResult<Bound<'py, PyList>> {
    match column.data_type() {
        DataType::UInt8 => numbers::<arrow::UInt8Type>(py, column.as_primitive()),
        DataType::UInt16 => numbers::<arrow::UInt16Type>(py, column.as_primitive()),
        DataType::UInt32 => numbers::<arrow::UInt32Type>(py, column.as_primitive()),
        DataType::UInt64 => numbers::<arrow::UInt64Type>(py, column.as_primitive()),
        DataType::Int64 => numbers::<arrow::Int64Type>(py, column.as_primitive()),
        DataType::Utf8 => PyList::new(py, column.as_string::<i32>()),
        DataType::FixedSizeBinary(16) => {
            let uids = column.as_fixed_size_binary().iter();
            let texts = uids.map(|uid| {
                let bytes: Option<[u8; 16]> = uid?.try_into().ok();
                bytes.map(|it| uid_text(u128::from_be_bytes(it)))
            });
            PyList::new(py, texts.collect::<Vec<_>>())
        }
        DataType::Dictionary(..) => shared(py, column),
        other => Err(PyTypeError::new_err(format!("a column of {other}"))),
    }
}

fn numbers<'py, T>(py: Python<'py>, column: &PrimitiveArray<T>) -> PyResult<Bound<'py, PyList>>
where
    T: ArrowPrimitiveType,
    T::Native: IntoPyObject<'py>,
{
    if column.null_count() == 0 {
        return PyList::new(py, column.values().iter().copied());
    }
    PyList::new(py, column.iter().collect::<Vec<_>>())
}

/// A column of texts of which there are few: each becomes one Python text.
fn shared<'py>(py: Python<'py>, column: &dyn Array) -> PyResult<Bound<'py, PyList>> {
    let dictionary = column.as_dictionary::<arrow::UInt32Type>();
    let texts = dictionary.values().as_string::<i32>();
    let mut made: Vec<Option<Bound<'py, PyString>>> = vec![None; texts.len()];
    // A slice of a table keeps the texts of all of it: only those that its rows have are made.
    let rows = dictionary.keys().iter().map(|key| {
        let key = key? as usize;
        let text = made[key].get_or_insert_with(|| PyString::new(py, texts.value(key)));
        Some(text.clone())
    });
    PyList::new(py, rows.collect::<Vec<_>>())
}
