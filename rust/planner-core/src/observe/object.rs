//! Reads one object: a pod into columns, anything else into a redacted document.

use rayon::prelude::*;
use serde::Deserialize;

use super::{
    pod::{Metadata, Pod},
    pod_columns::{append, identify, newest_s},
    quick::QuickReader,
    redact::{Salt, document},
    scalar::parse_resource_version,
    text::{Fault, Text, offset_of},
    tree::Tree,
};
use crate::{
    fleet::{Interner, Pods, Symbol},
    resource::Resource,
};

/// Pods that one thread reads before it takes the next.
const CHUNK: usize = 1024;
/// Other objects, which are longer to read.
const OBJECT_CHUNK: usize = 64;

/// Pods with texts of their own.
#[derive(Debug, Default)]
pub struct PodChunk {
    /// The texts of `pods`.
    pub texts: Interner,
    /// The pods in the order of the input.
    pub pods: Pods,
    /// The newest time that any of them mentions, seconds UTC.
    pub newest_s: u32,
}

/// Reads pods on every core. The result, and the fault that is told of several, depends on the
/// input alone.
pub fn read_pods(text: &str, items: &[&str], salt: &Salt) -> Result<Vec<PodChunk>, Fault> {
    let chunks: Vec<Result<PodChunk, Fault>> = items
        .par_chunks(CHUNK)
        .map(|chunk| read_chunk(text, chunk, salt))
        .collect();
    chunks.into_iter().collect()
}

/// Reads pods that share their texts.
pub fn read_chunk(text: &str, items: &[&str], salt: &Salt) -> Result<PodChunk, Fault> {
    let mut chunk = PodChunk::default();
    let mut quick = QuickReader::new(*salt);
    for item in items {
        let newest_s = match quick.append(item, &mut chunk.texts, &mut chunk.pods) {
            Some(newest_s) => newest_s,
            None => read_slowly(offset_of(text, item), item, salt, &mut chunk)?,
        };
        chunk.newest_s = chunk.newest_s.max(newest_s);
    }
    Ok(chunk)
}

/// Reads a pod of any form, or tells what is wrong with it.
pub fn read_slowly(
    offset: usize,
    item: &str,
    salt: &Salt,
    chunk: &mut PodChunk,
) -> Result<u32, Fault> {
    let pod: Pod<'_> =
        serde_json::from_str(item).map_err(|error| Fault::of_json(&error, item, offset))?;
    check_kind(
        Resource::Pods,
        pod.api_version.as_deref(),
        pod.kind.as_deref(),
    )
    .and_then(|()| append(pod, item, salt, chunk))
    .map(|(_, newest_s)| newest_s)
    .map_err(|message| Fault::new(offset, message))
}

/// An object that is not a pod, or one that is gone.
#[derive(Clone, Debug)]
pub struct Object {
    pub resource: Resource,
    pub uid: u128,
    pub resource_version: u64,
    pub namespace: Symbol,
    pub name: Box<str>,
    /// `None` when it is gone.
    pub document: Option<Box<str>>,
    /// The newest time that it mentions, seconds UTC.
    pub newest_s: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Facts<'a> {
    #[serde(borrow, default)]
    api_version: Option<Text<'a>>,
    #[serde(borrow, default)]
    kind: Option<Text<'a>>,
    #[serde(borrow, default)]
    metadata: Metadata<'a>,
    #[serde(borrow, default)]
    status: Option<Conditions<'a>>,
}

#[derive(Default, Deserialize)]
struct Conditions<'a> {
    #[serde(borrow, default)]
    conditions: Option<Vec<Transition<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Transition<'a> {
    #[serde(borrow, default)]
    last_transition_time: Option<Text<'a>>,
}

/// Objects with texts of their own.
#[derive(Debug, Default)]
pub struct ObjectChunk {
    /// The texts of `objects`.
    pub texts: Interner,
    /// The objects in the order of the input.
    pub objects: Vec<Object>,
}

/// Reads objects that are not pods, parts of `text`, on every core. The result, and the fault that is
/// told of several, depends on the input alone.
pub fn read_objects(
    text: &str,
    items: &[&str],
    resource: Resource,
    api_version: &str,
    salt: &Salt,
) -> Result<Vec<ObjectChunk>, Fault> {
    let read = |items: &[&str]| {
        let mut chunk = ObjectChunk::default();
        for item in items {
            let object = read_object(item, resource, api_version, salt, &mut chunk.texts)
                .map_err(|fault| fault.within(offset_of(text, item)))?;
            chunk.objects.push(object);
        }
        Ok(chunk)
    };
    let chunks: Vec<Result<ObjectChunk, Fault>> =
        items.par_chunks(OBJECT_CHUNK).map(read).collect();
    chunks.into_iter().collect()
}

