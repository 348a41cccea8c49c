//! Collects what was recorded of one cluster and gives it back as batches.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::{
    envelope::{Document, Head, WatchEvent, check_head, documents, read_head, resource_of},
    listed::{Listed, Thing},
    object::{Object, PodChunk, read_identity, read_object, read_pods, read_version},
    redact::Salt,
    scalar::milliseconds,
    text::{Fault, offset_of},
};
use crate::{
    batch::{Batch, BatchWriter, ObjectRow},
    error::InputError,
    fleet::{Interner, PodRow, Pods, Symbol},
    resource::Resource,
};

/// Takes lists, objects and watch events of one cluster in the forms in which the API server and
/// kubectl write them.
///
/// After an error an intake is of no further use: part of the source may have been taken.
#[derive(Debug)]
pub struct Intake {
    salt: Salt,
    is_partial: bool,
    texts: Interner,
    pods: Pods,
    lists: BTreeMap<Resource, Listed>,
    singles: Vec<Thing>,
    events: Vec<Event>,
    /// The newest time that a list or an object mentions, seconds UTC.
    newest_s: u32,
    skipped: BTreeMap<String, u64>,
}

/// An event of a watch, in the order in which it came.
#[derive(Debug)]
struct Event {
    /// When it was recorded, milliseconds UTC; else it is as old as what it mentions.
    time_ms: Option<i64>,
    newest_s: u32,
    thing: Thing,
}

/// The items of a list that are of one resource.
struct Items<'a> {
    resource: Resource,
    api_version: &'a str,
    texts: Vec<&'a RawValue>,
}

impl Intake {
    /// An empty intake. What is `partial` tells nothing of objects that it does not mention.
    #[must_use]
    pub fn new(salt: Salt, is_partial: bool) -> Self {
        Self {
            salt,
            is_partial,
            texts: Interner::default(),
            pods: Pods::default(),
            lists: BTreeMap::new(),
            singles: Vec::new(),
            events: Vec::new(),
            newest_s: 0,
            skipped: BTreeMap::new(),
        }
    }

    /// Objects that the planner does not use, by kind.
    #[must_use]
    pub fn skipped(&self) -> &BTreeMap<String, u64> {
        &self.skipped
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
        let text = simdutf8::compat::from_utf8(text).map_err(|error| {
            Fault::new(
                error.valid_up_to(),
                "this byte is not UTF-8; decode the text first",
            )
        })?;
        let mut is_empty = true;
        for document in documents(text) {
            self.add_document(source, text, &document?)?;
            is_empty = false;
        }
        if is_empty {
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
            let version =
                read_version(document.text, &self.salt).map_err(|fault| fault.within(*offset))?;
            self.singles.push(Thing::Object(Box::new(version)));
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
            *self.skipped.entry(kind.to_owned()).or_default() += items.len() as u64;
            return Ok(());
        };
        let part = Items {
            resource,
            api_version,
            texts: items.to_vec(),
        };
        self.add_items(source, text, document, &part)
    }

