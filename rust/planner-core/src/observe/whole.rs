//! What is read of a pod to tell whether its update in place is over; see [`super::updated`].

use serde::Deserialize;
use serde_json::value::RawValue;

use super::text::{Pairs, Text, or_default};

#[derive(Deserialize)]
pub struct Whole<'a> {
    #[serde(borrow, default)]
    pub metadata: Metadata<'a>,
    #[serde(borrow, default)]
    pub spec: Spec<'a>,
    #[serde(borrow, default)]
    pub status: Status<'a>,
}

#[derive(Default, Deserialize)]
pub struct Metadata<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub labels: Pairs<'a, Text<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub annotations: Pairs<'a, Text<'a>>,
}

#[derive(Default, Deserialize)]
pub struct Spec<'a> {
    #[serde(borrow, default)]
    pub containers: Vec<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub container_statuses: Vec<ContainerStatus<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerStatus<'a> {
    #[serde(borrow)]
    pub name: Text<'a>,
    #[serde(borrow, default)]
    pub image: Text<'a>,
    #[serde(borrow, default, rename = "imageID")]
    pub image_id: Text<'a>,
    #[serde(borrow, default, rename = "containerID")]
    pub id: Text<'a>,
    #[serde(borrow, default)]
    pub resources: Option<Resources<'a>>,
}

#[derive(Deserialize)]
pub struct Container<'a> {
    /// As it is written.
    #[serde(skip)]
    pub raw: &'a str,
    #[serde(borrow)]
    pub name: Text<'a>,
    #[serde(borrow, default)]
    pub image: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub env: Vec<Variable<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub resources: Resources<'a>,
}

#[derive(Default, Deserialize)]
pub struct Resources<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub limits: Pairs<'a, Text<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub requests: Pairs<'a, Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Variable<'a> {
    #[serde(borrow)]
    pub name: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub value: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub value_from: Source<'a>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Source<'a> {
    #[serde(borrow, default)]
    pub field_ref: Option<FieldRef<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldRef<'a> {
    #[serde(borrow)]
    pub field_path: Text<'a>,
}

/// What an update in place changes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub last_container_statuses: Pairs<'a, Last<'a>>,
    #[serde(default)]
    pub update_env_from_metadata: bool,
    #[serde(default)]
    pub update_resources: bool,
}

#[derive(Deserialize)]
pub struct Last<'a> {
    #[serde(borrow, default, rename = "imageID")]
    pub image_id: Text<'a>,
}

/// What `OpenKruise`'s daemon reports (`apis/apps/pub/inplace_update.go RuntimeContainerMetaSet`).
#[derive(Deserialize)]
pub struct Runtime<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub containers: Vec<Running<'a>>,
}

#[derive(Deserialize)]
pub struct Running<'a> {
    #[serde(borrow)]
    pub name: Text<'a>,
    #[serde(borrow, default, rename = "containerID")]
    pub id: Text<'a>,
    #[serde(default)]
    pub hashes: Hashes,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Hashes {
    pub plain_hash: u64,
    pub extracted_env_from_metadata_hash: u64,
}

impl<'a> Container<'a> {
    /// Reads a container.
    pub fn read(raw: &'a str) -> Option<Self> {
        let container: Self = serde_json::from_str(raw).ok()?;
        Some(Self { raw, ..container })
    }
}
