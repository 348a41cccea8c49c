//! Puts pods that were read the quick way into columns; see [`super::quick_pod`].

use fearless_simd::Level;
use serde::Deserialize;

use super::{
    annotations::annotations_column,
    cursor::{Cursor, Mark},
    likeness::{Likeness, Own},
    memo::{Key, Memo},
    pod::{OwnerReference, Spec, Status},
    pod_columns::{labels_column, owner_column, spec_column, status_column},
    quick_meta::Meta,
    quick_pod::QuickPod,
    redact::Salt,
    scan::{Block, index},
    text::{Pairs, Text, offset_of},
    updated::{is_recorded, update_bits},
};
use crate::{
    batch::flags,
    fleet::{self, Class, Interner, Pods, Symbol},
};

/// Flags of labels that are left out.
const IMPLIED: u16 = flags::LABEL_POD_NAME
    | flags::LABEL_POD_INDEX
    | flags::LABEL_INSTANCE_ID
    | flags::LABEL_REVISION
    | flags::LABEL_TEMPLATE_HASH;

/// Reads pods whose texts are all of one interner.
#[derive(Debug)]
pub struct QuickReader<'a> {
    level: Level,
    salt: Salt,
    memo: Memo,
    /// The last pod that was read, and how.
    last: Option<fleet::Pod<'a>>,
    likeness: Likeness<'a>,
    ready_since: Option<usize>,
    // The rest is kept for its memory only.
    own: Own<'a>,
    owner: Key,
    blocks: Vec<Block>,
    marks: Vec<Mark>,
    pod: QuickPod<'a>,
}

impl<'a> QuickReader<'a> {
    pub fn new(salt: Salt) -> Self {
        Self {
            level: Level::new(),
            salt,
            memo: Memo::default(),
            last: None,
            likeness: Likeness::default(),
            ready_since: None,
            own: Own::default(),
            owner: Key::default(),
            blocks: Vec::new(),
            marks: Vec::new(),
            pod: QuickPod::default(),
        }
    }

    /// Appends a pod to `pods` and tells the newest time that it mentions, seconds UTC. None, and
    /// nothing appended, if it has to be read the slow way.
    pub fn append(&mut self, text: &'a str, texts: &mut Interner, pods: &mut Pods) -> Option<u32> {
        let alike = self.alike(text, texts);
        let (pod, newest_s) = match alike {
            Some(read) => read,
            None => self.read(text, texts)?,
        };
        pods.push(&pod);
        Some(newest_s)
    }

    /// Reads a pod that is like the last one.
    fn alike(&mut self, text: &'a str, texts: &mut Interner) -> Option<(fleet::Pod<'a>, u32)> {
        let mut pod = self.last?;
        self.likeness.read(self.level, text, &mut self.own)?;
        let own = &self.own;
        let meta = &mut self.pod.meta;
        meta.clear();
        pod.name = own.name.unwrap_or(pod.name);
        pod.uid = own.uid.unwrap_or(pod.uid);
        pod.resource_version = own.resource_version.unwrap_or(pod.resource_version);
        pod.created_s = own.created_s.unwrap_or(pod.created_s);
        pod.ready_since_s = self.ready_since.map_or(0, |number| own.transitions[number]);
        // Which labels are left out depends on the name.
        if let (Some(labels), true) = (own.labels, own.has_labels || own.name.is_some()) {
            meta.name = pod.name;
            index(self.level, labels.as_bytes(), &mut self.blocks).then_some(())?;
            meta.labels(&mut Cursor::new(labels, &self.blocks, &mut self.marks))?;
            meta.imply_labels()?;
            pod.class.revision = texts.intern(meta.revision);
            pod.class.labels = labels_symbol(&mut self.memo, meta, texts)?;
            pod.flags = pod.flags & !IMPLIED | meta.bits;
        }
        if let (Some(annotations), true) = (own.annotations, own.has_annotations) {
            meta.bits = 0;
            index(self.level, annotations.as_bytes(), &mut self.blocks).then_some(())?;
            meta.annotations(&mut Cursor::new(annotations, &self.blocks, &mut self.marks))?;
            pod.class.annotations = annotations_symbol(&mut self.memo, meta, texts, &self.salt)?;
            pod.flags = pod.flags & !flags::MIRROR | meta.bits;
        }
        pod.flags = pod.flags & !flags::IN_PLACE_UPDATE_OVER
            | update_bits(own.annotations.is_some_and(is_recorded), text);
        if let Some(node) = own.node {
            pod.node = texts.intern(node);
        }
        self.marks.clear();
        let newest_s = own.transitions.iter().copied().max().unwrap_or_default();
        Some((pod, newest_s.max(pod.created_s)))
    }

