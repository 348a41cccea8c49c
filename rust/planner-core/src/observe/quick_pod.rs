//! Reads a pod as the API server writes it, in one go over what is read of it.
//!
//! What is read, and what makes it wrong, is told by [`super::pod`]; this is the quick way to the
//! same. Whatever is wrong or only unusual (escapes in a key, a field that is there twice, an array
//! in place of an object) gives None, and the pod is read once more by the slow way, which knows
//! what to say. Texts that many pods share are built by the functions of the slow way when a part
//! is first seen as it is written, and found in a [`Memo`] from then on.

use super::{
    cursor::{Cursor, Role},
    memo::Key,
    pod_columns::{condition_flag, flag, phase_flag},
    quick_meta::Meta,
    scalar::parse_timestamp,
};
use crate::batch::flags;

/// What was read of a pod.
#[derive(Debug, Default)]
pub struct QuickPod<'a> {
    pub meta: Meta<'a>,
    pub spec: QuickSpec<'a>,
    pub status: QuickStatus<'a>,
}

/// `spec`.
#[derive(Debug, Default)]
pub struct QuickSpec<'a> {
    /// As it is written.
    pub raw: Option<&'a str>,
    pub node: Option<&'a str>,
    pub has_empty_dir: bool,
    /// What the column `spec` depends on.
    pub key: Key,
}

/// `status`.
#[derive(Debug, Default)]
pub struct QuickStatus<'a> {
    /// As it is written.
    pub raw: Option<&'a str>,
    /// Flags of the phase and the conditions.
    pub bits: u16,
    pub restarts: u16,
    /// When conditions changed, seconds UTC, in their order.
    pub transitions: Vec<u32>,
    /// Which of them is that of the condition `Ready`.
    pub ready_since: Option<usize>,
    /// What the column `status` depends on.
    pub key: Key,
}

/// Fields that may be there once, by number.
#[derive(Clone, Copy, Debug, Default)]
pub struct Once(u16);

impl Once {
    pub fn has(self, field: u16) -> bool {
        self.0 & 1 << field != 0
    }

    pub fn take(&mut self, field: u16) -> Option<()> {
        let bit = 1 << field;
        let is_new = self.0 & bit == 0;
        self.0 |= bit;
        is_new.then_some(())
    }
}

impl<'a> QuickPod<'a> {
    /// Reads a pod anew.
    pub fn read(&mut self, cursor: &mut Cursor<'a, '_>) -> Option<()> {
        self.meta.clear();
        self.spec.clear();
        self.status.clear();
        let mut once = Once::default();
        cursor.object(|at, key| match key {
            "apiVersion" => {
                once.take(0)?;
                // Pods are of the group without a name.
                (at.null()? || !at.plain()?.contains('/')).then_some(())
            }
            "kind" => {
                once.take(1)?;
                (at.null()? || at.plain()? == "Pod").then_some(())
            }
            "metadata" => {
                once.take(2)?;
                self.meta.read(at)
            }
            "spec" => {
                once.take(3)?;
                self.spec.read(at)
            }
            "status" => {
                once.take(4)?;
                self.status.read(at)
            }
            _ => at.skip(),
        })?;
        // Without `metadata` it has no name.
        (once.has(2) && cursor.is_done()).then_some(())
    }
}

impl<'a> QuickSpec<'a> {
    fn clear(&mut self) {
        (self.raw, self.node, self.has_empty_dir) = (None, None, false);
        self.key.begin(b's');
    }

    fn read(&mut self, cursor: &mut Cursor<'a, '_>) -> Option<()> {
        let begin = cursor.place()?;
        self.fields(cursor)?;
        self.raw = Some(cursor.since(begin)?);
        Some(())
    }

    fn fields(&mut self, cursor: &mut Cursor<'a, '_>) -> Option<()> {
        let mut once = Once::default();
        cursor.object(|at, key| match key {
            "nodeName" => {
                once.take(0)?;
                self.node = at.marked_or_null(Role::Node)?;
                Some(())
            }
            "volumes" => {
                once.take(1)?;
                self.volumes(at)
            }
            "containers" => {
                self.key.add(b'C', "");
                at.array(|at| self.container(at))
            }
            "initContainers" => {
                self.key.add(b'I', "");
                if at.null()? {
                    return Some(());
                }
                at.array(|at| self.container(at))
            }
            "readinessGates" => self.keep(b'G', at),
            "terminationGracePeriodSeconds" => self.keep(b'T', at),
            "overhead" => self.keep(b'O', at),
            _ => at.skip(),
        })
    }

    fn keep(&mut self, mark: u8, cursor: &mut Cursor<'a, '_>) -> Option<()> {
        self.key.add(mark, cursor.value()?);
        Some(())
    }

    fn container(&mut self, cursor: &mut Cursor<'a, '_>) -> Option<()> {
        self.key.add(b'K', "");
        cursor.object(|at, key| match key {
            "name" => self.keep(b'N', at),
            "image" => self.keep(b'M', at),
            "restartPolicy" => self.keep(b'P', at),
            "env" => self.keep(b'V', at),
            "resources" => self.keep(b'R', at),
            _ => at.skip(),
        })
    }

