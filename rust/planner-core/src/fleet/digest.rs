//! What tells whether two fleets are the same.

use blake3::Hasher;

use super::{Cluster, Fleet, Interner, Pod, Symbol};
use crate::resource::Resource;

impl Fleet {
    /// Equal exactly when two fleets hold the same at the same position and time, in whatever
    /// order they came to know it.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.open();
        let texts = TextDigests::of(&self.texts);
        let mut hasher = Hasher::new();
        hasher.update(&self.position.to_le_bytes());
        hasher.update(&self.now_ms.to_le_bytes());
        for (name, cluster) in &self.clusters {
            update_text(&mut hasher, name);
            cluster.update(&mut hasher, &texts, self);
        }
        *hasher.finalize().as_bytes()
    }

    /// Equal exactly when two fleets hold the same of this cluster, at whatever position and time;
    /// `None` when nothing was ever seen of it.
    #[must_use]
    pub fn cluster_digest(&self, cluster: &str) -> Option<[u8; 32]> {
        let cluster = self.clusters.get(cluster)?;
        self.open();
        let mut hasher = Hasher::new();
        cluster.update(&mut hasher, &TextDigests::of(&self.texts), self);
        Some(*hasher.finalize().as_bytes())
    }
}

struct TextDigests(Vec<[u8; 32]>);

impl TextDigests {
    /// Pods share texts, so each text is hashed once and stands for itself from then on.
    fn of(texts: &Interner) -> Self {
        let digest = |text: &str| *blake3::hash(text.as_bytes()).as_bytes();
        Self(texts.iter().map(digest).collect())
    }
}

impl Cluster {
    fn update(&self, hasher: &mut Hasher, texts: &TextDigests, fleet: &Fleet) {
        let mut rows: Vec<_> = self.pods.rows().collect();
        rows.sort_unstable_by_key(|row| self.pods.uid[*row as usize]);
        update_count(hasher, rows.len());
        // One update a pod: many small ones cost more than what they hash.
        let mut bytes = Vec::new();
        for row in rows {
            let pod = self.pods.get(row);
            bytes.clear();
            push_pod(&mut bytes, texts, &pod);
            bytes.push(u8::from(self.is_mentioned(Resource::Pods, pod.uid)));
            hasher.update(&bytes);
        }
        update_count(hasher, self.objects.len());
        for (resource, objects) in &self.objects {
            hasher.update(&[resource.code()]);
            update_count(hasher, objects.len());
            for (uid, object) in objects {
                hasher.update(&uid.to_le_bytes());
                hasher.update(&object.resource_version.to_le_bytes());
                let text = |symbol| fleet.texts.text(symbol);
                update_text(hasher, text(object.namespace));
                update_text(hasher, text(object.name));
                update_text(hasher, fleet.document(object));
                hasher.update(&[u8::from(self.is_mentioned(*resource, *uid))]);
            }
        }
        update_count(hasher, self.lists.len());
        for (resource, list) in &self.lists {
            hasher.update(&[resource.code()]);
            hasher.update(&list.resource_version.to_le_bytes());
        }
    }

    /// Whether the open list of a resource has mentioned this uid. What it mentioned and is gone
    /// since makes no difference: to come back is to be mentioned again.
    pub(crate) fn is_mentioned(&self, resource: Resource, uid: u128) -> bool {
        self.lists
            .get(&resource)
            .is_some_and(|list| list.mentioned.contains(&uid))
    }
}

fn push_pod(bytes: &mut Vec<u8>, texts: &TextDigests, pod: &Pod<'_>) {
    // Every field by name, so that a new one cannot be forgotten here.
    let Pod {
        uid,
        name,
        node: _,
        class: _,
        created_s,
        ready_since_s,
        restarts,
        flags,
        resource_version,
    } = *pod;
    bytes.extend(uid.to_le_bytes());
    bytes.extend((name.len() as u64).to_le_bytes());
    bytes.extend(name.as_bytes());
    for Symbol(text) in pod.texts() {
        bytes.extend(texts.0[text as usize]);
    }
    bytes.extend(created_s.to_le_bytes());
    bytes.extend(ready_since_s.to_le_bytes());
    bytes.extend(restarts.to_le_bytes());
    bytes.extend(flags.to_le_bytes());
    bytes.extend(resource_version.to_le_bytes());
}

fn update_text(hasher: &mut Hasher, text: &str) {
    update_count(hasher, text.len());
    hasher.update(text.as_bytes());
}

fn update_count(hasher: &mut Hasher, count: usize) {
    hasher.update(&(count as u64).to_le_bytes());
}
