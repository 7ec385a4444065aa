"""What the page "What is the same as in `kedro run`" says row by row, and the tests that keep each row true."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/reference/like-kedro-run.md"
MODELS, PLACES, STEP = "e2e/test_mlflow_models.py", "e2e/test_places.py", "e2e/test_kedro_in_the_step.py"
VALUES, COMPILING = "e2e/test_values_of_the_run.py", "e2e/test_values_when_compiling.py"

NAMES = "e2e/test_names_of_parameters.py"

# How a row begins → the tests that fail when it is no longer so.
HELD_BY = {
    "resolvers": (
        f"{VALUES}::test_nothing_that_a_resolver_gives_is_in_the_compiled_file",
        f"{VALUES}::test_one_that_is_overridden_is_an_input_and_no_more_of_it",
        f"{VALUES}::test_what_only_steps_know_need_not_be_known_where_it_is_compiled",
        f"{VALUES}::test_steps_see_what_kedro_run_sees",
    ),
    "interpolation": (
        f"{VALUES}::test_steps_see_what_kedro_run_sees",
        f"{VALUES}::test_a_resolver_that_is_given_is_worked_out_in_the_run",
    ),
    "the order of a mapping's keys": (
        f"{VALUES}::test_steps_see_what_kedro_run_sees",
        "test_parameters.py::test_keys_in_an_order_that_the_project_does_not_know_travel_as_text",
    ),
    "`${runtime_params:…}`, in any file": (
        f"{VALUES}::test_steps_see_what_kedro_run_sees",
        f"{VALUES}::test_what_must_be_given_is_named_and_where_it_is_used",
        f"{MODELS}::test_hooks_hear_of_the_run_once",
    ),
    "`--params` with new names": (
        f"{VALUES}::test_a_typo_is_taken_as_kedro_takes_it_and_said",
        f"{COMPILING}::test_one_that_conf_lacks_and_a_node_uses_can_be_given",
    ),
    "a parameter that a run is given as it stands": (
        f"{STEP}::test_a_parameter_that_is_given_as_it_stands_counts_as_not_given",
    ),
    "names of parameters": (
        f"{NAMES}::test_steps_see_what_kedro_run_sees",
        f"{NAMES}::test_a_name_that_is_not_text_is_no_input",
    ),
    "typed parameters": (f"{COMPILING}::test_a_value_that_does_not_fit_its_type_is_refused_at_once",),
    "environment": ("e2e/test_image_differs.py::test_the_environment_that_was_compiled_is_the_one_that_runs",),
    "`conf/local`": (
        f"{COMPILING}::test_a_value_of_conf_local_is_said_to_travel",
        f"{NAMES}::test_steps_see_what_kedro_run_sees",
        f"{NAMES}::test_what_steps_have_otherwise_without_conf_local_is_said",
        f"{COMPILING}::test_what_steps_have_otherwise_without_conf_local_is_said",
        "e2e/test_isolated.py::test_steps_share_nothing_and_leave_nothing",
    ),
    "in memory": (
        f"{STEP}::test_loaders_of_partitions_are_made_whole",
        "runtime/test_lazy_data.py::test_made_whole",
        "runtime/test_lazy_data.py::test_what_run_config_names_stores_it",
        "runtime/test_lazy_data.py::test_what_points_at_files_and_cannot_be_made_whole_is_refused",
    ),
    "local files": (
        f"{STEP}::test_what_a_step_sees_is_what_kedro_run_sees",
        "e2e/test_awkward.py::test_data_is_written_once_straight_to_its_artifact",
        "e2e/test_awkward.py::test_extensions_survive_and_pages_are_single_files",
        "cli/test_check.py::test_what_is_lost_with_the_run",
    ),
    "one file under two dataset names": (
        "e2e/test_one_file_two_names.py::test_the_data_crosses",
        "e2e/test_one_file_two_names.py::"
        "test_what_is_added_to_alone_begins_as_the_image_has_it_and_an_exit_pipeline_has_names_too",
        "e2e/test_one_file_two_names.py::test_what_lies_elsewhere_under_two_names_alone_is_waited_for",
        "e2e/test_one_file_two_names.py::test_a_file_inside_of_a_folder_that_is_written_stops_everything",
    ),
    "raw data": (
        "cli/test_check.py::test_raw_data_that_the_image_will_not_hold",
        "cli/test_check.py::test_raw_data_that_is_nowhere_or_mounted",
    ),
    "partitioned, incremental": (
        "e2e/test_awkward.py::test_partitions_and_versions_keep_their_folders",
        "plan/test_handoff.py::test_the_table",
        f"{STEP}::test_what_a_step_sees_is_what_kedro_run_sees",
        "e2e/test_groups.py::test_results_are_those_of_kedro_run",
    ),
    "the checkpoint": (f"{STEP}::test_a_checkpoint_that_is_lost_is_said",),
    "a dataset of your own": (
        f"{PLACES}::test_they_cross",
        f"{PLACES}::test_what_cannot_be_told_stops_everything_unless_the_nodes_share_a_step",
        f"{PLACES}::test_a_store_that_two_steps_open_stops_everything_unless_they_share_one",
    ),
    "a class that is not there, or an argument that it does not take": (
        "cli/test_check.py::test_classes_of_datasets_that_are_not_there",
        "cli/test_check.py::test_arguments_that_a_class_does_not_take",
    ),
    "remote data, databases": (
        "e2e/test_one_file_two_names.py::test_what_lies_elsewhere_under_two_names_alone_is_waited_for",
        "plan/steps/test_steps.py::test_remote_datasets_only_order_steps",
        f"{PLACES}::test_a_database_in_a_file_between_two_steps_stops_everything",
    ),
    "hooks of nodes": (
        f"{STEP}::test_what_a_step_sees_is_what_kedro_run_sees",
        f"{STEP}::test_hooks_are_given_every_parameter_also_those_that_no_node_of_the_step_uses",
    ),
    "what hooks are told of a run": (f"{STEP}::test_hooks_are_told_what_kedro_run_tells_them_of_a_run",),
    "`before_pipeline_run`": (
        f"{MODELS}::test_hooks_hear_of_the_run_once",
        f"{STEP}::test_a_parameter_that_is_given_as_it_stands_counts_as_not_given",
    ),
    "`catalog.load` of what no node uses": (f"{STEP}::test_what_a_step_sees_is_what_kedro_run_sees",),
    "`confirms`": (
        f"{STEP}::test_what_is_confirmed_is_not_given_again",
        f"{STEP}::test_what_a_step_sees_is_what_kedro_run_sees",
        f"{STEP}::test_the_projects_own_session_class_is_used",
    ),
    "a pipeline that does not import": (
        "e2e/test_image_differs.py::test_what_does_not_import_is_said_before_anything_is_submitted",
        "e2e/test_image_differs.py::test_a_step_says_what_does_not_import_in_its_image",
    ),
    "runners": (
        "e2e/test_runners.py::test_an_error_is_told_by_its_node_while_others_run",
        "e2e/test_runners.py::test_threads_log_to_the_one_run",
    ),
    "return value": ("e2e/test_runners.py::test_numbers_and_results_that_nobody_reads_are_kept",),
    "one run": ("e2e/test_one_mlflow_run.py::test_everything_lands_in_one_finished_run",),
    "`MlflowModelTrackingDataset`": (f"{MODELS}::test_a_model_in_mlflow_crosses",),
    "`MlflowArtifactDataset`": ("e2e/test_one_mlflow_run.py::test_everything_lands_in_one_finished_run",),
    "`pipeline_ml_factory`": (
        f"{MODELS}::test_a_pipeline_that_is_a_model_must_be_one_step",
        f"{MODELS}::test_in_one_step_its_model_is_logged",
    ),
}


def rows() -> list[str]:
    """The first cell of each row that says something."""
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ") and "---" not in line]
    cells = [line.strip("| ").split(" | ") for line in lines[1:]]
    return [first for first, *rest in cells if not first.startswith("**") and any(rest)]


@pytest.mark.parametrize("row", rows())
def test_each_row_is_held_by_tests_that_are_there(row: str) -> None:
    found = [tests for begin, tests in HELD_BY.items() if row.startswith(begin)]
    assert len(found) == 1, f"{PAGE.name} says something of {row!r}, and {len(found)} entries here hold it"
    for test in found[0]:
        path, _, name = test.partition("::")
        tree = ast.parse((ROOT / "tests" / path).read_text("utf-8"))
        assert name in {f.name for f in ast.walk(tree) if isinstance(f, ast.FunctionDef)}, test


def test_nothing_is_held_that_the_page_does_not_say() -> None:
    assert [begin for begin in HELD_BY if not any(row.startswith(begin) for row in rows())] == []