    /// The items of a list of anything, by resource.
    fn sort_out<'a>(
        &mut self,
        text: &'a str,
        items: &[&'a RawValue],
    ) -> Result<Vec<Items<'a>>, Fault> {
        let mut parts: BTreeMap<Resource, Items<'a>> = BTreeMap::new();
        for item in items {
            let offset = offset_of(text, item.get());
            let head = read_head(item.get()).map_err(|fault| fault.within(offset))?;
            match resource_of(&head) {
                None => self.skip(&head),
                Some(resource) => {
                    let new = Items {
                        resource,
                        api_version: "",
                        texts: Vec::new(),
                    };
                    parts.entry(resource).or_insert(new).texts.push(item);
                }
            }
        }
        Ok(parts.into_values().collect())
    }

    fn skip(&mut self, head: &Head<'_>) {
        let kind = head.kind.as_deref().unwrap_or_default();
        *self.skipped.entry(kind.to_owned()).or_default() += 1;
    }

    fn add_items(
        &mut self,
        source: &str,
        text: &str,
        document: &Document<'_>,
        part: &Items<'_>,
    ) -> Result<(), Fault> {
        let mut list = self.lists.remove(&part.resource).unwrap_or_default();
        list.begin_page(source, document.offset, &document.envelope)?;
        let things = self.read_items(text, part)?;
        for (thing, item) in things.into_iter().zip(&part.texts) {
            let (uid, namespace, name) = match &thing {
                Thing::Object(object) => (object.uid, object.namespace, &*object.name),
                Thing::Pod(row) => {
                    let pod = self.pods.get(*row);
                    (pod.uid, pod.namespace, pod.name)
                }
                Thing::TimePassed(_) => unreachable!("a list holds objects"),
            };
            list.check(uid, namespace, name).map_err(|message| {
                let namespace = self.texts.text(namespace);
                let of = format!("{} {namespace}/{name}", part.resource.kind());
                Fault::new(offset_of(text, item.get()), format!("{of} {message}"))
            })?;
            list.things.push(thing);
        }
        self.lists.insert(part.resource, list);
        Ok(())
    }

    fn read_items(&mut self, text: &str, part: &Items<'_>) -> Result<Vec<Thing>, Fault> {
        if part.resource == Resource::Pods {
            let chunks = read_pods(text, &part.texts, &self.salt)?;
            let begin = self.pods.len() as PodRow;
            for chunk in &chunks {
                self.newest_s = self.newest_s.max(chunk.newest_s);
                self.take(chunk);
            }
            return Ok((begin..self.pods.len() as PodRow).map(Thing::Pod).collect());
        }
        let mut things = Vec::with_capacity(part.texts.len());
        for item in &part.texts {
            let offset = offset_of(text, item.get());
            let object = self
                .read(item.get(), part.resource, part.api_version)
                .map_err(|fault| fault.within(offset))?;
            self.newest_s = self.newest_s.max(object.newest_s);
            things.push(Thing::Object(Box::new(object)));
        }
        Ok(things)
    }

    fn read(&mut self, item: &str, resource: Resource, api: &str) -> Result<Object, Fault> {
        read_object(item, resource, api, &self.salt, &mut self.texts)
    }

    /// Moves pods over to the texts of the intake.
    fn take(&mut self, chunk: &PodChunk) {
        let symbols: Vec<Symbol> = chunk
            .texts
            .iter()
            .map(|text| self.texts.intern(text))
            .collect();
        for row in 0..chunk.pods.len() as PodRow {
            let pod = chunk.pods.get(row);
            self.pods
                .push(&pod.map_texts(|symbol| symbols[symbol.0 as usize]));
        }
    }

    /// An object by itself says nothing of the others of its resource.
    fn add_single(&mut self, document: &Document<'_>, kind: &str) -> Result<(), Fault> {
        let api_version = document.envelope.api_version.as_deref().unwrap_or_default();
        let Some(resource) = Resource::of(api_version, kind) else {
            *self.skipped.entry(kind.to_owned()).or_default() += 1;
            return Ok(());
        };
        let (thing, newest_s) = self
            .read_one(document.text, resource)
            .map_err(|fault| fault.within(document.offset))?;
        self.newest_s = self.newest_s.max(newest_s);
        self.singles.push(thing);
        Ok(())
    }

    fn read_one(&mut self, item: &str, resource: Resource) -> Result<(Thing, u32), Fault> {
        if resource != Resource::Pods {
            let object = self.read(item, resource, "")?;
            let newest_s = object.newest_s;
            return Ok((Thing::Object(Box::new(object)), newest_s));
        }
        let raw: &RawValue =
            serde_json::from_str(item).map_err(|error| Fault::of_json(&error, item, 0))?;
        let chunk = &read_pods(item, &[raw], &self.salt)?[0];
        let row = self.pods.len() as PodRow;
        self.take(chunk);
        Ok((Thing::Pod(row), chunk.newest_s))
    }

    fn add_event(
        &mut self,
        text: &str,
        event: &WatchEvent<'_>,
        t: Option<f64>,
        line: usize,
    ) -> Result<(), Fault> {
        let item = event.object.get();
        let offset = offset_of(text, item);
        let head = match read_head(item) {
            Ok(head) => head,
            Err(fault) if &*event.event_type != "ERROR" => return Err(fault.within(offset)),
            Err(Fault { message, .. }) => return Err(Fault::new(line, message)),
        };
        let Some(resource) = resource_of(&head) else {
            self.skip(&head);
            return Ok(());
        };
        let time_ms = t
            .map(milliseconds)
            .transpose()
            .map_err(|it| Fault::new(line, it))?;
        let (thing, newest_s) = match &*event.event_type {
            "ADDED" | "MODIFIED" => self
                .read_one(item, resource)
                .map_err(|fault| fault.within(offset))?,
            "DELETED" => {
                let gone = read_identity(item, resource, &mut self.texts)
                    .map_err(|fault| fault.within(offset))?;
                let newest_s = gone.newest_s;
                (Thing::Object(Box::new(gone)), newest_s)
            }
            "BOOKMARK" if time_ms.is_none() => return Ok(()),
            "BOOKMARK" => (Thing::TimePassed(resource), 0),
            other => {
                let message = format!(
                    "a watch event of type {other:?}; \
                     expected ADDED, MODIFIED, DELETED, BOOKMARK or ERROR"
                );
                return Err(Fault::new(line, message));
            }
        };
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
        let mut writer = BatchWriter::new(&self.texts);
        for (resource, list) in &self.lists {
            if !self.is_partial {
                list.check_ended()?;
                writer
                    .row()
                    .list_begun(*resource, time_ms, list.resource_version);
            }
            for thing in &list.things {
                self.write(&mut writer, time_ms, thing);
            }
            if !self.is_partial {
                writer
                    .row()
                    .list_completed(*resource, time_ms, list.resource_version);
            }
        }
        for thing in &self.singles {
            self.write(&mut writer, time_ms, thing);
        }
        let mut clock_ms = time_ms;
        for event in &self.events {
            // Without a recorded time the event is at least as new as what came before it.
            let mentioned_ms = i64::from(event.newest_s) * 1000;
            let time_ms = event.time_ms.unwrap_or_else(|| clock_ms.max(mentioned_ms));
            clock_ms = clock_ms.max(time_ms);
            self.write(&mut writer, time_ms, &event.thing);
        }
        Ok(writer.finish())
    }

    fn write(&self, writer: &mut BatchWriter<'_>, time_ms: i64, thing: &Thing) {
        match thing {
            Thing::Pod(row) => writer.row().pod(time_ms, &self.pods.get(*row)),
            Thing::TimePassed(resource) => writer.row().time_passed(*resource, time_ms),
            Thing::Object(object) => {
                let row = ObjectRow {
                    uid: object.uid,
                    resource_version: object.resource_version,
                    namespace: object.namespace,
                    name: &object.name,
                    document: object.document.as_deref(),
                };
                writer.row().object(object.resource, time_ms, &row);
            }
        }
    }
}
