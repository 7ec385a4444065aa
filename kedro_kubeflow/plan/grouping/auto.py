"""The grouping with the shortest estimated run: edge zeroing on the graph of nodes.

V. Sarkar, Partitioning and Scheduling Parallel Programs for Multiprocessors (1989); A. Gerasoulis and T. Yang, A comparison of
clustering heuristics for scheduling directed acyclic graphs (1992). A step takes a fixed time beside its nodes, which is what an
edge between two steps costs; putting both ends into one step saves it, and makes wait what would have run beside.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Mapping, Sequence
from graphlib import TopologicalSorter

from kedro_kubeflow.plan.grouping.chain import Fits, named, neighbours
from kedro_kubeflow.plan.grouping.group import Group
from kedro_kubeflow.plan.nodes import NodeFacts

# Sums of seconds in another order differ in their last digits.
_SAME = 1e-6


def by_auto(
    nodes: Sequence[NodeFacts],
    seconds: Mapping[str, float],
    overhead: float,
    fits: Fits,
    most: int | None = None,
    wished: int | None = None,
) -> list[Group]:
    """Merge steps as long as the estimated run does not get longer; the same arguments give the same groups.

    Args:
        nodes: in an order in which they can run.
        seconds: how long each node takes.
        overhead: seconds that a step takes beside its nodes.
        fits: whether two nodes may share a step.
        most: how many steps there may be: beyond it, merges go on at the smallest cost in time.
        wished: how many steps there are better no more of: beyond it, merges go on as long as they cost no time.
    """
    graph = _Steps(nodes, seconds, overhead, fits)
    graph.merge_edges(graph.makespan)
    if most is not None:
        graph.merge_until(most)
    if wished is not None:
        graph.merge_beside(wished)
    return [named([nodes[i].name for i in members]) for members in graph.groups()]


def makespan(
    groups: Sequence[Group], nodes: Sequence[NodeFacts], seconds: Mapping[str, float], overhead: float
) -> float:
    """Seconds that the steps take where all run at once that can.

    Args:
        groups: which nodes share a step; in any order, but without a circle.
    """
    index = {node.name: i for i, node in enumerate(nodes)}
    home = {index[name]: number for number, group in enumerate(groups) for name in group.nodes}
    before, _ = neighbours(nodes)
    waits: dict[int, set[int]] = {number: set() for number in range(len(groups))}
    for reader, writers in enumerate(before):
        waits[home[reader]] |= {home[w] for w in writers} - {home[reader]}
    done: dict[int, float] = {}
    lengths = [overhead + sum(seconds[name] for name in group.nodes) for group in groups]
    for number in TopologicalSorter(waits).static_order():
        done[number] = lengths[number] + max((done[other] for other in waits[number]), default=0.0)
    return max(done.values(), default=0.0)


class _Steps:
    """Steps and what waits for what; each is known by the index of one of its nodes."""

    def __init__(self, nodes: Sequence[NodeFacts], seconds: Mapping[str, float], overhead: float, fits: Fits) -> None:
        self.names = [node.name for node in nodes]
        self.overhead, self.fits = overhead, fits
        self.before, self.after = neighbours(nodes)
        self.members: dict[int, list[int]] = {i: [i] for i in range(len(nodes))}
        self.length = {i: overhead + seconds[node.name] for i, node in enumerate(nodes)}
        self.start: dict[int, float] = {}
        """When a step can begin."""
        self.rest: dict[int, float] = {}
        """How long it takes from a step's begin to the end of the run."""
        order = list(range(len(nodes)))
        for i in order:
            self.start[i] = self._start(i)
        for i in reversed(order):
            self.rest[i] = self._rest(i)

    @property
    def makespan(self) -> float:
        """The whole run's seconds."""
        return max((self.start[i] + self.rest[i] for i in self.members), default=0.0)

    def groups(self) -> list[list[int]]:
        """The nodes' indices, by step; steps in the order of their first nodes."""
        return sorted((sorted(members) for members in self.members.values()), key=lambda members: members[0])

    def merge_edges(self, most_seconds: float) -> None:
        """Merge along edges as long as no way through the graph takes longer; first those that save most."""
        # Edges on the longest ways have the most to gain.
        queue = [(-(self.start[u] + self.rest[u]), u, v) for u in sorted(self.members) for v in sorted(self.after[u])]
        heapq.heapify(queue)
        limit = most_seconds + _SAME
        while queue:
            _, u, v = heapq.heappop(queue)
            if not self._is_edge(u, v) or self._through(u, v) > limit or not self._may(u, v):
                continue
            merged = self._merge(u, v)
            for other in sorted(self.before[merged]):
                heapq.heappush(queue, (-(self.start[other] + self.rest[other]), other, merged))
            for other in sorted(self.after[merged]):
                heapq.heappush(queue, (-(self.start[merged] + self.rest[merged]), merged, other))

    def merge_until(self, most: int) -> None:
        """Merge on, each time what costs least, until there are no more steps than that."""
        queue = [(self._through(u, v), u, v) for u in sorted(self.members) for v in sorted(self.after[u])]
        heapq.heapify(queue)
        while queue and len(self.members) > most:
            known, u, v = heapq.heappop(queue)
            if not self._is_edge(u, v):
                continue
            now = self._through(u, v)
            if now > known + _SAME:
                heapq.heappush(queue, (now, u, v))
                continue
            if not self._may(u, v):
                continue
            merged = self._merge(u, v)
            for other in sorted(self.before[merged]):
                heapq.heappush(queue, (self._through(other, merged), other, merged))
            for other in sorted(self.after[merged]):
                heapq.heappush(queue, (self._through(merged, other), merged, other))
        while len(self.members) > most and self._merge_rows(most):
            pass

    def merge_beside(self, wished: int) -> None:
        """Merge steps that do not wait for each other as long as the run takes no longer, until there are no more than that.

        What runs beside a longer step, and is waited for later or not at all, costs nothing where it stands in a row.
        """
        limit = self.makespan + _SAME
        queue = [(self._through(u, v), u, v) for u, v in itertools.combinations(sorted(self.members), 2)]
        queue = [pair for pair in queue if pair[0] <= limit]
        heapq.heapify(queue)
        while queue and len(self.members) > wished:
            known, u, v = heapq.heappop(queue)
            if not (u in self.members and v in self.members):
                continue
            now = self._through(u, v)
            if now > known + _SAME:
                if now <= limit:
                    heapq.heappush(queue, (now, u, v))
                continue
            if not self._fit(u, v) or self._leads(u, v) or self._leads(v, u):
                continue
            merged = self._merge(u, v)
            for other in sorted(self.members):
                one, two = sorted((merged, other))
                if one != two and (through := self._through(one, two)) <= limit:
                    heapq.heappush(queue, (through, one, two))

    def _merge_rows(self, most: int) -> bool:
        """Merge steps that begin at one time, and so do not wait for each other, in pairs; the shortest first."""
        beside: dict[float, list[int]] = {}
        for i in sorted(self.members, key=lambda i: (self.length[i], i)):
            beside.setdefault(round(self.start[i], 6), []).append(i)
        for _, row in sorted(beside.items(), key=lambda item: (-len(item[1]), item[0])):
            pairs = [(u, v) for u, v in zip(row[::2], row[1::2], strict=False) if self._fit(u, v)]
            for u, v in pairs[: len(self.members) - most]:
                self._merge(u, v)
            if pairs:
                return True
        return False

    def _is_edge(self, u: int, v: int) -> bool:
        return u in self.members and v in self.members and v in self.after[u]

    def _start(self, i: int) -> float:
        return max((self.start[u] + self.length[u] for u in self.before[i]), default=0.0)

    def _rest(self, i: int) -> float:
        return self.length[i] + max((self.rest[v] for v in self.after[i]), default=0.0)

    def _through(self, u: int, v: int) -> float:
        """The longest way through a step that u and v would share."""
        first = max(
            (self.start[w] + self.length[w] for w in self.before[u] | self.before[v] if w not in (u, v)), default=0.0
        )
        last = max((self.rest[w] for w in self.after[u] | self.after[v] if w not in (u, v)), default=0.0)
        return first + self.length[u] + self.length[v] - self.overhead + last

    def _fit(self, u: int, v: int) -> bool:
        return self.fits(self.names[self.members[u][0]], self.names[self.members[v][0]])

    def _may(self, u: int, v: int) -> bool:
        """Whether u and v fit, and no other way leads from u to v: the step would wait for itself."""
        return self._fit(u, v) and not self._leads(u, v, past_edge=True)

    def _leads(self, u: int, v: int, *, past_edge: bool = False) -> bool:
        """Whether a way leads from u to v; one that is no edge, where such is asked for."""
        stack, seen = [w for w in self.after[u] if w != v or not past_edge], set[int]()
        while stack:
            w = stack.pop()
            if w == v:
                return True
            # What begins no sooner than v does not come before it.
            if w not in seen and self.start[w] < self.start[v]:
                seen.add(w)
                stack += self.after[w]
        return False

    def _merge(self, u: int, v: int) -> int:
        """Let v be part of u."""
        self.members[u] += self.members.pop(v)
        self.length[u] += self.length.pop(v) - self.overhead
        for ways, back in ((self.before, self.after), (self.after, self.before)):
            ways[u] = (ways[u] | ways[v]) - {u, v}
            for w in ways[v]:
                back[w].discard(v)
                if w != u:
                    back[w].add(u)
        self.before[v], self.after[v] = set(), set()
        del self.start[v], self.rest[v]
        _update(u, self.start, self._start, self.after)
        _update(u, self.rest, self._rest, self.before)
        return u


def _update(first: int, times: dict[int, float], time_of: Callable[[int], float], ways: Sequence[set[int]]) -> None:
    """Work out a step's time anew, and what follows from it; what is nearer comes first, so that each is looked at about once."""
    times[first] = time_of(first)
    queue = [(times[i], i) for i in ways[first]]
    heapq.heapify(queue)
    while queue:
        _, i = heapq.heappop(queue)
        now = time_of(i)
        if abs(now - times[i]) > _SAME:
            times[i] = now
            for other in ways[i]:
                heapq.heappush(queue, (times[other], other))
