//! Reads objects of one cluster into what rows are made of.

use std::collections::BTreeMap;

use super::{
    envelope::{WatchEvent, read_head, resource_of},
    object::{
        Object, PodChunk, read_identity, read_mark, read_object, read_objects, read_pods,
        read_version,
    },
    redact::Salt,
    text::{Fault, offset_of},
};
use crate::{
    batch::{BatchWriter, ObjectRow},
    fleet::{Interner, PodRow, Pods, Symbol},
    resource::Resource,
};

/// What a row will be made of.
#[derive(Debug)]
pub enum Thing {
    /// A pod of the reader.
    Pod(PodRow),
    /// Anything else, or what is gone.
    Object(Box<Object>),
    /// A bookmark, and the version that it tells.
    TimePassed(Resource, u64),
}

/// The items of a list that are of one resource.
pub struct Items<'a> {
    pub resource: Resource,
    /// Of the list, for items that lack their own.
    pub api_version: &'a str,
    pub texts: Vec<&'a str>,
    /// Whether texts are only guessed.
    pub is_guessed: bool,
}

/// Keeps texts and pods once, however many objects hold them.
#[derive(Debug)]
pub struct Reader {
    salt: Salt,
    pub texts: Interner,
    pods: Pods,
    /// Objects that the planner does not use, by kind.
    pub skipped: BTreeMap<String, u64>,
}

impl Reader {
    pub fn new(salt: Salt) -> Self {
        Self {
            salt,
            texts: Interner::default(),
            pods: Pods::default(),
            skipped: BTreeMap::new(),
        }
    }

    /// Counts objects that are not used.
    pub fn skip(&mut self, kind: &str, count: usize) {
        *self.skipped.entry(kind.to_owned()).or_default() += count as u64;
    }

    /// Reads items of a list that is part of `text`, and the newest time that any of them mentions,
    /// seconds UTC. All of them, or none and a fault.
    pub fn items(&mut self, text: &str, part: &Items<'_>) -> Result<(Vec<Thing>, u32), Fault> {
        let mut newest_s = 0;
        if part.resource == Resource::Pods {
            let chunks = read_pods(text, &part.texts, &self.salt).map_err(|fault| Fault {
                is_of_guess: part.is_guessed,
                ..fault
            })?;
            let begin = self.pods.len() as PodRow;
            for chunk in &chunks {
                newest_s = newest_s.max(chunk.newest_s);
                self.take(chunk);
            }
            let rows = begin..self.pods.len() as PodRow;
            return Ok((rows.map(Thing::Pod).collect(), newest_s));
        }
        let (resource, api_version) = (part.resource, part.api_version);
        let chunks = read_objects(text, &part.texts, resource, api_version, &self.salt)?;
        let mut things = Vec::with_capacity(part.texts.len());
        for chunk in chunks {
            let symbols = self.symbols(&chunk.texts);
            for mut object in chunk.objects {
                object.namespace = symbols[object.namespace.0 as usize];
                newest_s = newest_s.max(object.newest_s);
                things.push(Thing::Object(Box::new(object)));
            }
        }
        Ok((things, newest_s))
    }

    /// Reads one object that says what it is, and the newest time that it mentions.
    pub fn one(&mut self, item: &str, resource: Resource) -> Result<(Thing, u32), Fault> {
        if resource != Resource::Pods {
            let object = read_object(item, resource, "", &self.salt, &mut self.texts)?;
            let newest_s = object.newest_s;
            return Ok((Thing::Object(Box::new(object)), newest_s));
        }
        let chunk = &read_pods(item, &[item], &self.salt)?[0];
        let row = self.pods.len() as PodRow;
        self.take(chunk);
        Ok((Thing::Pod(row), chunk.newest_s))
    }

    /// Reads the answer of `/version`.
    pub fn version(&self, text: &str) -> Result<Thing, Fault> {
        Ok(Thing::Object(Box::new(read_version(text, &self.salt)?)))
    }

    /// Reads an event of a watch that is part of `text` and begins at `line`; `None` when it is of
    /// an object that is not used.
    pub fn event(
        &mut self,
        text: &str,
        event: &WatchEvent<'_>,
        line: usize,
    ) -> Result<Option<(Thing, u32)>, Fault> {
        let item = event.object.get();
        let offset = offset_of(text, item);
        let head = match read_head(item) {
            Ok(head) => head,
            Err(fault) if &*event.event_type != "ERROR" => return Err(fault.within(offset)),
            Err(Fault { message, .. }) => return Err(Fault::new(line, message)),
        };
        let Some(resource) = resource_of(&head) else {
            self.skip(head.kind.as_deref().unwrap_or_default(), 1);
            return Ok(None);
        };
        let read = match &*event.event_type {
            "ADDED" | "MODIFIED" => self.one(item, resource),
            "DELETED" => read_identity(item, resource, &mut self.texts).map(|gone| {
                let newest_s = gone.newest_s;
                (Thing::Object(Box::new(gone)), newest_s)
            }),
            "BOOKMARK" => read_mark(item).map(|version| (Thing::TimePassed(resource, version), 0)),
            other => {
                let message = format!(
                    "a watch event of type {other:?}; \
                     expected ADDED, MODIFIED, DELETED, BOOKMARK or ERROR"
                );
                return Err(Fault::new(line, message));
            }
        };
        read.map(Some).map_err(|fault| fault.within(offset))
    }

    /// Who an object of a list is: its uid, namespace and name.
    pub fn identity<'a>(&'a self, thing: &'a Thing) -> (u128, Symbol, &'a str) {
        match thing {
            Thing::Object(object) => (object.uid, object.namespace, &*object.name),
            Thing::Pod(row) => {
                let pod = self.pods.get(*row);
                (pod.uid, pod.class.namespace, pod.name)
            }
            Thing::TimePassed(..) => unreachable!("a list holds objects"),
        }
    }

    /// Writes a row.
    pub fn write(&self, writer: &mut BatchWriter<'_>, time_ms: i64, thing: &Thing) {
        match thing {
            Thing::Pod(row) => writer.row().pod(time_ms, &self.pods.get(*row)),
            Thing::TimePassed(resource, version) => {
                writer.row().time_passed(*resource, time_ms, *version);
            }
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

    /// What texts of a chunk are among those of the reader.
    fn symbols(&mut self, texts: &Interner) -> Vec<Symbol> {
        texts.iter().map(|text| self.texts.intern(text)).collect()
    }

    /// Moves pods over to the texts of the reader.
    fn take(&mut self, chunk: &PodChunk) {
        let symbols = self.symbols(&chunk.texts);
        for row in 0..chunk.pods.len() as PodRow {
            let pod = chunk.pods.get(row);
            self.pods
                .push(&pod.map_texts(|symbol| symbols[symbol.0 as usize]));
        }
    }
}