    /// Reads a pod, and keeps it as the last one.
    fn read(&mut self, text: &'a str, texts: &mut Interner) -> Option<(fleet::Pod<'a>, u32)> {
        self.last = None;
        self.marks.clear();
        if !index(self.level, text.as_bytes(), &mut self.blocks) {
            return None;
        }
        self.pod
            .read(&mut Cursor::new(text, &self.blocks, &mut self.marks))?;
        let class = self.class(texts)?;
        let QuickPod { meta, spec, status } = &self.pod;
        let pod = fleet::Pod {
            uid: meta.uid,
            name: meta.name,
            node: texts.intern(spec.node.unwrap_or_default()),
            class,
            created_s: meta.created_s,
            ready_since_s: status.ready_since.map_or(0, |it| status.transitions[it]),
            restarts: status.restarts,
            flags: self.pod.bits() | update_bits(meta.annotations.is_some_and(is_recorded), text),
            resource_version: meta.resource_version,
        };
        let newest_s = status.transitions.iter().copied().max().unwrap_or_default();
        let newest_s = newest_s.max(meta.created_s);
        self.last = Some(pod);
        self.ready_since = status.ready_since;
        let likeness = &mut self.likeness;
        likeness.text = text;
        likeness.transitions.clone_from(&status.transitions);
        std::mem::swap(&mut likeness.blocks, &mut self.blocks);
        std::mem::swap(&mut likeness.marks, &mut self.marks);
        Some((pod, newest_s))
    }