/// Reads an object that is not a pod. `api_version` is that of its list.
pub fn read_object(
    item: &str,
    resource: Resource,
    api_version: &str,
    salt: &Salt,
    texts: &mut Interner,
) -> Result<Object, Fault> {
    let mut object = read_identity(item, resource, texts)?;
    let tree: Tree<'_> =
        serde_json::from_str(item).map_err(|error| Fault::of_json(&error, item, 0))?;
    check_counts(&tree).map_err(|message| {
        let kind = resource.kind();
        Fault::new(0, format!("{kind} {}: {message}", object.name))
    })?;
    let document = document(tree, resource, api_version, salt).to_string();
    object.document = Some(document.into());
    Ok(object)
}

/// Counts that rules reckon with; all of them are `int32` in the API and never negative.
const COUNTS: [[&str; 2]; 3] = [
    ["spec", "replicas"],
    ["spec", "minReadySeconds"],
    ["status", "desiredNumberScheduled"],
];

fn check_counts(document: &Tree<'_>) -> Result<(), String> {
    for path in COUNTS {
        let is_count = match document.at(&path) {
            None | Some(Tree::Null) => continue,
            Some(Tree::Number(count)) => count.as_u64().is_some_and(|it| i32::try_from(it).is_ok()),
            Some(_) => false,
        };
        if !is_count {
            let count = document.at(&path).expect("it was found");
            return Err(format!(
                "{} {count} is no integer from 0 to {}",
                path.join("."),
                i32::MAX
            ));
        }
    }
    Ok(())
}

/// Reads who an object is and no more, as for one that is gone.
pub fn read_identity(
    item: &str,
    resource: Resource,
    texts: &mut Interner,
) -> Result<Object, Fault> {
    let facts: Facts<'_> =
        serde_json::from_str(item).map_err(|error| Fault::of_json(&error, item, 0))?;
    let told = |message| Fault::new(0, message);
    check_kind(
        resource,
        facts.api_version.as_deref(),
        facts.kind.as_deref(),
    )
    .map_err(told)?;
    let identity = identify(resource, &facts.metadata).map_err(told)?;
    let conditions = facts
        .status
        .unwrap_or_default()
        .conditions
        .unwrap_or_default();
    let transitions = conditions
        .iter()
        .filter_map(|it| it.last_transition_time.as_deref());
    let created = facts.metadata.creation_timestamp.as_deref();
    Ok(Object {
        resource,
        uid: identity.uid,
        resource_version: identity.resource_version,
        namespace: texts.intern(identity.namespace),
        name: identity.name.into(),
        document: None,
        newest_s: newest_s(created.into_iter().chain(transitions))
            .map_err(|message| told(format!("{} {}: {message}", resource.kind(), identity.name)))?,
    })
}

/// Reads the version that a bookmark tells: it has nothing else.
pub fn read_mark(item: &str) -> Result<u64, Fault> {
    let facts: Facts<'_> =
        serde_json::from_str(item).map_err(|error| Fault::of_json(&error, item, 0))?;
    let version = facts
        .metadata
        .resource_version
        .as_deref()
        .unwrap_or_default();
    parse_resource_version(version)
        .ok_or_else(|| Fault::new(0, format!("resourceVersion {version:?} is not a decimal")))
}

/// The answer of `/version`.
pub fn read_version(text: &str, salt: &Salt) -> Result<Object, Fault> {
    let tree: Tree<'_> =
        serde_json::from_str(text).map_err(|error| Fault::of_json(&error, text, 0))?;
    let document = document(tree, Resource::Versions, "", salt).to_string();
    Ok(Object {
        resource: Resource::Versions,
        uid: 0,
        resource_version: 0,
        namespace: Symbol::default(),
        name: "version".into(),
        document: Some(document.into()),
        newest_s: 0,
    })
}

/// Items of a typed list need not tell their kind; one that tells another is in the wrong list.
fn check_kind(
    resource: Resource,
    api_version: Option<&str>,
    kind: Option<&str>,
) -> Result<(), String> {
    let group = |version: &str| {
        version
            .split_once('/')
            .map_or("", |(group, _)| group)
            .to_owned()
    };
    let is_kind = kind.is_none_or(|kind| kind == resource.kind());
    let is_group = api_version.is_none_or(|version| group(version) == resource.group());
    if is_kind && is_group {
        return Ok(());
    }
    Err(format!(
        "{} {} in a list of {}; record every resource into a list of its own",
        api_version.unwrap_or_default(),
        kind.unwrap_or("object"),
        resource.name()
    ))
}
