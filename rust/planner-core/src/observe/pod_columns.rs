//! The columns of a pod, made of what was read of it.

use serde::Serialize;

use super::{
    annotations::annotations_column,
    object::PodChunk,
    pod::{Container, ContainerStatus, Metadata, OwnerReference, Pod, Quantities, Spec, Status},
    redact::Salt,
    scalar::{parse_milli, parse_resource_version, parse_timestamp, parse_uid, uid_text},
    text::{Pairs, Text},
    updated::{update_bits, was_updated},
};
use crate::{
    batch::flags,
    fleet::{self, Class, PodRow},
    resource::Resource,
};

/// Who an object is, from its `metadata`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity<'a> {
    pub uid: u128,
    pub resource_version: u64,
    pub namespace: &'a str,
    pub name: &'a str,
}

/// Reads who an object is. The error says what is wrong with it.
pub fn identify<'a>(resource: Resource, meta: &'a Metadata<'_>) -> Result<Identity<'a>, String> {
    let kind = resource.kind();
    let name = meta
        .name
        .as_deref()
        .filter(|name| !name.is_empty())
        .ok_or_else(|| {
            format!("a {kind} has no metadata.name; expected what the Kubernetes API server sends")
        })?;
    let namespace = meta.namespace.as_deref().unwrap_or_default();
    let of = || format!("{kind} {namespace}/{name}");
    let uid = meta.uid.as_deref().ok_or_else(|| {
        format!(
            "{} has no metadata.uid; record it from the API server, not from a manifest",
            of()
        )
    })?;
    let uid =
        parse_uid(uid).ok_or_else(|| format!("{}: metadata.uid {uid:?} is not a UUID", of()))?;
    let version = meta.resource_version.as_deref().unwrap_or_default();
    let resource_version = parse_resource_version(version).ok_or_else(|| {
        format!(
            "{}: metadata.resourceVersion {version:?} is not a decimal of 64 bits",
            of()
        )
    })?;
    if namespace.is_empty() && resource.is_namespaced() {
        return Err(format!("{} has no metadata.namespace", of()));
    }
    Ok(Identity {
        uid,
        resource_version,
        namespace,
        name,
    })
}

/// The newest of the times that an object mentions, in seconds UTC.
pub fn newest_s<'a>(mut times: impl Iterator<Item = &'a str>) -> Result<u32, String> {
    times.try_fold(0, |newest, text| Ok(newest.max(second(text)?)))
}

fn second(text: &str) -> Result<u32, String> {
    parse_timestamp(text)
        .ok_or_else(|| format!("{text:?} is no RFC 3339 timestamp between 1970 and 2106"))
}

/// Appends a pod, written as `text`, and tells its row and the newest time that it mentions.
pub fn append(
    pod: Pod<'_>,
    text: &str,
    salt: &Salt,
    PodChunk { texts, pods, .. }: &mut PodChunk,
) -> Result<(PodRow, u32), String> {
    let mut metadata = pod.metadata;
    let labels = metadata.labels.take().unwrap_or_default();
    let annotations = metadata.annotations.take().unwrap_or_default();
    let identity = identify(Resource::Pods, &metadata)?;
    let of = |message| format!("Pod {}/{}: {message}", identity.namespace, identity.name);

    let conditions = pod.status.conditions.as_deref().unwrap_or_default();
    let created = metadata.creation_timestamp.as_deref();
    let transitions = conditions
        .iter()
        .filter_map(|it| it.last_transition_time.as_deref());
    let newest = newest_s(created.into_iter().chain(transitions)).map_err(of)?;
    let ready = conditions
        .iter()
        .find(|condition| &*condition.kind == "Ready");
    let ready_since = ready.and_then(|ready| ready.last_transition_time.as_deref());

    let mut bits = pod.status.phase.as_deref().map_or(0, phase_flag);
    for condition in conditions {
        bits |= condition_flag(&condition.kind, &condition.status);
    }
    bits |= flag(metadata.deletion_timestamp.is_some(), flags::DELETING);
    bits |= flag(
        annotations.get("kubernetes.io/config.mirror").is_some(),
        flags::MIRROR,
    );
    bits |= update_bits(was_updated(&annotations), text);
    let volumes = pod.spec.volumes.as_deref().unwrap_or_default();
    bits |= flag(
        volumes.iter().any(|volume| volume.empty_dir.is_some()),
        flags::EMPTY_DIR,
    );
    let revision = revision_of(&labels);
    let revision_symbol = texts.intern(revision);
    let (labels, label_flags) = labels_column(labels, identity.name);

    let owners = metadata.owner_references.as_deref().unwrap_or_default();
    let class = Class {
        namespace: texts.intern(identity.namespace),
        owner: texts.intern(&owner_column(owners).map_err(of)?),
        revision: revision_symbol,
        labels: texts.intern(&labels),
        annotations: texts.intern(&annotations_column(annotations, salt)),
        spec: texts.intern(&spec_column(&pod.spec, salt).map_err(of)?),
        status: texts.intern(&status_column(&pod.status)),
    };
    let row = pods.push(&fleet::Pod {
        uid: identity.uid,
        name: identity.name,
        node: texts.intern(pod.spec.node_name.as_deref().unwrap_or_default()),
        class,
        created_s: created.map_or(Ok(0), second).map_err(of)?,
        ready_since_s: ready_since.map_or(Ok(0), second).map_err(of)?,
        restarts: restarts(&pod.status).map_err(of)?,
        flags: bits | label_flags,
        resource_version: identity.resource_version,
    });
    Ok((row, newest))
}

