//! The kinds of object that the planner observes.

/// A kind of object, by its API group and plural name. Codes are stored in the log and never
/// change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Resource {
    /// `v1 Pod`
    Pods = 0,
    /// `v1 Node`
    Nodes = 1,
    /// `v1 Namespace`
    Namespaces = 2,
    /// `apps/v1 Deployment`
    Deployments = 3,
    /// `apps/v1 ReplicaSet`
    ReplicaSets = 4,
    /// `apps/v1 StatefulSet`
    StatefulSets = 5,
    /// `apps/v1 DaemonSet`
    DaemonSets = 6,
    /// `apps/v1 ControllerRevision`
    ControllerRevisions = 7,
    /// `policy/v1 PodDisruptionBudget`
    PodDisruptionBudgets = 8,
    /// `apps.kruise.io CloneSet`
    CloneSets = 9,
    /// `apps.kruise.io StatefulSet`
    AdvancedStatefulSets = 10,
    /// `apps.kruise.io DaemonSet`
    AdvancedDaemonSets = 11,
    /// `apps.kruise.io SidecarSet`
    SidecarSets = 12,
    /// `policy.kruise.io PodUnavailableBudget`
    PodUnavailableBudgets = 13,
    /// The answer of `/version`: one object a cluster, without metadata.
    Versions = 14,
    /// `v1 ResourceQuota`
    ResourceQuotas = 15,
}

impl Resource {
    /// Every resource, in the order of its code.
    pub const ALL: [Self; 16] = [
        Self::Pods,
        Self::Nodes,
        Self::Namespaces,
        Self::Deployments,
        Self::ReplicaSets,
        Self::StatefulSets,
        Self::DaemonSets,
        Self::ControllerRevisions,
        Self::PodDisruptionBudgets,
        Self::CloneSets,
        Self::AdvancedStatefulSets,
        Self::AdvancedDaemonSets,
        Self::SidecarSets,
        Self::PodUnavailableBudgets,
        Self::Versions,
        Self::ResourceQuotas,
    ];

    /// The resource with this stored code.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The code that is stored in the log.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Whether each of its pods belongs to a node.
    #[must_use]
    pub fn is_daemon_set(self) -> bool {
        matches!(self, Self::DaemonSets | Self::AdvancedDaemonSets)
    }

    /// The API group, `""` for the core group.
    #[must_use]
    pub fn group(self) -> &'static str {
        match self {
            Self::Pods | Self::Nodes | Self::Namespaces | Self::Versions | Self::ResourceQuotas => {
                ""
            }
            Self::Deployments
            | Self::ReplicaSets
            | Self::StatefulSets
            | Self::DaemonSets
            | Self::ControllerRevisions => "apps",
            Self::PodDisruptionBudgets => "policy",
            Self::CloneSets
            | Self::AdvancedStatefulSets
            | Self::AdvancedDaemonSets
            | Self::SidecarSets => "apps.kruise.io",
            Self::PodUnavailableBudgets => "policy.kruise.io",
        }
    }

    /// The object kind as Kubernetes writes it.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Pods => "Pod",
            Self::Nodes => "Node",
            Self::Namespaces => "Namespace",
            Self::Deployments => "Deployment",
            Self::ReplicaSets => "ReplicaSet",
            Self::StatefulSets | Self::AdvancedStatefulSets => "StatefulSet",
            Self::DaemonSets | Self::AdvancedDaemonSets => "DaemonSet",
            Self::ControllerRevisions => "ControllerRevision",
            Self::PodDisruptionBudgets => "PodDisruptionBudget",
            Self::CloneSets => "CloneSet",
            Self::SidecarSets => "SidecarSet",
            Self::PodUnavailableBudgets => "PodUnavailableBudget",
            Self::Versions => "Version",
            Self::ResourceQuotas => "ResourceQuota",
        }
    }

    /// The lower-case plural that people and programs read.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pods => "pods",
            Self::Nodes => "nodes",
            Self::Namespaces => "namespaces",
            Self::Deployments => "deployments",
            Self::ReplicaSets => "replicasets",
            Self::StatefulSets => "statefulsets",
            Self::DaemonSets => "daemonsets",
            Self::ControllerRevisions => "controllerrevisions",
            Self::PodDisruptionBudgets => "poddisruptionbudgets",
            Self::CloneSets => "clonesets",
            Self::AdvancedStatefulSets => "advancedstatefulsets",
            Self::AdvancedDaemonSets => "advanceddaemonsets",
            Self::SidecarSets => "sidecarsets",
            Self::PodUnavailableBudgets => "podunavailablebudgets",
            Self::Versions => "versions",
            Self::ResourceQuotas => "resourcequotas",
        }
    }

    /// Whether its objects live in a namespace.
    #[must_use]
    pub fn is_namespaced(self) -> bool {
        !matches!(
            self,
            Self::Nodes | Self::Namespaces | Self::SidecarSets | Self::Versions
        )
    }

    /// The resource of an object with this `apiVersion` and `kind`, if the planner uses it.
    #[must_use]
    pub fn of(api_version: &str, kind: &str) -> Option<Self> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        Self::ALL
            .into_iter()
            .filter(|resource| *resource != Self::Versions)
            .find(|resource| resource.group() == group && resource.kind() == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::Resource;

    #[test]
    fn codes_are_positions() {
        for (code, resource) in Resource::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(resource.code()), code);
        }
    }

    #[test]
    fn kruise_stateful_set_is_not_the_native_one() {
        assert_eq!(
            Resource::of("apps.kruise.io/v1beta1", "StatefulSet"),
            Some(Resource::AdvancedStatefulSets)
        );
        assert_eq!(
            Resource::of("apps/v1", "StatefulSet"),
            Some(Resource::StatefulSets)
        );
        assert_eq!(Resource::of("v1", "Secret"), None);
    }
}
