//! Collects what a live cluster sends and gives it back as batches, every row in its place.

use std::collections::BTreeMap;

use super::{
    envelope::{Document, WatchEvent, check_head, each_document, utf8},
    reader::{Items, Reader, Thing},
    redact::Salt,
    text::Fault,
};
use crate::{
    batch::{Batch, BatchWriter},
    error::InputError,
    resource::Resource,
};

/// Takes pages of lists, events of watches and answers of `/version` as the API server sends them.
///
/// Unlike an [`super::Intake`] it keeps the order in which things came, and a list may begin in one
/// feed and end in a later one. After an error a feed is of no further use.
#[derive(Debug)]
pub struct Feed {
    reader: Reader,
    rows: Vec<(i64, Row)>,
}

#[derive(Debug)]
enum Row {
    ListBegun(Resource, u64),
    ListCompleted(Resource, u64),
    Thing(Thing),
}

impl Feed {
    /// An empty feed.
    #[must_use]
    pub fn new(salt: Salt) -> Self {
        Self {
            reader: Reader::new(salt),
            rows: Vec::new(),
        }
    }

    /// Objects that the planner does not use, by kind.
    #[must_use]
    pub fn skipped(&self) -> &BTreeMap<String, u64> {
        &self.reader.skipped
    }

    /// Takes what came at `time_ms` (milliseconds UTC). A page `begins` its list or goes on with it;
    /// it ends the list when it names no other page.
    pub fn add(
        &mut self,
        source: &str,
        text: &[u8],
        time_ms: i64,
        begins: bool,
    ) -> Result<(), InputError> {
        self.add_text(text, time_ms, begins)
            .map_err(|fault| InputError {
                source: source.to_owned(),
                offset: fault.offset,
                message: fault.message,
            })
    }

    fn add_text(&mut self, text: &[u8], time_ms: i64, begins: bool) -> Result<(), Fault> {
        let text = utf8(text)?;
        each_document(text, |document| {
            self.add_document(text, document, time_ms, begins)
        })?;
        Ok(())
    }

    fn add_document(
        &mut self,
        text: &str,
        document: &Document<'_>,
        time_ms: i64,
        begins: bool,
    ) -> Result<(), Fault> {
        let envelope = &document.envelope;
        if let (Some(event_type), Some(object)) = (&envelope.event_type, envelope.object) {
            let event = WatchEvent {
                event_type: event_type.clone(),
                object,
            };
            if let Some((thing, _)) = self.reader.event(text, &event, document.offset)? {
                self.rows.push((time_ms, Row::Thing(thing)));
            }
            Ok(())
        } else if envelope.kind.is_none() && envelope.git_version.is_some() {
            let version = self.reader.version(document.text);
            let version = version.map_err(|fault| fault.within(document.offset))?;
            self.rows.push((time_ms, Row::Thing(version)));
            Ok(())
        } else {
            self.add_page(text, document, time_ms, begins)
        }
    }

    fn add_page(
        &mut self,
        text: &str,
        document: &Document<'_>,
        time_ms: i64,
        begins: bool,
    ) -> Result<(), Fault> {
        let fault = |message| Fault::new(document.offset, message);
        let envelope = &document.envelope;
        let kind = envelope.kind.as_deref().unwrap_or_default();
        check_head(kind, envelope.message.as_deref()).map_err(fault)?;
        let api_version = envelope.api_version.as_deref().unwrap_or_default();
        let of = kind.strip_suffix("List").unwrap_or_default();
        let items = envelope.items.clone().unwrap_or_default();
        let Some(resource) = Resource::of(api_version, of) else {
            self.reader.skip(kind, items.len());
            return Ok(());
        };
        let version = envelope.list_version().map_err(fault)?;
        let part = Items {
            resource,
            api_version,
            texts: items,
            is_guessed: envelope.is_guessed,
        };
        let (things, _) = self.reader.items(text, &part)?;
        if begins {
            self.rows.push((time_ms, Row::ListBegun(resource, version)));
        }
        self.rows
            .extend(things.into_iter().map(|thing| (time_ms, Row::Thing(thing))));
        if envelope.is_last_page() {
            self.rows
                .push((time_ms, Row::ListCompleted(resource, version)));
        }
        Ok(())
    }

    /// Everything as batches, in the order in which it came.
    #[must_use]
    pub fn finish(&self) -> Vec<Batch> {
        let mut writer = BatchWriter::new(&self.reader.texts);
        for (time_ms, row) in &self.rows {
            match row {
                Row::ListBegun(resource, version) => {
                    writer.row().list_begun(*resource, *time_ms, *version);
                }
                Row::ListCompleted(resource, version) => {
                    writer.row().list_completed(*resource, *time_ms, *version);
                }
                Row::Thing(thing) => self.reader.write(&mut writer, *time_ms, thing),
            }
        }
        writer.finish()
    }
}
