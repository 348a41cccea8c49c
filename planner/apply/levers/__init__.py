"""How a wave is carried out: what each controller offers to move these pods now and no others.

- Deployment: held back by new pods that never count as available; let go by `maxUnavailable`, the
  pods of the new version that there shall be. Deletion costs name the pods.
- StatefulSet, Advanced StatefulSet: the partition at the lowest ordinal of the wave.
- CloneSet, unordered Advanced StatefulSet: labels of the highest priority, and the partition.
- Advanced DaemonSet: a selector of nodes, and labels of nodes.
- DaemonSet: `OnDelete`, and deleting the pods. One that may only surge cannot be held back: it goes
  on by itself, within `maxSurge`.
- OnDelete of any kind: evicting or deleting the pods.
- SidecarSet: a selector of pods, and labels of pods.

Each lever is a pure function from the live object to the object as the run wants it, and says the
same however often it is asked, so that whoever takes a run over can pull it again.
"""