    fn volumes(&mut self, cursor: &mut Cursor<'a, '_>) -> Option<()> {
        if cursor.null()? {
            return Some(());
        }
        cursor.array(|at| {
            let mut once = Once::default();
            at.object(|at, key| match key {
                "emptyDir" => {
                    once.take(0)?;
                    self.has_empty_dir |= at.value()? != "null";
                    Some(())
                }
                _ => at.skip(),
            })
        })
    }
}

impl<'a> QuickStatus<'a> {
    fn clear(&mut self) {
        self.raw = None;
        (self.bits, self.restarts) = (0, 0);
        self.ready_since = None;
        self.transitions.clear();
        self.key.begin(b't');
    }

    fn read(&mut self, cursor: &mut Cursor<'a, '_>) -> Option<()> {
        let begin = cursor.place()?;
        self.fields(cursor)?;
        self.raw = Some(cursor.since(begin)?);
        Some(())
    }

    fn fields(&mut self, cursor: &mut Cursor<'a, '_>) -> Option<()> {
        let mut once = Once::default();
        cursor.object(|at, key| match key {
            "phase" => {
                once.take(0)?;
                self.bits |= at.plain_or_null()?.map_or(0, phase_flag);
                Some(())
            }
            "conditions" => {
                once.take(1)?;
                if at.null()? {
                    return Some(());
                }
                let (mut times, mut has_ready) = (Times::default(), false);
                at.array(|at| self.condition(at, &mut times, &mut has_ready))
            }
            "containerStatuses" => {
                once.take(2)?;
                self.containers(b'C', at)
            }
            "initContainerStatuses" => {
                once.take(3)?;
                self.containers(b'I', at)
            }
            _ => at.skip(),
        })
    }

    fn condition(
        &mut self,
        cursor: &mut Cursor<'a, '_>,
        times: &mut Times<'a>,
        has_ready: &mut bool,
    ) -> Option<()> {
        let mut once = Once::default();
        let (mut kind, mut status, mut since) = (None, None, None);
        cursor.object(|at, key| match key {
            "type" => {
                once.take(0)?;
                kind = Some(at.plain()?);
                Some(())
            }
            "status" => {
                once.take(1)?;
                status = Some(at.plain()?);
                Some(())
            }
            "lastTransitionTime" => {
                once.take(2)?;
                let Some(text) = at.marked_or_null(Role::Transition)? else {
                    return Some(());
                };
                let second = times.second(text)?;
                since = Some(self.transitions.len());
                self.transitions.push(second);
                Some(())
            }
            _ => at.skip(),
        })?;
        let (kind, status) = (kind?, status?);
        self.bits |= condition_flag(kind, status);
        // The first one is taken, as everywhere.
        if kind == "Ready" && !*has_ready {
            *has_ready = true;
            self.ready_since = since;
        }
        Some(())
    }

    fn containers(&mut self, mark: u8, cursor: &mut Cursor<'a, '_>) -> Option<()> {
        self.key.add(mark, "");
        if cursor.null()? {
            return Some(());
        }
        cursor.array(|at| self.container(at))
    }

    fn container(&mut self, cursor: &mut Cursor<'a, '_>) -> Option<()> {
        self.key.add(b'K', "");
        let mut once = Once::default();
        let mut keep = |mark: u8, at: &mut Cursor<'a, '_>| {
            self.key.add(mark, at.value()?);
            Some(())
        };
        cursor.object(|at, key| match key {
            "name" => keep(b'N', at),
            "image" => keep(b'M', at),
            "imageID" => keep(b'D', at),
            "ready" => keep(b'R', at),
            "restartCount" => {
                once.take(0)?;
                self.restarts = self.restarts.saturating_add(count(at.value()?)?);
                Some(())
            }
            _ => at.skip(),
        })
    }
}

/// A count as it is written, at most the largest that is kept.
fn count(text: &str) -> Option<u16> {
    let is_plain = matches!(text.len(), 1..=9)
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text.len() == 1 || !text.starts_with('0'));
    if !is_plain {
        return None;
    }
    let count: u32 = text.parse().ok()?;
    Some(u16::try_from(count).unwrap_or(u16::MAX))
}

/// Seconds of the last two times: a pod becomes ready in a second or two.
#[derive(Debug, Default)]
pub struct Times<'a> {
    last: [(&'a str, u32); 2],
}

impl<'a> Times<'a> {
    /// As `parse_timestamp`.
    pub fn second(&mut self, text: &'a str) -> Option<u32> {
        if let Some((_, second)) = self.last.iter().find(|(last, _)| *last == text) {
            // No time is the empty text.
            return (!text.is_empty()).then_some(*second);
        }
        let second = parse_timestamp(text)?;
        self.last = [(text, second), self.last[0]];
        Some(second)
    }
}

impl QuickPod<'_> {
    /// All flags.
    pub fn bits(&self) -> u16 {
        self.status.bits | self.meta.bits | flag(self.spec.has_empty_dir, flags::EMPTY_DIR)
    }
}