    /// The texts of the pod that was read, which get their symbols in the order of the slow way.
    fn class(&mut self, texts: &mut Interner) -> Option<Class> {
        let QuickPod { meta, spec, status } = &self.pod;
        let (memo, salt) = (&mut self.memo, &self.salt);
        self.owner.begin(b'o');
        self.owner.add(b'"', meta.owners.unwrap_or_default());
        let revision = texts.intern(meta.revision);
        Some(Class {
            namespace: texts.intern(meta.namespace),
            owner: known(memo, &self.owner, texts, || {
                let owners: Vec<OwnerReference<'_>> = part(meta.owners)?;
                owner_column(&owners).ok()
            })?,
            revision,
            labels: labels_symbol(memo, meta, texts)?,
            annotations: annotations_symbol(memo, meta, texts, salt)?,
            spec: known(memo, &spec.key, texts, || {
                spec_column(&part::<Spec<'_>>(spec.raw)?, salt).ok()
            })?,
            status: known(memo, &status.key, texts, || {
                Some(status_column(&part::<Status<'_>>(status.raw)?))
            })?,
        })
    }
}

/// The symbol of a part of a pod, which is built where it is not known.
fn known(
    memo: &mut Memo,
    key: &Key,
    texts: &mut Interner,
    build: impl FnOnce() -> Option<String>,
) -> Option<Symbol> {
    if let Some(symbol) = memo.get(key.bytes()) {
        return Some(symbol);
    }
    let symbol = texts.intern(&build()?);
    memo.keep(key.bytes(), symbol);
    Some(symbol)
}

/// Reads a part of a pod as it is written; what is not there, or null, is empty.
fn part<'a, T: Deserialize<'a> + Default>(raw: Option<&'a str>) -> Option<T> {
    let Some(raw) = raw else {
        return Some(T::default());
    };
    let part: Option<T> = serde_json::from_str(raw).ok()?;
    Some(part.unwrap_or_default())
}

fn labels_symbol(memo: &mut Memo, meta: &Meta<'_>, texts: &mut Interner) -> Option<Symbol> {
    known(memo, &meta.labels_key, texts, || {
        let labels: Pairs<'_, Text<'_>> = part(meta.labels)?;
        Some(labels_column(labels, meta.name).0)
    })
}

fn annotations_symbol(
    memo: &mut Memo,
    meta: &Meta<'_>,
    texts: &mut Interner,
    salt: &Salt,
) -> Option<Symbol> {
    if let Some(symbol) = memo.get(meta.annotations_key.bytes()) {
        return Some(symbol);
    }
    let column = |raw| Some(annotations_column(part(raw)?, salt));
    let text = column(meta.annotations)?;
    let symbol = texts.intern(&text);
    // What stands for any time stamp must not depend on the one that is there.
    if meta.stamps.is_empty() || column(Some(&with_other_stamps(meta)))? == text {
        memo.keep(meta.annotations_key.bytes(), symbol);
    }
    Some(symbol)
}

/// The annotations with every time stamp replaced.
fn with_other_stamps(meta: &Meta<'_>) -> String {
    let raw = meta.annotations.unwrap_or_default();
    let mut other = String::with_capacity(raw.len());
    let mut end = 0;
    for stamp in &meta.stamps {
        let at = offset_of(raw, stamp);
        other.push_str(&raw[end..at]);
        other.push(if *stamp == "0" { '1' } else { '0' });
        end = at + stamp.len();
    }
    other.push_str(&raw[end..]);
    other
}

#[cfg(test)]
mod tests {
    use super::{Interner, Pods, QuickReader, Salt, flags};

    fn pod(number: u8, image: &str) -> String {
        format!(
            r#"{{"metadata":{{"name":"cart-{number}","namespace":"trade","uid":"401598b1-3f34-4eee-afe2-d156af76ff{number:02}",
            "labels":{{"apps.kubernetes.io/pod-index":"{number}","zone":"{}"}},
            "managedFields":[{{"f:status":{{"k:{{\"ip\":\"10.0.0.{number}\"}}":{{}}}}}}]}},
            "spec":{{"nodeName":"node-{number}","containers":[{{"name":"main","image":"{image}"}}]}}}}"#,
            number % 2
        )
    }

    #[test]
    fn a_pod_like_the_last_one_is_read_by_its_differences() {
        let texts = [pod(7, "cart:1"), pod(12, "cart:1"), pod(13, "cart:2")];
        let mut reader = QuickReader::new(Salt([1; 32]));
        let (mut interner, mut pods) = (Interner::default(), Pods::default());
        assert!(reader.append(&texts[0], &mut interner, &mut pods).is_some());
        let (alike, _) = reader.alike(&texts[1], &mut interner).unwrap();
        assert_eq!(reader.read(&texts[1], &mut interner).unwrap().0, alike);
        assert_eq!(reader.alike(&texts[2], &mut interner), None);
    }

    /// A pod that was given another tag of the digest that it runs, in the container `told` as its
    /// daemon says; its status names the container `runs`.
    fn retagged(number: u8, told: &str, runs: &str) -> String {
        let state = r#"{"revision":"r","lastContainerStatuses":{"main":{"imageID":"sha256:1"}}}"#;
        // The hash of `{"image":"cart:2","name":"main"}`.
        let meta = format!(
            r#"{{"containers":[{{"name":"main","containerID":"{told}","hashes":{{"plainHash":2733481972}}}}]}}"#
        );
        let annotations = serde_json::json!({
            "apps.kruise.io/inplace-update-state": state,
            "apps.kruise.io/runtime-containers-meta": meta,
        });
        let status = format!(
            r#""status":{{"containerStatuses":[{{"name":"main","imageID":"sha256:1","containerID":"{runs}"}}]}}"#
        );
        pod(number, "cart:2")
            .replace(
                r#""labels""#,
                &format!(r#""annotations":{annotations},"labels""#),
            )
            .replace(r#""spec""#, &format!(r#"{status},"spec""#))
    }

    #[test]
    fn an_update_in_place_that_is_over_leaves_a_bit_and_no_id_of_a_container() {
        let texts = [
            retagged(11, "containerd://1", "containerd://1"),
            retagged(12, "containerd://2", "containerd://2"),
            retagged(13, "containerd://2", "containerd://3"),
            retagged(14, "containerd://4", "containerd://4"),
        ];
        let mut reader = QuickReader::new(Salt([1; 32]));
        let (mut interner, mut pods) = (Interner::default(), Pods::default());
        assert!(reader.append(&texts[0], &mut interner, &mut pods).is_some());
        assert!(reader.alike(&texts[1], &mut interner).is_some());
        for text in &texts[1..] {
            assert!(reader.append(text, &mut interner, &mut pods).is_some());
        }
        let pods = [0, 1, 2, 3].map(|row| pods.get(row));
        let over = pods
            .each_ref()
            .map(|it| it.flags & flags::IN_PLACE_UPDATE_OVER != 0);
        assert_eq!(over, [true, true, false, true]);
        assert!(
            pods.iter()
                .all(|it| it.class.annotations == pods[0].class.annotations)
        );
        assert!(interner.iter().all(|text| !text.contains("containerd")));
    }
}
