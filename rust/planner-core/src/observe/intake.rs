//! Collects what was recorded of one cluster and gives it back as batches.

use std::collections::BTreeMap;

use super::{
    envelope::{Document, WatchEvent, check_head, each_document, read_head, resource_of, utf8},
    listed::Listed,
    reader::{Items, Reader, Thing},
    redact::Salt,
    scalar::milliseconds,
    text::{Fault, offset_of},
};
use crate::{
    batch::{Batch, BatchWriter},
    error::InputError,
    resource::Resource,
};

/// Takes lists, objects and watch events of one cluster in the forms in which the API server and
/// kubectl write them.
///
/// After an error an intake is of no further use: part of the source may have been taken.
#[derive(Debug)]
pub struct Intake {
    is_partial: bool,
    reader: Reader,
    lists: BTreeMap<Resource, Listed>,
    singles: Vec<Thing>,
    events: Vec<Event>,
    /// The newest time that a list or an object mentions, seconds UTC.
    newest_s: u32,
}

/// An event of a watch, in the order in which it came.
#[derive(Debug)]
struct Event {
    /// When it was recorded, milliseconds UTC; else it is as old as what it mentions.
    time_ms: Option<i64>,
    newest_s: u32,
    thing: Thing,
}

impl Intake {
    /// An empty intake. What is `partial` tells nothing of objects that it does not mention.
    #[must_use]
    pub fn new(salt: Salt, is_partial: bool) -> Self {
        Self {
            is_partial,
            reader: Reader::new(salt),
            lists: BTreeMap::new(),
            singles: Vec::new(),
            events: Vec::new(),
            newest_s: 0,
        }
    }

    /// Objects that the planner does not use, by kind.
    #[must_use]
    pub fn skipped(&self) -> &BTreeMap<String, u64> {
        &self.reader.skipped
    }

    /// Takes the text of a source: one list or object, or documents one after the other.
    pub fn add(&mut self, source: &str, text: &[u8]) -> Result<(), InputError> {
        self.add_text(source, text).map_err(|fault| InputError {
            source: source.to_owned(),
            offset: fault.offset,
            message: fault.message,
        })
    }

    fn add_text(&mut self, source: &str, text: &[u8]) -> Result<(), Fault> {
        let text = utf8(text)?;
        let is_any = each_document(text, |document| self.add_document(source, text, document))?;
        if !is_any {
            return Err(Fault::new(0, "there is nothing in it; record it again"));
        }
        Ok(())
    }

    fn add_document(
        &mut self,
        source: &str,
        text: &str,
        document: &Document<'_>,
    ) -> Result<(), Fault> {
        let Document {
            offset, envelope, ..
        } = document;
        let kind = envelope.kind.as_deref().unwrap_or_default();
        if let Some(event) = &envelope.event {
            return self.add_event(text, event, envelope.t, *offset);
        }
        if let (Some(event_type), Some(object), "") = (&envelope.event_type, envelope.object, kind)
        {
            let event = WatchEvent {
                event_type: event_type.clone(),
                object,
            };
            return self.add_event(text, &event, envelope.t, *offset);
        }
        if kind.is_empty() && envelope.git_version.is_some() {
            let version = self.reader.version(document.text);
            self.singles
                .push(version.map_err(|fault| fault.within(*offset))?);
            return Ok(());
        }
        check_head(kind, envelope.message.as_deref()).map_err(|it| Fault::new(*offset, it))?;
        match kind.strip_suffix("List") {
            Some(of) => self.add_list(source, text, document, of),
            None => self.add_single(document, kind),
        }
    }

    fn add_list(
        &mut self,
        source: &str,
        text: &str,
        document: &Document<'_>,
        kind: &str,
    ) -> Result<(), Fault> {
        let envelope = &document.envelope;
        let api_version = envelope.api_version.as_deref().unwrap_or_default();
        let items = envelope.items.as_deref().unwrap_or_default();
        if kind.is_empty() {
            for part in self.sort_out(text, items)? {
                self.add_items(source, text, document, &part)?;
            }
            return Ok(());
        }
        let Some(resource) = Resource::of(api_version, kind) else {
            self.reader.skip(kind, items.len());
            return Ok(());
        };
        let part = Items {
            resource,
            api_version,
            texts: items.to_vec(),
            is_guessed: envelope.is_guessed,
        };
        self.add_items(source, text, document, &part)
    }

