"""Compares pantler with the field's framework, lsst-daf-butler, contenders taking turns within one run.

    python -m venv peer && peer/bin/pip install lsst-daf-butler==30.2026.4300 pyarrow
    maturin build --release && peer/bin/pip install target/wheels/*.whl
    peer/bin/python bench/compare.py [--datasets 100000] [--rounds 60]

Both keep the same datasets on the same disk: dictionaries as JSON by visit and detector, and an object of three parts, each a file
of its own. Of each round the ratio of the two times is taken, the order of the two changing from round to round; medians of the
ratios are printed with the medians of the times. The peer keeps nothing in memory between gets, so pantler's cache is off.

The two do not promise the same: a put of pantler is durable when it returns (file and index are synchronised), one of the peer is
not; a find of the peer gives its identity, one of pantler looks at all parts. Memory is the peak of a process of its own.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from compared import Metrics

DETECTORS = 100
# So many calls of one contender follow one another, as in a program: a single one would find the other's work in the caches.
CALLS = 50


SUMMARY, OUTPUT, DATA = {"mean": 1.5, "n": 3}, {"a": {"b": [1, 2]}}, [1.0, 2.0, 3.0]
SMALL = {"a": 1, "b": "two"}


class Pantler:
    """The datasets in pantler."""

    name = "pantler"

    def __init__(self, root, _visits):
        import pantler

        parts = {
            f"metric_{part}": {"template": f"metric_{part}/%(visit)d/%(detector)d.json", "python": python, "storage": "JsonStorage"}
            for part, python in (("summary", "dict"), ("output", "dict"), ("data", "list"))
        }
        composite = {part: {"datasetType": f"metric_{part}"} for part in ("summary", "output", "data")}
        policy = {
            "datasets": {
                "small": {"template": "small/%(visit)d/%(detector)d.json", "python": "dict", "storage": "JsonStorage"},
                "kept": {
                    "template": "kept/%(visit)d/%(detector)d.json",
                    "python": "dict",
                    "storage": "JsonStorage",
                    "ingest": {"path": "files/%(visit)d/%(detector)d.json"},
                },
                "metric": {"python": "compared.Metrics", "composite": composite},
                **parts,
            }
        }
        self.root = root
        self.butler = pantler.Butler(outputs=root, policy=policy, cache_bytes=0)

    def put(self, visit, detector):
        self.butler.put(SMALL, "small", visit=visit, detector=detector)

    def put_batch(self, visit, count):
        with self.butler.batch() as batch:
            for number in range(count):
                batch.put(SMALL, "small", visit=visit + number // DETECTORS, detector=number % DETECTORS)

    def get(self, visit, detector):
        return self.butler.get("small", visit=visit, detector=detector)

    def put_composite(self, visit, detector):
        self.butler.put(Metrics(SUMMARY, OUTPUT, DATA), "metric", visit=visit, detector=detector)

    def get_composite(self, visit, detector):
        return self.butler.get("metric", visit=visit, detector=detector)

    def get_component(self, visit, detector):
        return self.butler.get("metric.summary", visit=visit, detector=detector)

    def ingest(self, files):
        result = self.butler.ingest("kept", [path for path, _, _ in files], mode="in-place")
        assert result.ingested == len(files), result

    def find(self, visit, detector):
        assert self.butler.exists("kept", visit=visit, detector=detector)

    def query(self):
        return self.butler.query("kept").to_arrow().num_rows


class Peer:
    """The datasets in the field's framework."""

    name = "lsst-daf-butler"

    def __init__(self, root, visits):
        from lsst.daf.butler import Butler, Config, DatasetType

        json_formatter = "lsst.daf.butler.formatters.json.JsonFormatter"
        components = {"summary": "StructuredDataDict", "output": "StructuredDataDict", "data": "StructuredDataList"}
        Butler.makeRepo(
            root,
            config=Config(
                {
                    "storageClasses": {
                        "Metrics": {
                            "pytype": "lsst.daf.butler.tests.MetricsExample",
                            "delegate": "lsst.daf.butler.tests.MetricsDelegate",
                            "components": components,
                        }
                    },
                    "datastore": {
                        "cls": "lsst.daf.butler.datastores.fileDatastore.FileDatastore",
                        "composites": {"disassembled": {"Metrics": True}},
                        "formatters": {kind: json_formatter for kind in set(components.values())},
                    },
                }
            ),
        )
        self.root = root
        self.butler = Butler.from_config(root, run="run", writeable=True)
        registry = self.butler.registry
        instrument = {"name": "Cam", "class_name": "none", "detector_max": 200, "visit_max": 10**8, "exposure_max": 10**8}
        registry.insertDimensionData("instrument", instrument)
        registry.insertDimensionData("physical_filter", {"instrument": "Cam", "name": "r", "band": "r"})
        registry.insertDimensionData("day_obs", {"instrument": "Cam", "id": 20260101})
        detectors = [{"instrument": "Cam", "id": number, "full_name": f"d{number}"} for number in range(DETECTORS)]
        registry.insertDimensionData("detector", *detectors)
        known = [
            {"instrument": "Cam", "id": number, "name": f"v{number}", "physical_filter": "r", "day_obs": 20260101}
            for number in visits
        ]
        registry.insertDimensionData("visit", *known)
        self.types = {}
        for name, storage in (("small", "StructuredDataDict"), ("kept", "StructuredDataDict"), ("metric", "Metrics")):
            dimensions = ("instrument", "visit", "detector")
            self.types[name] = DatasetType(name, dimensions, storage, universe=self.butler.dimensions)
            registry.registerDatasetType(self.types[name])

    def put(self, visit, detector):
        self.butler.put(SMALL, "small", instrument="Cam", visit=visit, detector=detector)

    def put_batch(self, visit, count):
        with self.butler.transaction():
            for number in range(count):
                self.put(visit + number // DETECTORS, number % DETECTORS)

    def get(self, visit, detector):
        return self.butler.get("small", instrument="Cam", visit=visit, detector=detector)

    def put_composite(self, visit, detector):
        from lsst.daf.butler.tests import MetricsExample

        metrics = MetricsExample(SUMMARY, OUTPUT, DATA)
        self.butler.put(metrics, "metric", instrument="Cam", visit=visit, detector=detector)

    def get_composite(self, visit, detector):
        return self.butler.get("metric", instrument="Cam", visit=visit, detector=detector)

    def get_component(self, visit, detector):
        return self.butler.get("metric.summary", instrument="Cam", visit=visit, detector=detector)

    def ingest(self, files):
        from lsst.daf.butler import DataCoordinate, DatasetRef, FileDataset

        datasets = []
        for path, visit, detector in files:
            data_id = DataCoordinate.standardize(
                instrument="Cam", visit=visit, detector=detector, universe=self.butler.dimensions,
                defaults=self.butler.registry.defaults.dataId, physical_filter="r", band="r", day_obs=20260101,
            )
            datasets.append(FileDataset(path=path, refs=[DatasetRef(self.types["kept"], data_id, run="run")]))
        self.butler.ingest(*datasets, transfer="direct")

    def find(self, visit, detector):
        assert self.butler.find_dataset("kept", instrument="Cam", visit=visit, detector=detector) is not None

    def query(self):
        return len(self.butler.query_datasets("kept", limit=None))


# What a process of its own does: imports and opens; then, for its memory, also gets or queries.
PROCESSES = {
    "pantler": {
        "open": "import pantler; butler = pantler.Butler.open({root!r})",
        "get": "butler.get('small', visit={visit}, detector=0)",
        "query": "butler.query('kept').to_arrow()",
    },
    "lsst-daf-butler": {
        "open": "from lsst.daf.butler import Butler; butler = Butler.from_config({root!r}, run='run', writeable=True)",
        "get": "butler.get('small', instrument='Cam', visit={visit}, detector=0)",
        "query": "butler.query_datasets('kept', limit=None)",
    },
}


def timed(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compare(what, contenders, work, rounds, calls=1):
    """Prints the median of the ratios of `rounds` rounds, in which both do `work(contender, number)` as many times as `calls` says."""
    times = {each.name: [] for each in contenders}
    for number in range(rounds):
        for each in contenders if number % 2 else reversed(contenders):
            numbers = range(number * calls, (number + 1) * calls)
            times[each.name].append(timed(lambda: [work(each, one) for one in numbers]) / calls)
    ours, theirs = (times[each.name] for each in contenders)
    report(what, ours, theirs, 1e3, "ms")


def report(what, ours, theirs, scale, unit):
    ratio = statistics.median(b / a for a, b in zip(ours, theirs))
    mine, other = statistics.median(ours) * scale, statistics.median(theirs) * scale
    print(f"| {what} | {mine:.3g} {unit} | {other:.3g} {unit} | {ratio:.1f} |", flush=True)


def peak(program):
    """The peak of memory of a process, in MiB."""
    # Not by getrusage, which counts what this process had when it started the other.
    program += "; print(open('/proc/self/status').read())"
    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    return float(printed.split("VmHWM:")[1].split()[0]) / 1024


def make_files(folder, count):
    files = []
    for number in range(count):
        visit, detector = number // DETECTORS, number % DETECTORS
        path = os.path.join(folder, "files", str(visit), f"{detector}.json")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            json.dump(SMALL, file)
        files.append((path, visit, detector))
    return files


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--datasets", type=int, default=100_000, help="how many are ingested, found and listed")
    parser.add_argument("--rounds", type=int, default=60, help="rounds of the quick cases")
    parser.add_argument("--folder", help="where to work; a temporary folder otherwise")
    given = parser.parse_args()
    folder = tempfile.mkdtemp(dir=given.folder)
    try:
        run(folder, given.datasets, given.rounds)
    finally:
        shutil.rmtree(folder)


def run(folder, datasets, rounds):
    files = make_files(folder, datasets)
    first = datasets // DETECTORS + 1
    batches = 5
    visits = range(first + rounds * CALLS + 1 + batches * 20)
    contenders = [kind(os.path.join(folder, kind.name), visits) for kind in (Pantler, Peer)]
    print("| case | pantler | lsst-daf-butler | times |\n| --- | --- | --- | --- |")

    chunk = max(datasets // 10, 1)
    compare(
        f"ingest of {chunk} files in place (the whole: {datasets})", contenders,
        lambda each, number: each.ingest(files[number * chunk : (number + 1) * chunk]), 10,
    )
    compare("put of a small dataset (pantler's is durable)", contenders, lambda each, number: each.put(first + number, 0), rounds, CALLS)
    compare("get of it", contenders, lambda each, number: each.get(first + number, 0), rounds, CALLS)
    compare("put of an object of three files", contenders, lambda each, number: each.put_composite(first + number, 0), rounds, CALLS)
    compare("get of it", contenders, lambda each, number: each.get_composite(first + number, 0), rounds, CALLS)
    compare("one of its components", contenders, lambda each, number: each.get_component(first + number, 0), rounds, CALLS)
    compare(
        f"find one among {datasets}", contenders,
        lambda each, number: each.find(number * 7919 % (datasets // DETECTORS), number % DETECTORS), rounds, CALLS,
    )
    compare(f"query of all {datasets} (pantler: into Arrow)", contenders, lambda each, _: each.query(), 5)
    batch = first + rounds * CALLS + 1
    compare(
        "put of 1000 small datasets together", contenders,
        lambda each, number: each.put_batch(batch + number * 20, 1000), batches,
    )
    programs = {
        each.name: {key: text.format(root=each.root, visit=first) for key, text in PROCESSES[each.name].items()}
        for each in contenders
    }
    compare(
        "import and open, in a process of its own", contenders,
        lambda each, _: subprocess.run([sys.executable, "-c", programs[each.name]["open"]], check=True), 7,
    )
    for what, steps in (("open and get one", ("open", "get")), (f"query of all {datasets}", ("open", "query"))):
        peaks = [[peak("; ".join(programs[each.name][step] for step in steps)) for _ in range(3)] for each in contenders]
        report(f"memory: {what}", *peaks, 1, "MiB")


if __name__ == "__main__":
    main()
