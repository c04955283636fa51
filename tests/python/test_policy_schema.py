"""The JSON Schema of policies, judged by another implementation: what loads fits it, and what does not is refused."""

from pathlib import Path

import jsonschema
import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
POLICIES = sorted((REPOSITORY / "tests" / "policies").glob("*.yaml"))
REAL = [
    "obs_base/policy/datasets.yaml",
    "obs_base/policy/exposures.yaml",
    "obs_base/policy/CalibrationMappingDefaults.yaml",
    "obs_base/policy/ExposureMappingDefaults.yaml",
    "obs_base/policy/ImageMappingDefaults.yaml",
    "obs_test/policy/testMapper.yaml",
    "obs_test/policy/testCalexpMetadataObjects.yaml",
]


@pytest.fixture(scope="module")
def schema(pantler):
    made = pantler("policy", "schema").json()
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made)


def complaints(schema, text):
    return [error.message for error in schema.iter_errors(yaml.safe_load(text))]


@pytest.mark.parametrize("policy", POLICIES, ids=lambda path: path.stem)
def test_policies_of_the_use_cases_fit(schema, policy):
    assert complaints(schema, policy.read_text()) == []


@pytest.mark.parametrize("name", REAL)
def test_real_policies_fit(schema, real_file, name):
    assert complaints(schema, real_file(f"policies/{name}").read_text()) == []


@pytest.mark.parametrize(
    "text",
    [
        "datasets: {a: {tempalte: x}}",
        "datasets: {a: {composite: {x: {datasettype: b}}}}",
        "datasets: {a: {composite: {x: b}}}",
        "datasets: {a: {composite: {x: {datasetType: b, inputOnly: 1}}}}",
        "datasets: {a: {join: {how: sideways}}}",
        "datasets: {a: {ingest: {haeders: {visit: EXPID}}}}",
        "keys: {visit: {type: number}}",
        "dataset: {a: {template: x}}",
        "aliases: [calexp]",
    ],
)
def test_what_the_program_refuses_does_not_fit(schema, pantler, tmp_path, text):
    file = tmp_path / "policy.yaml"
    file.write_text(text)
    answer = pantler("policy", "check", file, "--json", status=1)
    assert any(problem["severity"] == "error" for problem in answer.json()["problems"])
    assert complaints(schema, text)
