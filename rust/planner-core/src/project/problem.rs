//! The problem: activities that take time, resources that give capacity back, and an order.
//!
//! The resource-constrained project scheduling problem, `PS|prec|Cmax` of Brucker, Drexl, Moehring,
//! Neumann and Pesch (European Journal of Operational Research 112, 1999): no activity is
//! interrupted, none starts before those that precede it are finished, at no time do the
//! activities under way demand more of a resource than its capacity, and the last finish is as
//! early as possible.

/// Index into [`Project::activities`].
pub type ActivityIdx = u32;
/// Index into [`Project::capacities`].
pub type ResourceIdx = u32;

/// Capacities and the sum of all durations are less than this.
pub const LIMIT: u32 = 1 << 30;

/// What an activity holds of a resource while it is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The resource; named at most once by an activity.
    pub resource: ResourceIdx,
    /// Units of it.
    pub units: u32,
}

/// Work that takes time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// In units of time; 0 for a mere milestone, which holds nothing.
    pub duration: u32,
    /// What it holds from its start until its finish.
    pub demands: Vec<Demand>,
}

/// `after` does not start before `before` is finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Precedence {
    /// The activity that goes first.
    pub before: ActivityIdx,
    /// The activity that waits.
    pub after: ActivityIdx,
}

/// The whole problem.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Project {
    /// All activities.
    pub activities: Vec<Activity>,
    /// Units of each resource that can be held at once, at all times the same.
    pub capacities: Vec<u32>,
    /// All precedences; those that follow from others may be there or not.
    pub precedences: Vec<Precedence>,
}

/// Why a project has no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProjectError {
    /// Some activities wait for themselves.
    #[error(
        "activities {} wait for each other in a circle; take one of these precedences out",
        listed(.0)
    )]
    Cycle(Vec<ActivityIdx>),
    /// An activity can never start.
    #[error(
        "activity {activity} demands {units} of resource {resource}, whose capacity is {capacity}; \
         raise the capacity to {units} or lower the demand"
    )]
    DemandAboveCapacity {
        /// The activity.
        activity: ActivityIdx,
        /// The resource.
        resource: ResourceIdx,
        /// What the activity holds of it.
        units: u32,
        /// What there is.
        capacity: u32,
    },
    /// An activity demands the same resource twice.
    #[error("activity {activity} names resource {resource} twice; add its demands up")]
    DemandTwice {
        /// The activity.
        activity: ActivityIdx,
        /// The resource.
        resource: ResourceIdx,
    },
    /// A demand of a resource that is not there.
    #[error("activity {activity} demands resource {resource}, but there are {resources}")]
    NoSuchResource {
        /// The activity.
        activity: ActivityIdx,
        /// The resource.
        resource: ResourceIdx,
        /// How many there are.
        resources: usize,
    },
    /// A precedence of an activity that is not there.
    #[error("a precedence names activity {activity}, but there are {activities}")]
    NoSuchActivity {
        /// The activity.
        activity: ActivityIdx,
        /// How many there are.
        activities: usize,
    },
    /// Columns that do not fit together.
    #[error("{what} has {found} values instead of {wanted}")]
    Length {
        /// Which column.
        what: &'static str,
        /// How many values it has.
        found: usize,
        /// How many it should have.
        wanted: usize,
    },
    /// Numbers that are not meant to be.
    #[error("{what} is {value}, and has to be less than {LIMIT}; count in larger units")]
    TooLarge {
        /// What is too large.
        what: String,
        /// How large.
        value: u64,
    },
}

fn listed(activities: &[ActivityIdx]) -> String {
    let names: Vec<String> = activities.iter().map(ToString::to_string).collect();
    names.join(", ")
}

impl Project {
    /// Whether the project has a schedule; else the first thing that keeps it from having one.
    /// Cycles are looked for by [`super::Network::of`].
    pub(super) fn check(&self) -> Result<(), ProjectError> {
        let total: u64 = self.activities.iter().map(|a| u64::from(a.duration)).sum();
        at_most("the sum of all durations", total)?;
        for (r, &capacity) in self.capacities.iter().enumerate() {
            at_most(&format!("the capacity of resource {r}"), capacity.into())?;
        }
        let mut named_by = vec![ActivityIdx::MAX; self.capacities.len()];
        for (activity, of) in (0..).zip(&self.activities) {
            for &demand in &of.demands {
                self.check_demand(activity, demand)?;
                let resource = demand.resource;
                if std::mem::replace(&mut named_by[resource as usize], activity) == activity {
                    return Err(ProjectError::DemandTwice { activity, resource });
                }
            }
        }
        let activities = self.activities.len();
        for precedence in &self.precedences {
            for activity in [precedence.before, precedence.after] {
                if activity as usize >= activities {
                    return Err(ProjectError::NoSuchActivity {
                        activity,
                        activities,
                    });
                }
            }
        }
        Ok(())
    }

    fn check_demand(&self, activity: ActivityIdx, demand: Demand) -> Result<(), ProjectError> {
        let Demand { resource, units } = demand;
        let Some(&capacity) = self.capacities.get(resource as usize) else {
            return Err(ProjectError::NoSuchResource {
                activity,
                resource,
                resources: self.capacities.len(),
            });
        };
        if units > capacity {
            return Err(ProjectError::DemandAboveCapacity {
                activity,
                resource,
                units,
                capacity,
            });
        }
        Ok(())
    }
}

fn at_most(what: &str, value: u64) -> Result<(), ProjectError> {
    if value < u64::from(LIMIT) {
        return Ok(());
    }
    Err(ProjectError::TooLarge {
        what: what.to_owned(),
        value,
    })
}
