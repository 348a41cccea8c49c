//! What one JSON document of the input is: a list, an object, an event of a watch, or nothing that
//! Kubernetes sends.

use serde::Deserialize;
use serde_json::{Deserializer, value::RawValue};

use super::{
    scalar::parse_resource_version,
    text::{Fault, Text},
};
use crate::resource::Resource;

/// The top of a document; what is inside stays text until somebody asks.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a Kubernetes object")]
pub struct Envelope<'a> {
    #[serde(borrow, default)]
    pub api_version: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub kind: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub metadata: Option<ListMetadata<'a>>,
    #[serde(borrow, default)]
    pub items: Option<Vec<&'a RawValue>>,
    /// Of `/version`.
    #[serde(borrow, default)]
    pub git_version: Option<Text<'a>>,
    /// Of `Status`.
    #[serde(borrow, default)]
    pub message: Option<Text<'a>>,
    /// Of a recorded event: seconds UTC.
    #[serde(default)]
    pub t: Option<f64>,
    #[serde(borrow, default)]
    pub event: Option<WatchEvent<'a>>,
    /// Of an event as the API server sends it.
    #[serde(borrow, default, rename = "type")]
    pub event_type: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub object: Option<&'a RawValue>,
}

impl Envelope<'_> {
    /// The `resourceVersion` of a list, 0 where it has none.
    pub fn list_version(&self) -> Result<u64, String> {
        let version = self
            .metadata
            .as_ref()
            .and_then(|it| it.resource_version.as_deref())
            .unwrap_or_default();
        parse_resource_version(version)
            .ok_or_else(|| format!("resourceVersion {version:?} of the list is not decimal"))
    }

    /// Whether no page of the list follows.
    pub fn is_last_page(&self) -> bool {
        let next = self
            .metadata
            .as_ref()
            .and_then(|it| it.next_page.as_deref());
        next.is_none_or(str::is_empty)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListMetadata<'a> {
    #[serde(borrow, default)]
    pub resource_version: Option<Text<'a>>,
    /// There is another page.
    #[serde(borrow, default, rename = "continue")]
    pub next_page: Option<Text<'a>>,
}

/// An event of a watch.
#[derive(Clone, Debug, Deserialize)]
#[serde(expecting = "a watch event")]
pub struct WatchEvent<'a> {
    #[serde(borrow, rename = "type")]
    pub event_type: Text<'a>,
    #[serde(borrow)]
    pub object: &'a RawValue,
}

/// Which kind an object says that it is.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a Kubernetes object")]
pub struct Head<'a> {
    #[serde(borrow, default)]
    pub api_version: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub kind: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub message: Option<Text<'a>>,
}

/// A document of the input and where it is.
#[derive(Debug)]
pub struct Document<'a> {
    pub offset: usize,
    pub text: &'a str,
    pub envelope: Envelope<'a>,
}

/// The text of a source.
pub fn utf8(text: &[u8]) -> Result<&str, Fault> {
    simdutf8::compat::from_utf8(text).map_err(|error| {
        Fault::new(
            error.valid_up_to(),
            "this byte is not UTF-8; decode the text first",
        )
    })
}

/// The documents of a text: one, or many one after the other as a watch prints them.
pub fn documents(text: &str) -> impl Iterator<Item = Result<Document<'_>, Fault>> {
    let mut stream = Deserializer::from_str(text).into_iter::<Envelope<'_>>();
    std::iter::from_fn(move || {
        let rest = &text[stream.byte_offset()..];
        let offset = text.len() - rest.trim_start().len();
        Some(match stream.next()? {
            Ok(envelope) => Ok(Document {
                offset,
                text: &text[offset..stream.byte_offset()],
                envelope,
            }),
            Err(error) if error.is_data() => Err(Fault {
                offset,
                ..Fault::of_json(&error, text, 0)
            }),
            Err(error) => Err(Fault::of_json(&error, text, 0)),
        })
    })
}

/// Reads which kind an object is; nothing is said of the rest of it.
pub fn read_head(item: &str) -> Result<Head<'_>, Fault> {
    let head: Head<'_> =
        serde_json::from_str(item).map_err(|error| Fault::of_json(&error, item, 0))?;
    check_head(
        head.kind.as_deref().unwrap_or_default(),
        head.message.as_deref(),
    )
    .map_err(|message| Fault::new(0, message))?;
    Ok(head)
}

/// The resource of an object, if the planner uses it.
pub fn resource_of(head: &Head<'_>) -> Option<Resource> {
    let api_version = head.api_version.as_deref().unwrap_or_default();
    Resource::of(api_version, head.kind.as_deref().unwrap_or_default())
}

/// Whether this is an object at all, and not an error that was saved in its place.
pub fn check_head(kind: &str, message: Option<&str>) -> Result<(), String> {
    match kind {
        "" => Err("this is no Kubernetes object: it has no kind; \
                   expected a list, an object, a watch event or the answer of /version"
            .to_owned()),
        "Status" => Err(format!(
            "the API server answered with an error: {:?}; record it again",
            message.unwrap_or("no message")
        )),
        _ => Ok(()),
    }
}
