"""The least cut of a network, by Dinic's algorithm (Soviet Mathematics Doklady 11, 1970)."""

from __future__ import annotations

UNLIMITED = 1 << 60
"""Capacity of an edge that no cut may pass."""


class Network:
    """Vertices 0 (the source), 1 (the sink) and more, and directed edges with capacities."""

    SOURCE, SINK = 0, 1

    def __init__(self) -> None:
        self._edges: list[list[int]] = [[], []]
        self._heads: list[int] = []
        self._room: list[int] = []

    def vertex(self) -> int:
        """A new vertex."""
        self._edges.append([])
        return len(self._edges) - 1

    def edge(self, tail: int, head: int, capacity: int = UNLIMITED) -> None:
        """Let up to `capacity` flow from one vertex to another."""
        for start, end, room in ((tail, head, capacity), (head, tail, 0)):
            self._edges[start].append(len(self._heads))
            self._heads.append(end)
            self._room.append(room)

    def source_side(self) -> list[bool]:
        """Which vertices lie before a least cut, as few as can be. To be called once."""
        while True:
            levels = self._levels()
            if levels[self.SINK] < 0:
                return [level >= 0 for level in levels]
            self._block(levels)

    def _levels(self) -> list[int]:
        """Distance of each vertex from the source along edges with room; -1: out of reach."""
        levels = [-1] * len(self._edges)
        levels[self.SOURCE] = 0
        reached = [self.SOURCE]
        for vertex in reached:
            for edge in self._edges[vertex]:
                head = self._heads[edge]
                if self._room[edge] and levels[head] < 0:
                    levels[head] = levels[vertex] + 1
                    reached.append(head)
        return levels

    def _block(self, levels: list[int]) -> None:
        """Fill shortest paths until none is left."""
        heads, room = self._heads, self._room
        untried = [edges.copy() for edges in self._edges]
        path: list[int] = []
        vertex = self.SOURCE
        while True:
            if vertex == self.SINK:
                flow = min(room[edge] for edge in path)
                for edge in path:
                    room[edge] -= flow
                    room[edge ^ 1] += flow
                full = next(i for i, edge in enumerate(path) if not room[edge])
                vertex = heads[path[full] ^ 1]
                del path[full:]
            elif untried[vertex]:
                edge = untried[vertex][-1]
                if room[edge] and levels[heads[edge]] == levels[vertex] + 1:
                    path.append(edge)
                    vertex = heads[edge]
                else:
                    untried[vertex].pop()
            elif path:
                vertex = heads[path.pop() ^ 1]
                untried[vertex].pop()
            else:
                return
