//! What one JSON document of the input is: a list, an object, an event of a watch, or nothing that
//! Kubernetes sends.

use fearless_simd::Level;
use serde::Deserialize;
use serde_json::{Deserializer, value::RawValue};

use super::{
    cut::{cut, guess},
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
    #[serde(borrow, default, deserialize_with = "items")]
    pub items: Option<Vec<&'a str>>,
    /// Whether items, and with them the end of the document, are only guessed.
    #[serde(skip)]
    pub is_guessed: bool,
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

fn items<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Vec<&'de str>>, D::Error> {
    let items: Option<Vec<&RawValue>> = Deserialize::deserialize(from)?;
    Ok(items.map(|items| items.into_iter().map(RawValue::get).collect()))
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

    /// Whether it is known to be a list of pods, of which every item will be read.
    fn is_of_pods(&self) -> bool {
        let kind = self.kind.as_deref().and_then(|it| it.strip_suffix("List"));
        let api_version = self.api_version.as_deref();
        let of = api_version.zip(kind);
        of.and_then(|(version, kind)| Resource::of(version, kind)) == Some(Resource::Pods)
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
    /// Whether all of it is known to be JSON.
    is_checked: bool,
}

impl Document<'_> {
    /// What is to be told of a document in which a fault was found: what breaks its syntax comes
    /// before everything else, wherever it is.
    pub fn told(&self, fault: Fault) -> Fault {
        if self.is_checked {
            return fault;
        }
        match slow_document(self.text, 0) {
            Some(Err(first)) => first.within(self.offset),
            _ => fault,
        }
    }
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

/// Gives each document of a text to `add`: one, or many one after the other as a watch prints them.
/// Says whether there is any.
///
/// Items of a list may be guessed first. `add` has to leave everything as it was where it tells of a
/// fault that [`Fault::is_of_guess`]: the document comes again then, cut exactly.
pub fn each_document(
    text: &str,
    mut add: impl FnMut(&Document<'_>) -> Result<(), Fault>,
) -> Result<bool, Fault> {
    let mut documents = Documents {
        text,
        at: 0,
        may_guess: true,
    };
    let mut is_any = false;
    while let Some(document) = documents.next()? {
        match add(&document) {
            Err(fault) if fault.is_of_guess => documents.go_back(&document),
            added => added.map_err(|fault| document.told(fault))?,
        }
        is_any = true;
    }
    Ok(is_any)
}

struct Documents<'a> {
    text: &'a str,
    at: usize,
    may_guess: bool,
}

impl<'a> Documents<'a> {
    fn next(&mut self) -> Result<Option<Document<'a>>, Fault> {
        let Some(offset) = after(self.text, self.at, "") else {
            return Ok(None);
        };
        let quick = quick_list(self.text, offset, self.may_guess).map(Ok);
        let read = quick.or_else(|| slow_document(self.text, offset));
        let read = read.transpose()?;
        self.at = read.as_ref().map_or(self.at, |it| offset + it.text.len());
        Ok(read)
    }

    /// Goes back to a document whose items were guessed wrongly. Nothing is guessed from there on.
    fn go_back(&mut self, to: &Document<'_>) {
        self.at = to.offset;
        self.may_guess = false;
    }
}

/// The document at `offset`, if there is one, with every byte of it checked.
fn slow_document(text: &str, offset: usize) -> Option<Result<Document<'_>, Fault>> {
    let rest = &text[offset..];
    let mut stream = Deserializer::from_str(rest).into_iter::<Envelope<'_>>();
    Some(match stream.next()? {
        Ok(envelope) => Ok(Document {
            offset,
            text: &rest[..stream.byte_offset()],
            envelope,
            is_checked: true,
        }),
        Err(error) if error.is_data() => Err(Fault {
            offset,
            ..Fault::of_json(&error, rest, offset)
        }),
        Err(error) => Err(Fault::of_json(&error, rest, offset)),
    })
}

/// The list at `offset` as the API server and kubectl write it, cut into items without a look at
/// what is in them. Whatever is wrong or unusual gives None.
fn quick_list(text: &str, offset: usize, may_guess: bool) -> Option<Document<'_>> {
    let mut envelope = Envelope::default();
    let mut at = offset;
    let mut mark = "{";
    while let Some(next) = after(text, at, mark) {
        let (key, next) = value::<Text<'_>>(text, next)?;
        at = after(text, next, ":")?;
        at = match &*key {
            "apiVersion" if envelope.api_version.is_none() => {
                field(text, at, &mut envelope.api_version)?
            }
            "kind" if envelope.kind.is_none() => field(text, at, &mut envelope.kind)?,
            "metadata" if envelope.metadata.is_none() => field(text, at, &mut envelope.metadata)?,
            "items" if envelope.items.is_none() => {
                let begin = after(text, at, "[")?;
                let level = Level::new();
                let may_guess = may_guess && envelope.is_of_pods();
                let guess = may_guess
                    .then(|| guess(level, text.as_bytes(), begin))
                    .flatten();
                envelope.is_guessed = guess.is_some();
                let cut = guess.or_else(|| cut(level, text.as_bytes(), begin))?;
                envelope.items = Some(cut.of(text)?);
                cut.end + 1
            }
            _ => return None,
        };
        mark = ",";
    }
    let end = after(text, at, "}")?;
    envelope.items.is_some().then(|| Document {
        offset,
        text: &text[offset..end],
        envelope,
        is_checked: false,
    })
}

/// Where `mark` ends that comes next, but for whitespace.
fn after(text: &str, at: usize, mark: &str) -> Option<usize> {
    let rest = text[at..].trim_start_matches([' ', '\n', '\r', '\t']);
    let rest = rest.strip_prefix(mark)?;
    Some(text.len() - rest.len())
}

fn field<'a, T: Deserialize<'a>>(text: &'a str, at: usize, into: &mut Option<T>) -> Option<usize> {
    let (read, end) = value(text, at)?;
    *into = Some(read);
    Some(end)
}

/// The value at `at` and where it ends.
fn value<'a, T: Deserialize<'a>>(text: &'a str, at: usize) -> Option<(T, usize)> {
    let mut stream = Deserializer::from_str(&text[at..]).into_iter::<T>();
    let value = stream.next()?.ok()?;
    Some((value, at + stream.byte_offset()))
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
