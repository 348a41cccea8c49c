//! When workloads may move: the windows and freezes of a request, laid out in time.

use serde::Deserialize;

use super::groups::GroupOf;
use crate::{
    diff::target::names,
    inventory::Inventory,
    kube::selector::Selector,
    request::WorkloadRef,
    schedule::{
        Open,
        problem::{Calendar, CalendarIdx},
    },
};

/// When a plan may move what.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Calendars {
    /// When the first wave may begin, milliseconds UTC; `None`: the request says nothing of time.
    pub start_ms: Option<i64>,
    /// When everything should be done, milliseconds UTC.
    pub deadline_ms: Option<i64>,
    /// Windows and freezes, in the order of the request.
    #[serde(default)]
    pub rules: Vec<CalendarRule>,
}

/// A window or a freeze.
#[derive(Clone, Debug, Deserialize)]
pub struct CalendarRule {
    /// For example `window:nights` or `freeze:double-11`.
    pub name: Box<str>,
    /// Its cluster; every one when left out.
    pub cluster: Option<String>,
    /// Its namespace; every one when left out.
    pub namespace: Option<String>,
    /// Its workload; every one when left out.
    pub workload: Option<WorkloadRef>,
    /// Workloads of which it selects a pod; all when left out.
    pub selector: Option<Selector>,
    /// When its workloads may move: (begin, end) in milliseconds from the start.
    pub open: Vec<(u64, u64)>,
}

impl Calendars {
    /// For the scheduler.
    pub(super) fn all(&self) -> Vec<Calendar> {
        let calendar = |rule: &CalendarRule| Calendar {
            name: rule.name.clone(),
            open: rule
                .open
                .iter()
                .map(|&(begin, end)| begin..end)
                .collect::<Open>(),
        };
        self.rules.iter().map(calendar).collect()
    }

    /// Those of a group.
    pub(super) fn of(&self, inventory: &Inventory<'_>, group: &GroupOf) -> Vec<CalendarIdx> {
        let rules = (0..).zip(&self.rules);
        let mine = rules.filter(|(_, rule)| rule.holds(inventory, group));
        mine.map(|(calendar, _)| calendar).collect()
    }
}

impl CalendarRule {
    fn holds(&self, inventory: &Inventory<'_>, group: &GroupOf) -> bool {
        let workload = &inventory.workloads[group.workload as usize];
        let pods = inventory.pods_of(group.cluster);
        let is = |asked: &Option<String>, own: &str| asked.as_deref().is_none_or(|it| it == own);
        is(&self.cluster, &workload.cluster)
            && is(&self.namespace, &workload.namespace)
            && self.workload.as_ref().is_none_or(|it| names(it, workload))
            && self.selector.as_ref().is_none_or(|selector| {
                let mut rows = inventory.pods[group.workload as usize].iter();
                rows.any(|row| selector.matches(&pods.labels(*row)))
            })
    }
}
