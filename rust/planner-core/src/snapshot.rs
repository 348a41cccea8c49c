//! A fleet as bytes: the shortest log that folds to it.
//!
//! ```text
//! "planner-fleet/1\n"  position: u64  now_ms: i64  clusters: u32
//! per cluster          name, batches: u32, each batch as the log stores it
//! checksum             of everything before it
//! ```
//!
//! Numbers are little endian; names and batches have their length (u32) before them.

use rayon::prelude::*;

use crate::{
    batch::{Batch, BatchWriter, ObjectRow},
    error::CodecError,
    fleet::{Cluster, Fleet, UidIndex},
    fold::apply,
    resource::Resource,
};

const MAGIC: &[u8; 16] = b"planner-fleet/1\n";
const CHECKSUM_BYTES: usize = 32;

/// The fleet as bytes. Pods that are gone and texts that nobody uses any more are left behind.
#[must_use]
pub fn to_snapshot(fleet: &Fleet) -> Vec<u8> {
    fleet.open();
    let mut bytes = MAGIC.to_vec();
    bytes.extend(fleet.position.to_le_bytes());
    bytes.extend(fleet.now_ms.to_le_bytes());
    push_count(&mut bytes, fleet.clusters.len());
    for (name, cluster) in &fleet.clusters {
        push_block(&mut bytes, name.as_bytes());
        let batches = batches(cluster, fleet);
        push_count(&mut bytes, batches.len());
        for batch in batches {
            push_block(&mut bytes, &batch.to_bytes());
        }
    }
    let checksum = blake3::hash(&bytes);
    bytes.extend(checksum.as_bytes());
    bytes
}

/// The fleet of which [`to_snapshot`] made these bytes.
pub fn from_snapshot(bytes: &[u8]) -> Result<Fleet, CodecError> {
    let (rest, checksum) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or_else(cut)?;
    let Some(mut rest) = rest.strip_prefix(MAGIC) else {
        return Err(CodecError(
            "these bytes are no snapshot planner-fleet/1; fold the log from its start".to_owned(),
        ));
    };
    let mut hasher = blake3::Hasher::new();
    hasher.update_rayon(&bytes[..bytes.len() - CHECKSUM_BYTES]);
    if hasher.finalize() != *checksum {
        return Err(cut());
    }
    let position = u64::from_le_bytes(take(&mut rest)?);
    let now_ms = i64::from_le_bytes(take(&mut rest)?);
    let mut fleet = Fleet {
        position,
        now_ms,
        ..Fleet::default()
    };
    for _ in 0..take_count(&mut rest)? {
        let name = str::from_utf8(take_block(&mut rest)?).map_err(|_| cut())?;
        fleet.clusters.insert(name.into(), Cluster::default());
        let count = take_count(&mut rest)?;
        let blocks: Vec<&[u8]> = (0..count)
            .map(|_| take_block(&mut rest))
            .collect::<Result<_, _>>()?;
        let batches: Vec<Batch> = blocks
            .into_par_iter()
            .map(Batch::from_bytes)
            .collect::<Result<_, _>>()?;
        let cluster = fleet.clusters.get_mut(name).expect("inserted above");
        reserve(cluster, &batches);
        for batch in &batches {
            apply(&mut fleet, name, batch);
        }
    }
    fleet.now_ms = now_ms;
    fleet.shrink();
    fleet.pack();
    if rest.is_empty() {
        Ok(fleet)
    } else {
        Err(cut())
    }
}

/// Makes room for the pods of the batches: growing step by step would copy them over and over.
fn reserve(cluster: &mut Cluster, batches: &[Batch]) {
    let (mut pods, mut name_bytes) = (0, 0);
    for batch in batches {
        let columns = batch.columns();
        let is_pod = |code: &u8| *code == Resource::Pods.code();
        let of_batch = columns
            .resource
            .values()
            .iter()
            .copied()
            .filter(is_pod)
            .count();
        pods += of_batch;
        if of_batch > 0 {
            name_bytes += columns.name.value_data().len();
        }
    }
    cluster.pods.reserve(pods, name_bytes);
    let mut rows = UidIndex::default();
    rows.reserve(&cluster.pods, pods);
    cluster.rows = rows.into();
}

/// Objects that an open list has not mentioned come before it begins, the others after.
fn batches(cluster: &Cluster, fleet: &Fleet) -> Vec<Batch> {
    let mut writer = BatchWriter::new(&fleet.texts);
    write(&mut writer, cluster, fleet, false);
    for (resource, list) in &cluster.lists {
        writer
            .row()
            .list_begun(*resource, fleet.now_ms, list.resource_version);
    }
    write(&mut writer, cluster, fleet, true);
    writer.finish()
}

fn write(writer: &mut BatchWriter<'_>, cluster: &Cluster, fleet: &Fleet, mentioned: bool) {
    let (texts, time_ms) = (&fleet.texts, fleet.now_ms);
    let mut rows: Vec<_> = cluster.pods.rows().collect();
    // Pods of one owner share most texts: together they compress, and whoever reads the fleet
    // finds them beside each other.
    rows.sort_unstable_by_key(|row| {
        let owner = cluster.pods.class(*row).owner;
        (texts.text(owner), cluster.pods.uid[*row as usize])
    });
    for row in rows {
        let pod = cluster.pods.get(row);
        if cluster.is_mentioned(Resource::Pods, pod.uid) == mentioned {
            writer.row().pod(time_ms, &pod);
        }
    }
    for (resource, objects) in &cluster.objects {
        // Those that lie beside each other are alike.
        let mut objects: Vec<_> = objects.iter().collect();
        objects.sort_by_key(|(uid, it)| (texts.text(it.namespace), texts.text(it.name), **uid));
        for (uid, object) in objects {
            if cluster.is_mentioned(*resource, *uid) != mentioned {
                continue;
            }
            let row = ObjectRow {
                uid: *uid,
                resource_version: object.resource_version,
                namespace: object.namespace,
                name: texts.text(object.name),
                document: Some(fleet.document(object)),
            };
            writer.row().object(*resource, time_ms, &row);
        }
    }
}

fn cut() -> CodecError {
    CodecError("this snapshot is damaged; fold the log from its start".to_owned())
}

fn push_count(bytes: &mut Vec<u8>, count: usize) {
    let count = u32::try_from(count).expect("blocks are below 4 GiB");
    bytes.extend(count.to_le_bytes());
}

fn push_block(bytes: &mut Vec<u8>, block: &[u8]) {
    push_count(bytes, block.len());
    bytes.extend(block);
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], CodecError> {
    let (taken, after) = rest.split_first_chunk::<N>().ok_or_else(cut)?;
    *rest = after;
    Ok(*taken)
}

fn take_count(rest: &mut &[u8]) -> Result<u32, CodecError> {
    take(rest).map(u32::from_le_bytes)
}

fn take_block<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], CodecError> {
    let length = take_count(rest)? as usize;
    let (block, after) = rest.split_at_checked(length).ok_or_else(cut)?;
    *rest = after;
    Ok(block)
}
