"""The tasks of a compiled pipeline side by side, as far as they do not wait for each other.

KFP's local orchestrator runs them one after the other. Here only the order is ours: what a task is given, how it is executed,
cached and retried, what becomes of its outputs, and what the exit task is told are kfp.local's own functions. A DAG with
conditions or loops, which the compiler does not make, is left to KFP whole.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Outputs = dict[str, Any]


class Slots:
    """How many tasks may run at once, over all DAGs of a run; whoever waits hears of every change."""

    def __init__(self, count: int) -> None:
        self._free = count
        self.changed = threading.Condition()

    def take(self) -> bool:
        """Take a slot, if there is one; the condition must be held."""
        if self._free < 1:
            return False
        self._free -= 1
        return True

    def give_back(self) -> None:
        """Give a slot back; the condition must be held."""
        self._free += 1


@dataclass
class Done:
    """A task that has ended: its outputs and KFP's status, or what it raised."""

    outputs: Outputs = field(default_factory=dict)
    status: Any = None
    error: BaseException | None = None


class Orchestrator:
    """Runs DAGs in the place of kfp.local's two orchestrators, which have the same arguments."""

    def __init__(self, kfp: Any, max_parallel: int) -> None:
        """Nothing runs yet.

        Args:
            kfp: kfp.local's functions, by name: see ``adapter.KfpLocal``.
        """
        self._kfp, self._slots = kfp, Slots(max_parallel)

    def run_enhanced_dag(self, **given: Any) -> tuple[Outputs, Any]:
        """A DAG with an exit task or sub-DAGs: a failure keeps back what waits for it alone."""
        if self._has_control_flow(given["dag_component_spec"]):
            return self._kfp.run_enhanced_dag(**given)  # type: ignore[no-any-return]
        return _Dag(self._kfp, self._slots, given, ends_at_failure=False).run()

    def run_dag(self, **given: Any) -> tuple[Outputs, Any]:
        """A flat DAG: after a failure nothing more starts."""
        return _Dag(self._kfp, self._slots, given, ends_at_failure=True).run()

    def _has_control_flow(self, component: Any) -> bool:
        return any(t.trigger_policy.condition or t.WhichOneof("iterator") for t in component.dag.tasks.values())


class _Dag:
    """One DAG while it runs. Its state is changed by the thread that called ``run`` alone."""

    def __init__(self, kfp: Any, slots: Slots, given: Mapping[str, Any], *, ends_at_failure: bool) -> None:
        self._kfp, self._slots, self._ends_at_failure = kfp, slots, ends_at_failure
        self._component, self._fail_stack = given["dag_component_spec"], given["fail_stack"]
        self._store = kfp.IOStore(parent=given.get("parent_io_store"))
        passed = ("pipeline_resource_name", "components", "executors", "pipeline_root", "runner")
        self._passed = {name: given[name] for name in (*passed, "unique_pipeline_id", "fail_stack")}
        arguments = kfp.join_user_inputs_and_defaults(
            dag_arguments=given["dag_arguments"], dag_inputs_spec=self._component.input_definitions
        )
        for key, value in arguments.items():
            self._store.put_parent_input(key, value)
        self._tasks = dict(self._component.dag.tasks)
        self._ended: dict[str, bool] = {}
        self._done: dict[str, Done] = {}
        self._running: set[str] = set()
        self._error: BaseException | None = None

    def run(self) -> tuple[Outputs, Any]:
        """Run the DAG; gives its outputs and status."""
        exits = {name for name, task in self._tasks.items() if self._is_exit(task)}
        self._run_all(name for name in self._in_order() if name not in exits)
        well = all(self._ended.values())
        for name in (name for name in self._tasks if name in exits):
            self._run_all([name])
            well = self._ended[name] and well
        if not well:
            return {}, self._kfp.FAILURE
        outputs = self._kfp.get_dag_outputs(dag_outputs_spec=self._component.dag.outputs, io_store=self._store)
        return outputs, self._kfp.SUCCESS

    def _in_order(self) -> list[str]:
        """KFP's own order, in which they would run one after the other."""
        return list(reversed(self._kfp.topological_sort_tasks(self._tasks)))

    def _is_exit(self, task: Any) -> bool:
        return self._waits_for_any_end(task) and self._kfp.has_task_final_status_input(task)

    def _waits_for_any_end(self, task: Any) -> bool:
        return bool(task.trigger_policy.strategy == self._kfp.ALL_UPSTREAM_TASKS_COMPLETED)

    def _run_all(self, names: Iterable[str]) -> None:
        left = list(names)
        with self._slots.changed:
            while left or self._running:
                # First what has ended: what waits for it comes before what is farther back in KFP's order.
                self._settle()
                left = self._start_what_can(left)
                if not self._done and (self._running or left):
                    self._slots.changed.wait()
        if self._error is not None:
            raise self._error

    def _start_what_can(self, names: list[str]) -> list[str]:
        """Start every task whose turn it is; gives those that must still wait."""
        waiting = []
        for name in names:
            before = [dep for dep in self._tasks[name].dependent_tasks if dep in self._tasks]
            if self._error or (self._ends_at_failure and not all(self._ended.values())):
                continue
            if any(dep not in self._ended and not self._is_exit(self._tasks[dep]) for dep in before):
                waiting.append(name)
            elif not all(self._ended.get(d, True) for d in before) and not self._waits_for_any_end(self._tasks[name]):
                self._end(name, well=False)
            elif not self._start(name):
                waiting.append(name)
        return waiting

    def _start(self, name: str) -> bool:
        """Start a task in a thread of its own; a DAG needs no slot, its tasks do."""
        component = self._passed["components"][self._tasks[name].component_ref.name]
        is_dag = component.WhichOneof("implementation") == "dag"
        if not (is_dag or self._slots.take()):
            return False
        self._running.add(name)
        threading.Thread(target=self._execute, args=(name, not is_dag), name=name, daemon=True).start()
        return True

    def _execute(self, name: str, with_slot: bool) -> None:
        done = Done()
        try:
            done.outputs, done.status = self._kfp.execute_task(
                task_name=name, task_spec=self._tasks[name], io_store=self._store, **self._passed
            )
        except BaseException as error:
            done.error = error
        with self._slots.changed:
            self._done[name] = done
            if with_slot:
                self._slots.give_back()
            self._slots.changed.notify_all()

    def _settle(self) -> None:
        """Take the results of what has ended."""
        for name, done in self._done.items():
            self._running.discard(name)
            if done.error is not None:
                self._error = self._error or done.error
            elif done.status == self._kfp.SUCCESS:
                for key, output in done.outputs.items():
                    self._store.put_task_output(name, key, output)
            else:
                self._fail_stack.append(name)
            self._end(name, well=done.error is None and done.status == self._kfp.SUCCESS)
        self._done.clear()

    def _end(self, name: str, *, well: bool) -> None:
        self._ended[name] = well
        self._store.put_task_status(name, "SUCCEEDED" if well else "FAILED")