pub fn flag(is_set: bool, flag: u16) -> u16 {
    if is_set { flag } else { 0 }
}

/// The flag of a phase.
pub fn phase_flag(phase: &str) -> u16 {
    match phase {
        "Pending" => flags::PENDING,
        "Running" => flags::RUNNING,
        "Succeeded" => flags::SUCCEEDED,
        "Failed" => flags::FAILED,
        _ => 0,
    }
}

/// The flags of a condition.
pub fn condition_flag(kind: &str, status: &str) -> u16 {
    let is_true = status == "True";
    match kind {
        "Ready" => flags::READY_KNOWN | flag(is_true, flags::READY),
        "InPlaceUpdateReady" => flag(!is_true, flags::IN_PLACE_UPDATE_SHUT),
        _ => 0,
    }
}

/// The labels that tell the revision of a pod, the better one first.
pub const REVISION_LABELS: [&str; 2] = ["controller-revision-hash", "pod-template-hash"];

fn revision_of<'a>(labels: &'a Pairs<'_, Text<'_>>) -> &'a str {
    let revision = REVISION_LABELS.iter().find_map(|key| labels.get(key));
    revision.map_or("", |revision| revision)
}

/// What follows the last `-`, or all of a text without one.
fn suffix(text: &str) -> &str {
    text.rsplit('-').next().unwrap_or_default()
}

/// The flag of a label whose value a pod of this name and revision is expected to have, and that
/// value.
pub fn implied_label<'t>(key: &str, name: &'t str, revision: &'t str) -> Option<(u16, &'t str)> {
    Some(match key {
        "statefulset.kubernetes.io/pod-name" => (flags::LABEL_POD_NAME, name),
        "apps.kubernetes.io/pod-index" => (flags::LABEL_POD_INDEX, suffix(name)),
        "apps.kruise.io/cloneset-instance-id" => (flags::LABEL_INSTANCE_ID, suffix(name)),
        "controller-revision-hash" => (flags::LABEL_REVISION, revision),
        "pod-template-hash" => (flags::LABEL_TEMPLATE_HASH, suffix(revision)),
        _ => return None,
    })
}

/// The column `labels`, and the flags of the labels that are left out of it.
pub fn labels_column(mut labels: Pairs<'_, Text<'_>>, name: &str) -> (String, u16) {
    let revision = revision_of(&labels).to_owned();
    let mut bits = 0;
    labels.0.retain(|(key, value)| {
        let Some((flag, implied)) = implied_label(key, name, &revision) else {
            return true;
        };
        let is_implied = &**value == implied;
        bits |= if is_implied { flag } else { 0 };
        !is_implied
    });
    labels.sort();
    (json(&labels), bits)
}

/// The column `owner`.
pub fn owner_column(owners: &[OwnerReference<'_>]) -> Result<String, String> {
    let Some(owner) = owners.iter().find(|owner| owner.controller == Some(true)) else {
        return Ok(String::new());
    };
    let uid = parse_uid(&owner.uid)
        .ok_or_else(|| format!("the uid {:?} of its controller is not a UUID", &*owner.uid))?;
    let group = owner
        .api_version
        .split_once('/')
        .map_or("", |(group, _)| group);
    Ok(format!(
        "{group}|{}|{}|{}",
        &*owner.kind,
        &*owner.name,
        uid_text(uid)
    ))
}

fn restarts(status: &Status<'_>) -> Result<u16, String> {
    statuses(status).try_fold(0u16, |sum, container| {
        let count = u32::try_from(container.restart_count).map_err(|_| {
            format!(
                "restartCount {} of {:?} is negative",
                container.restart_count, &*container.name
            )
        })?;
        Ok(sum.saturating_add(u16::try_from(count).unwrap_or(u16::MAX)))
    })
}

/// The statuses of containers, then those of init containers.
fn statuses<'s, 'a>(status: &'s Status<'a>) -> impl Iterator<Item = &'s ContainerStatus<'a>> {
    let containers = status.container_statuses.as_deref().unwrap_or_default();
    containers.iter().chain(
        status
            .init_container_statuses
            .as_deref()
            .unwrap_or_default(),
    )
}

/// The column `status`.
pub fn status_column(status: &Status<'_>) -> String {
    #[derive(Serialize)]
    struct Row<'p> {
        name: &'p str,
        image: &'p str,
        #[serde(rename = "imageID")]
        image_id: &'p str,
        ready: bool,
    }

    let rows: Vec<_> = statuses(status)
        .map(|it| Row {
            name: &it.name,
            image: it.image.as_deref().unwrap_or_default(),
            image_id: it.image_id.as_deref().unwrap_or_default(),
            ready: it.ready,
        })
        .collect();
    json(&rows)
}

