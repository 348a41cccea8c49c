//! Batches as bytes: an Arrow IPC stream with zstd buffers, and a checksum after its end.
//!
//! Readers of Arrow streams stop before the checksum, so any of them can read what the log holds.
//! The checksum comes first for us: the lengths within a damaged stream are not to be believed.

use std::io::Cursor;

use arrow_array::{Array, RecordBatch};
use arrow_ipc::{
    CompressionType,
    reader::StreamReader,
    writer::{IpcWriteOptions, StreamWriter},
};

use super::{Batch, CODEC, Columns, Event, schema};
use crate::{error::CodecError, resource::Resource};

const CHECKSUM_BYTES: usize = 32;

impl Batch {
    /// The bytes that the log stores, equal for equal batches.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let options = IpcWriteOptions::default()
            .try_with_compression(Some(CompressionType::ZSTD))
            .expect("zstd is compiled in");
        let mut writer = StreamWriter::try_new_with_options(Vec::new(), &schema(), options)
            .expect("memory takes every byte");
        writer
            .write(&self.0)
            .expect("the batch has the schema of the stream");
        let mut bytes = writer.into_inner().expect("memory takes every byte");
        let checksum = blake3::hash(&bytes);
        bytes.extend_from_slice(checksum.as_bytes());
        bytes
    }

    /// Reads what [`Batch::to_bytes`] wrote and checks every row.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        let damaged = || {
            CodecError(format!(
                "these bytes are no batch of {CODEC}: the checksum does not match"
            ))
        };
        let (stream, checksum) = bytes
            .split_last_chunk::<CHECKSUM_BYTES>()
            .ok_or_else(damaged)?;
        if blake3::hash(stream) != *checksum {
            return Err(damaged());
        }
        let unreadable = |error| CodecError(format!("a batch of {CODEC} cannot be read: {error}"));
        let mut reader = StreamReader::try_new(Cursor::new(stream), None).map_err(unreadable)?;
        let records = reader
            .next()
            .ok_or_else(|| CodecError(format!("a stream of {CODEC} holds no batch")))?
            .map_err(unreadable)?;
        Self::from_records(records)
    }

    /// Takes columns that came from elsewhere after checking every row.
    pub fn from_records(records: RecordBatch) -> Result<Self, CodecError> {
        if records.schema_ref() != &schema() {
            let found = records
                .schema_ref()
                .metadata()
                .get("codec")
                .map_or("none", String::as_str);
            return Err(CodecError(format!(
                "these columns are not those of {CODEC} (codec: {found}); \
                 use the version of the planner that wrote them"
            )));
        }
        let batch = Self(records);
        batch.check()?;
        Ok(batch)
    }

    /// Every row has the columns of its event, so that nobody needs to ask again.
    fn check(&self) -> Result<(), CodecError> {
        let columns = self.columns();
        let values_are_present = columns
            .dictionaries()
            .iter()
            .all(|it| it.values().null_count() == 0);
        if !values_are_present {
            return Err(CodecError(
                "a dictionary holds null; the batch is damaged".to_owned(),
            ));
        }
        for row in 0..self.len() {
            check_row(&columns, row)
                .map_err(|message| CodecError(format!("row {row}: {message}")))?;
        }
        Ok(())
    }
}

fn check_row(columns: &Columns<'_>, row: usize) -> Result<(), String> {
    let code = columns.event.value(row);
    let event = Event::from_code(code).ok_or_else(|| format!("event {code} is not known"))?;
    let code = columns.resource.value(row);
    let resource =
        Resource::from_code(code).ok_or_else(|| format!("resource {code} is not known"))?;
    let has_identity = matches!(event, Event::Observed | Event::Gone);
    let is_pod = event == Event::Observed && resource == Resource::Pods;
    let is_object = event == Event::Observed && resource != Resource::Pods;
    let expected = [
        (columns.uid.is_valid(row), has_identity, "uid"),
        (columns.namespace.is_valid(row), has_identity, "namespace"),
        (columns.name.is_valid(row), has_identity, "name"),
        (
            // Bookmarks of former logs lack it.
            columns.resource_version.is_valid(row) || event == Event::TimePassed,
            true,
            "resource_version",
        ),
        (columns.document.is_valid(row), is_object, "document"),
        (columns.pod_is_valid(row), is_pod, "columns of a pod"),
    ];
    for (found, wanted, what) in expected {
        if found != wanted {
            let is = if found { "present" } else { "missing" };
            return Err(format!("{what} {is} in {event:?} of {resource:?}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{RecordBatch, UInt64Array};

    use crate::{
        batch::{Batch, BatchBuilder},
        fleet::Interner,
        resource::Resource,
    };

    fn without_version(batch: &Batch) -> RecordBatch {
        let mut columns = batch.records().columns().to_vec();
        columns[4] = Arc::new(UInt64Array::from(vec![None]));
        RecordBatch::try_new(batch.records().schema(), columns).unwrap()
    }

    #[test]
    fn only_bookmarks_may_lack_their_version() {
        let texts = Interner::default();
        let mut bookmark = BatchBuilder::new(&texts);
        bookmark.time_passed(Resource::Pods, 1, 9);
        let mut begun = BatchBuilder::new(&texts);
        begun.list_begun(Resource::Pods, 1, 9);
        assert!(Batch::from_records(without_version(&bookmark.finish())).is_ok());
        assert!(Batch::from_records(without_version(&begun.finish())).is_err());
    }
}