    /// The items of a list of anything, by resource.
    fn sort_out<'a>(&mut self, text: &'a str, items: &[&'a str]) -> Result<Vec<Items<'a>>, Fault> {
        let mut parts: BTreeMap<Resource, Items<'a>> = BTreeMap::new();
        for item in items {
            let offset = offset_of(text, item);
            let head = read_head(item).map_err(|fault| fault.within(offset))?;
            match resource_of(&head) {
                None => self
                    .reader
                    .skip(head.kind.as_deref().unwrap_or_default(), 1),
                Some(resource) => {
                    let new = Items {
                        resource,
                        api_version: "",
                        texts: Vec::new(),
                        is_guessed: false,
                    };
                    parts.entry(resource).or_insert(new).texts.push(item);
                }
            }
        }
        Ok(parts.into_values().collect())
    }

    fn add_items(
        &mut self,
        source: &str,
        text: &str,
        document: &Document<'_>,
        part: &Items<'_>,
    ) -> Result<(), Fault> {
        // A guess that was wrong leaves everything as it was.
        let (things, newest_s) = self.reader.items(text, part)?;
        let mut list = self.lists.remove(&part.resource).unwrap_or_default();
        list.begin_page(source, document.offset, &document.envelope)?;
        self.newest_s = self.newest_s.max(newest_s);
        for (thing, item) in things.into_iter().zip(&part.texts) {
            let (uid, namespace, name) = self.reader.identity(&thing);
            list.check(uid, namespace, name).map_err(|message| {
                let namespace = self.reader.texts.text(namespace);
                let of = format!("{} {namespace}/{name}", part.resource.kind());
                Fault::new(offset_of(text, item), format!("{of} {message}"))
            })?;
            list.things.push(thing);
        }
        self.lists.insert(part.resource, list);
        Ok(())
    }

    /// An object by itself says nothing of the others of its resource.
    fn add_single(&mut self, document: &Document<'_>, kind: &str) -> Result<(), Fault> {
        let api_version = document.envelope.api_version.as_deref().unwrap_or_default();
        let Some(resource) = Resource::of(api_version, kind) else {
            self.reader.skip(kind, 1);
            return Ok(());
        };
        let (thing, newest_s) = self
            .reader
            .one(document.text, resource)
            .map_err(|fault| fault.within(document.offset))?;
        self.newest_s = self.newest_s.max(newest_s);
        self.singles.push(thing);
        Ok(())
    }

    fn add_event(
        &mut self,
        text: &str,
        event: &WatchEvent<'_>,
        t: Option<f64>,
        line: usize,
    ) -> Result<(), Fault> {
        let time_ms = t
            .map(milliseconds)
            .transpose()
            .map_err(|it| Fault::new(line, it))?;
        let Some((thing, newest_s)) = self.reader.event(text, event, line)? else {
            return Ok(());
        };
        // A bookmark without a time says nothing.
        if matches!(thing, Thing::TimePassed(..)) && time_ms.is_none() {
            return Ok(());
        }
        self.events.push(Event {
            time_ms,
            newest_s,
            thing,
        });
        Ok(())
    }

    /// Everything as batches: a list of each resource, then objects by themselves, then events.
    pub fn finish(&self) -> Result<Vec<Batch>, InputError> {
        let time_ms = i64::from(self.newest_s) * 1000;
        let mut writer = BatchWriter::new(&self.reader.texts);
        for (resource, list) in &self.lists {
            if !self.is_partial {
                list.check_ended()?;
                writer
                    .row()
                    .list_begun(*resource, time_ms, list.resource_version);
            }
            for thing in &list.things {
                self.reader.write(&mut writer, time_ms, thing);
            }
            if !self.is_partial {
                writer
                    .row()
                    .list_completed(*resource, time_ms, list.resource_version);
            }
        }
        for thing in &self.singles {
            self.reader.write(&mut writer, time_ms, thing);
        }
        let mut clock_ms = time_ms;
        for event in &self.events {
            // Without a recorded time the event is at least as new as what came before it.
            let mentioned_ms = i64::from(event.newest_s) * 1000;
            let time_ms = event.time_ms.unwrap_or_else(|| clock_ms.max(mentioned_ms));
            clock_ms = clock_ms.max(time_ms);
            self.reader.write(&mut writer, time_ms, &event.thing);
        }
        Ok(writer.finish())
    }
}