/// The column `spec`.
pub fn spec_column(spec: &Spec<'_>, salt: &Salt) -> Result<String, String> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Column<'p> {
        containers: Vec<ContainerRow<'p>>,
        init_containers: Vec<ContainerRow<'p>>,
        readiness_gates: Vec<&'p str>,
        termination_grace_period_seconds: i64,
        requests: Requests,
    }

    let gates = spec.readiness_gates.as_deref().unwrap_or_default();
    let init = spec.init_containers.as_deref().unwrap_or_default();
    Ok(json(&Column {
        containers: spec
            .containers
            .iter()
            .map(|it| ContainerRow::new(it, salt))
            .collect(),
        init_containers: init.iter().map(|it| ContainerRow::new(it, salt)).collect(),
        readiness_gates: gates.iter().map(|gate| &*gate.condition_type).collect(),
        // 30 is what the API server defaults to.
        termination_grace_period_seconds: spec.termination_grace_period_seconds.unwrap_or(30),
        requests: Requests::of_pod(spec)?,
    }))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ContainerRow<'p> {
    name: &'p str,
    image: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    restart_policy: Option<&'p str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
}

impl<'p> ContainerRow<'p> {
    fn new(container: &'p Container<'_>, salt: &Salt) -> Self {
        let env = container.env.as_deref().unwrap_or_default();
        let values = env
            .iter()
            .filter_map(|it| Some([&*it.name, it.value.as_deref()?]));
        let mut values = values.flatten().peekable();
        Self {
            name: &container.name,
            image: container.image.as_deref().unwrap_or_default(),
            restart_policy: container.restart_policy.as_deref(),
            digest: values.peek().is_some().then(|| salt.digest(values)),
        }
    }
}

/// What the scheduler reserves for a pod: millicores, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
struct Requests {
    cpu: u64,
    memory: u64,
}

impl Requests {
    /// The larger of all containers together and the hungriest moment of initialisation
    /// (`PodRequests` of `k8s.io/component-helpers/resource/helpers.go`); an init container that
    /// always restarts is a sidecar and stays.
    fn of_pod(spec: &Spec<'_>) -> Result<Self, String> {
        let mut sidecars = Self::default();
        let mut peak = Self::default();
        for container in spec.init_containers.as_deref().unwrap_or_default() {
            let own = Self::of_container(container)?;
            peak = peak.max(sidecars.plus(own));
            if container.restart_policy.as_deref() == Some("Always") {
                sidecars = sidecars.plus(own);
            }
        }
        let mut sum = sidecars;
        for container in &spec.containers {
            sum = sum.plus(Self::of_container(container)?);
        }
        let overhead = spec
            .overhead
            .as_ref()
            .map_or(Ok(Self::default()), Self::of_quantities)?;
        Ok(sum.max(peak).plus(overhead))
    }

    fn of_container(container: &Container<'_>) -> Result<Self, String> {
        let requests = container
            .resources
            .as_ref()
            .and_then(|it| it.requests.as_ref());
        requests.map_or(Ok(Self::default()), Self::of_quantities)
    }

    fn of_quantities(quantities: &Quantities<'_>) -> Result<Self, String> {
        let milli = |quantity: &Option<Text<'_>>| match quantity.as_deref() {
            None => Ok(0),
            Some(text) => {
                parse_milli(text).ok_or_else(|| format!("{text:?} is no quantity below 2^54"))
            }
        };
        Ok(Self {
            cpu: milli(&quantities.cpu)?,
            memory: milli(&quantities.memory)?.div_ceil(1000),
        })
    }

    fn plus(self, other: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_add(other.cpu),
            memory: self.memory.saturating_add(other.memory),
        }
    }

    fn max(self, other: Self) -> Self {
        Self {
            cpu: self.cpu.max(other.cpu),
            memory: self.memory.max(other.memory),
        }
    }
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("texts and numbers can be written")
}
