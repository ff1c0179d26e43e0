"""Reports: their JSON form, and how budgets are held against metrics."""

from __future__ import annotations

import argparse
import json
import sys

import pytest

from bench import cli, peers
from bench.report import BenchError, Budget, budgets_of, parse_budgets, report


@pytest.mark.parametrize(
    ("op", "value", "ok"),
    [
        ("<=", 0.9, True),
        ("<=", 1.0, True),
        ("<=", 1.00004, True),
        ("<=", 1.0001, False),
        (">=", 1.0, True),
        (">=", 0.99, False),
        ("==", 1.0, True),
        ("==", 1.1, False),
        ("<=", float("nan"), False),
    ],
)
def test_a_budget_is_kept_or_missed_at_the_precision_that_is_printed(op: str, value: float, ok: bool) -> None:
    (outcome,) = report(
        "kernels", {"x": value}, parse_budgets(f'[kernels]\nx = {{ op = "{op}", goal = 1 }}')["kernels"]
    ).budgets
    assert outcome.ok is ok


def test_a_budget_on_what_was_not_measured_is_an_error() -> None:
    with pytest.raises(BenchError, match=r"\[kernels\]: no such metric: y"):
        report("kernels", {"x": 1.0}, {"y": Budget("<=", 1)})


@pytest.mark.parametrize(
    "content", ["[kernels", '[kernels]\nx = { op = "<", goal = 1 }', "[kernels]\nx = 1", '[a]\nx = {op = "<="}']
)
def test_a_malformed_budget_file_is_named(content: str) -> None:
    with pytest.raises(BenchError, match=r"budgets\.toml"):
        parse_budgets(content)


def test_a_bench_without_budgets_has_none() -> None:
    assert budgets_of("nothing") == {}


def run(monkeypatch: pytest.MonkeyPatch, metrics: dict[str, float], *arguments: str) -> int:
    """``shieldwire bench kernels`` with these metrics in the place of measured ones."""
    monkeypatch.setattr("bench.kernels.measure", lambda: metrics)
    parser = argparse.ArgumentParser()
    cli.register(parser.add_subparsers())
    options = parser.parse_args(["bench", "kernels", *arguments])
    status: int = options.run(options)
    return status


def kept() -> dict[str, float]:
    return {metric: budget.goal for metric, budget in budgets_of("kernels").items()}


def test_json_has_the_form_of_the_contract(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, {**kept(), "other": 0.123456}, "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed.keys() == {"bench", "machine", "metrics", "budgets"}
    assert printed["bench"] == "kernels"
    assert "CPython" in printed["machine"] or "PyPy" in printed["machine"]
    assert printed["metrics"]["other"] == 0.1235
    assert printed["budgets"][0].keys() == {"metric", "op", "goal", "value", "ok"}
    assert {budget["metric"] for budget in printed["budgets"]} == kept().keys()


def test_the_kernels_have_the_budgets_of_the_contract() -> None:
    assert kept().keys() >= {
        "verdict_vs_ahocorasick",
        "verdict_vs_folded_ahocorasick",
        "read_kernel_us_16",
        "us_per_char_ratio_10_10000",
        "us_ratio_1000_200000_terms",
        "compile_200k_s",
        "heap_mb",
    }


def test_a_missed_budget_is_the_exit_status_and_stands_in_the_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, {**kept(), "compile_200k_s": 11.0}) == cli.MISSED
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines if "MISSED" in line] == [["compile_200k_s", "11", "<=", "10", "MISSED"]]


def test_without_the_peer_the_operator_is_told_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ahocorasick_rs", None)
    monkeypatch.setattr("bench.kernels.measure", lambda: {"x": float(len(peers.ahocorasick(["x"])("x")))})
    parser = argparse.ArgumentParser()
    cli.register(parser.add_subparsers())
    options = parser.parse_args(["bench", "kernels"])
    assert options.run(options) == cli.USAGE_ERROR
    assert "pip install ahocorasick_rs" in capsys.readouterr().err


def test_what_cannot_be_measured_here_is_left_out_with_its_budget() -> None:
    budgets = {"x": Budget("<=", 1), "y": Budget("<=", 1)}
    found = report("relay", {"x": 0.5, "y": None}, budgets)
    assert found.metrics == {"x": 0.5}
    assert [outcome.metric for outcome in found.budgets] == ["x"]


@pytest.mark.parametrize(
    ("bench", "metrics"),
    [
        (
            "relay",
            {
                "fast_vs_nginx_d1",
                "fast_vs_nginx_d16",
                "portable_vs_nginx_d1",
                "portable_vs_nginx_d16",
                "added_p99_vs_nginx",
                "slow_reader_mb",
            },
        ),
        ("fanout", {"cost_vs_nginx"}),
        ("memory", {"kib_per_idle_connection"}),
    ],
)
def test_the_network_benches_have_the_budgets_of_the_contract(bench: str, metrics: set[str]) -> None:
    assert set(budgets_of(bench)) == metrics
