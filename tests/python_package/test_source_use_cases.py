"""The code of the document that pantler comes from, use case by use case, with its own names and in its own order of calls.

What differs from the text is said where it differs: its slips (`dafPersistence` for `dafPersist`, `wsc` for `wcs`, a put without its
object), module names, and keyword arguments where the text has positional ones after keywords.
"""

import numpy as np
import pytest

import pantler
from conftest import CHECKOUT, new_calib, new_wcs, simulated_exposure
from stand_ins import packages  # noqa: F401

DAF_PERSIST = {"lsst.daf.persistence": "from pantler import Butler, RepositoryArgs\n"}

FIELD = {"run": 4, "camcol": 2, "filter": "r", "field": 17}

JOINTCAL = '''
    def JointcalAssembler(dataId, componentDict, classObj):
        # expects componentDict keys 'calexp', 'wcs' and 'calib', to contain Exposure, Wcs and Calib objects, respectively.
        # in this case, load the 'base' object, and then overlay components
        exposure = componentDict['calexp']
        exposure.setWcs(componentDict['wcs'])
        exposure.setCalib(componentDict['calib'])
        return exposure

    def JointcalDisassembler(exposure, dataId, componentDict):
        componentDict['calexp'] = None
        componentDict['wcs'] = exposure.getWcs()
        componentDict['calib'] = exposure.getCalib()
'''


def policy(name):
    return CHECKOUT / "tests/policies" / name


def test_use_case_1_access_exposure_with_updated_wcs(packages, tmp_path, monkeypatch):
    packages({**DAF_PERSIST, "lsst.mypackage.jointcal": JOINTCAL})
    monkeypatch.chdir(tmp_path)
    pantler.Butler(outputs=pantler.RepositoryArgs(root="single_visit_processing", policy=policy("updated_wcs.yaml"))).put(
        simulated_exposure(), "calexp", FIELD
    )

    import lsst.daf.persistence as dafPersist

    inputRepoArgs = dafPersist.RepositoryArgs(root="single_visit_processing")
    outputRepoArgs = dafPersist.RepositoryArgs(root="jointcal_processing")
    butler = dafPersist.Butler(inputs=inputRepoArgs, outputs=outputRepoArgs)

    exposure = butler.get("calexp", FIELD)
    updated = exposure.with_wcs(new_wcs()).with_photo_calib(new_calib())
    done = butler.put(updated, "jointcalexp", dataId={**FIELD, "tract": 0})
    assert sorted(done.written) == ["calib/0000/calib-000004-r2-0017.fits", "wcs/0000/wcs-000004-r2-0017.fits"]
    assert done.input_only == ["calexp"]

    alone = dafPersist.Butler(inputs=outputRepoArgs)
    again = alone.get("jointcalexp", dataId={**FIELD, "tract": 0})
    assert again == updated
    assert again.wcs is alone.get("jointcal_wcs", FIELD, tract=0)
    # The assembler changed a draft: the exposure that it began with is as it was.
    assert alone.get("calexp", FIELD).wcs == exposure.wcs
    assert alone.get("calexp", FIELD).wcs != new_wcs()
    with pytest.raises(ValueError):
        again.image.array[0, 0] = 1


def psf():
    """A PSF: of a real exposure where that is here."""
    from conftest import real_file

    return real_file("exposures/hsc_calexp_full.fits")


CALEXP = '''
    def CalexpAssembler(dataId, componentDict, classObj):
        exposure = classObj()
        exposure.setPsf(componentDict['psf'])
        exposure.setCalib(componentDict['calib'])
        return exposure

    def CalexpDisassembler(exposure, dataId, componentDict):
        componentDict['psf'] = exposure.getPsf()
        componentDict['calib'] = exposure.getCalib()
'''


def test_use_case_2_load_exposure_components_individually(packages, tmp_path):
    """The user calls butler.get('calexp.psf', dataId={...}): of a composite, and of one file, the same call."""
    packages({**DAF_PERSIST, "lsst.mypackage": CALEXP})
    import lsst.daf.persistence as dafPersist

    whole = {"template": "whole/%(run)d.fits", "python": "lsst.afw.image.ExposureF", "storage": "FitsStorage"}
    one_file = dafPersist.Butler(outputs=tmp_path / "one", policy={"datasets": {"calexp": whole}})
    one_file.ingest("calexp", psf(), mode="in-place", run=4)
    exposure = one_file.get("calexp", dataId={"run": 4})

    butler = dafPersist.Butler(outputs=tmp_path / "parts", policy=policy("components.yaml"))
    done = butler.put(exposure, "calexp", dataId=FIELD)
    assert sorted(path.rsplit("/", 1)[1][:4] for path in done.written) == ["cali", "psf-"]
    found = butler.get("calexp.psf", dataId=FIELD)
    assert found == exposure.psf == one_file.get("calexp.psf", dataId={"run": 4})
    assembled = butler.get("calexp", dataId=FIELD)
    assert assembled.psf is found and assembled.photo_calib == exposure.photo_calib


MONKEY = '''
    def extended_icSrc_assembler(dataId, componentDict, classObj):
        # in this case, load the 'base' object, and then add in components as a monkey patch
        srcCat = componentDict['icSrc']
        srcCat.wcs = componentDict['wcs']
        srcCat.calib = componentDict['calib']
        return srcCat

    def extended_icSrc_disassembler(srcCat, dataId, componentDict):
        componentDict['icSrc'] = srcCat
        componentDict['wcs'] = srcCat.wcs
        componentDict['calib'] = srcCat.calib
'''

SETTERS = '''
    def extended_icSrc_assembler(dataId, componentDict, classObj):
        # in this case, load the 'base' object, and then add in components as a monkey patch
        srcCat = componentDict['icSrc']
        srcCat.setWcs(componentDict['wcs'])
        srcCat.setCalib(componentDict['calib'])
        return srcCat

    def extended_icSrc_disassembler(srcCat, dataId, componentDict):
        componentDict['icSrc'] = srcCat
        componentDict['wcs'] = srcCat.getWcs()
        componentDict['calib'] = srcCat.getCalib()
'''

CONTAINER = '''
    def extended_icSrc_assembler(dataId, componentDict, classObj):
        # in this case, load the 'base' object, and then add in components as a monkey patch
        srcCatEx = classObj()
        srcCatEx.setSourceCatalog(componentDict['icSrc'])
        srcCatEx.setWcs(componentDict['wcs'])
        srcCatEx.setCalib(componentDict['calib'])
        return srcCatEx

    def extended_icSrc_disassembler(srcCatEx, dataId, componentDict):
        componentDict['icSrc'] = srcCatEx.getSourceCatalog()
        componentDict['wcs'] = srcCatEx.getWcs()
        componentDict['calib'] = srcCatEx.getCalib()
'''

CONTAINER_CLASS = '''
    class SourceCatalogWithInfo:
        def __init__(self):
            """no-op constructor"""
            pass

        # set all the component data individually:
        def setSourceCatalog(self, sourceCatalog):
            self.sourceCatalog = sourceCatalog
        def getSourceCatalog(self):
            return self.sourceCatalog
        def setWcs(self, wcs):
            self.wcs = wcs
        def getWcs(self):
            return self.wcs
        def setCalib(self, calib):
            self.calib = calib
        def getCalib(self):
            return self.calib
'''


def catalog():
    return pantler.Table({"id": np.arange(5), "flux": np.linspace(1, 2, 5)})


@pytest.fixture
def catalog_repository(tmp_path):
    """repo/A/path: a catalog, its coordinates and its calibration, stored apart."""
    file = tmp_path / "types.yaml"
    file.write_text(policy("catalog_with_parts.yaml").read_text().split("  extended_icSrc:")[0])
    butler = pantler.Butler(outputs=tmp_path / "A", policy=file)
    butler.put(catalog(), "icSrc", FIELD)
    butler.put(new_wcs(), "wcs", FIELD)
    butler.put(new_calib(), "calib", FIELD)
    return tmp_path / "A"


@pytest.mark.parametrize("code", [MONKEY, SETTERS], ids=["attributes", "setters"])
def test_use_case_3_by_setting_components_or_monkey_patching(packages, catalog_repository, tmp_path, code):
    packages({**DAF_PERSIST, "lsst.mypackage": code})
    import lsst.daf.persistence as dafPersist

    file = tmp_path / "extended.yaml"
    file.write_text(policy("catalog_with_parts.yaml").read_text().replace("SourceCatalogWithInfo", "SourceCatalog"))
    output = dafPersist.RepositoryArgs(root=tmp_path / "B", policy=file)
    butler = dafPersist.Butler(inputs=catalog_repository, outputs=output)
    dataId = FIELD
    srcCat = butler.get("extended_icSrc", dataId)
    assert srcCat.wcs is butler.get("wcs", dataId) and srcCat.calib is butler.get("calib", dataId)
    assert not hasattr(butler.get("icSrc", dataId), "wcs")
    done = butler.put(srcCat, "extended_icSrc", dataId)
    # None of the contained objects were changed: they are recorded, and not written again.
    assert done.written == [] and done.recorded and sorted(done.unchanged) == ["calib", "icSrc", "wcs"]
    reloaded = dafPersist.Butler(inputs=tmp_path / "B").get("extended_icSrc", dataId)
    assert reloaded == srcCat and reloaded["flux"][-1] == 2


@pytest.mark.parametrize("how", ["assembler", "generic"])
def test_use_case_3_by_pure_composite_container_class(packages, catalog_repository, tmp_path, how):
    packages({**DAF_PERSIST, "lsst.mypackage": CONTAINER, "lsst.afw.table": CONTAINER_CLASS})
    import lsst.daf.persistence as dafPersist
    from lsst.afw.table import SourceCatalogWithInfo

    text = policy("catalog_with_parts.yaml").read_text()
    if how == "generic":
        # No name of a method follows from `icSrc`, so the policy says which they are.
        text = "\n".join(line for line in text.split("\n") if "ssembler:" not in line)
        text = text.replace("{datasetType: icSrc}", "{datasetType: icSrc, setter: setSourceCatalog, getter: getSourceCatalog}")
    file = tmp_path / "extended.yaml"
    file.write_text(text)

    butler = dafPersist.Butler(inputs=catalog_repository, outputs=dafPersist.RepositoryArgs(root=tmp_path / "B", policy=file))
    dataId = FIELD
    srcCatObj = butler.get("icSrc", dataId)
    srcCatEx = SourceCatalogWithInfo()
    srcCatEx.setSourceCatalog(srcCatObj)
    srcCatEx.setWcs(butler.get("wcs", dataId))
    srcCatEx.setCalib(butler.get("calib", dataId))
    done = butler.put(srcCatEx, "extended_icSrc", dataId)
    assert done.written == [] and done.recorded

    # ==== later =====

    butler = dafPersist.Butler(inputs=tmp_path / "B", outputs=tmp_path / "C")
    reloadedSrcCatEx = butler.get("extended_icSrc", dataId)
    assert type(reloadedSrcCatEx) is SourceCatalogWithInfo
    assert reloadedSrcCatEx.getWcs() is butler.get("wcs", dataId)
    assert reloadedSrcCatEx.getSourceCatalog() is butler.get("icSrc", dataId)
    assert reloadedSrcCatEx.getCalib() == new_calib()


BACKGROUND_CLASSES = '''
    class ExposureWithBackground:
        def __init__(self):
            pass
        def setExposure(self, exposure):
            self.exposure = exposure
        def getExposure(self):
            return self.exposure
        def setBackground(self, background):
            self.background = background
        def getBackground(self):
            return self.background

        # What the text calls on it.
        def runDetectionProcessing(self):
            self.background = self.background.added(5)
            self.exposure = self.exposure.with_image(self.exposure.image.array - 5)
        def performOperationsThatDoNotChangeTheExposure(self):
            self.background = self.background.added(7)
'''

BACKGROUND_LIST = '''
    class BackgroundList:
        """Our background class is pure-Python."""

        def __init__(self, levels):
            self.levels = list(levels)

        def added(self, level):
            return BackgroundList([*self.levels, level])

        def __eq__(self, other):
            return self.levels == other.levels
'''

# The text's assembler returns the exposure, and its disassembler takes `obj.exposure`: the container that it defines is meant.
BACKGROUND_PLUGINS = '''
    def ExposureWithBackgroundAssembler(dataId, componentDict, classObj):
        obj = classObj()
        obj.setExposure(componentDict['exposure'])
        obj.setBackground(componentDict['background'])
        return obj

    def ExposureWithBackgroundDisassembler(obj, dataId, componentDict):
        componentDict['exposure'] = obj.exposure
        componentDict['background'] = obj.background
'''


def test_use_case_4_store_processed_exposure_dataset_components_separately(packages, tmp_path, monkeypatch):
    packages(
        {
            **DAF_PERSIST,
            "lsst.mypackage": BACKGROUND_PLUGINS,
            "lsst.afw.image": BACKGROUND_CLASSES,
            "lsst.background": BACKGROUND_LIST,
        }
    )
    monkeypatch.chdir(tmp_path)
    import lsst.daf.persistence as dafPersist
    from lsst.background import BackgroundList

    # The pure-Python class by its own name; a FITS file of such a background would be pantler's.
    text = policy("background.yaml").read_text().replace("lsst.afw.math.BackgroundList", "lsst.background.BackgroundList")
    text = text.replace("storage: FitsCatalogStorage", "storage: PickleStorage", 1)
    (tmp_path / "policy.yaml").write_text(text)
    before = dafPersist.Butler(outputs="datasets/A", policy=tmp_path / "policy.yaml", allow_pickle=True)
    before.put(simulated_exposure(), "calexp", FIELD)
    before.put(BackgroundList([1, 2]), "calexpBackground", FIELD)

    # Create a butler with the pre-detection data as inputs and will put the post-detection data for output
    butler = dafPersist.Butler(inputs="datasets/A", outputs="datasets/B", allow_pickle=True)
    dataId = FIELD
    exp = butler.get("coadd_detection", dataId)
    exp.runDetectionProcessing()
    # this put will write both the background and the exposure to the repository at "datasets/B"
    done = butler.put(exp, "coadd_detection", dataId)
    assert len(done.written) == 2
    # later...
    butler = dafPersist.Butler(inputs="datasets/B", outputs="datasets/C", allow_pickle=True)
    exp = butler.get("coadd_postdetect", dataId)
    # do not modify the exposure object - it will not get written!
    exp.performOperationsThatDoNotChangeTheExposure()
    # this will write the background to the repo at "datasets/C" but not the exposure.
    done = butler.put(exp, "coadd_postdetect", dataId)
    (written,) = done.written
    assert "bkgd-calexp" in written and done.input_only == ["exposure"]
    last = dafPersist.Butler(inputs="datasets/C", allow_pickle=True).get("coadd_postdetect", dataId)
    assert last.background.levels == [1, 2, 5, 7]
    np.testing.assert_array_equal(last.exposure.image.array, simulated_exposure().image.array - 5)
    # A modified exposure would be lost, which is said.
    exp.exposure = exp.exposure.with_image(exp.exposure.image.array + 1)
    with pytest.raises(pantler.ReadOnlyError):
        butler.put(exp, "coadd_postdetect", dataId, replace=True)


def test_use_case_4_the_assembler_as_it_is_written(packages, tmp_path):
    """An exposure takes a background though its class has no component for one: the way that Jim says is on the list."""
    packages(
        {
            **DAF_PERSIST,
            "lsst.mypackage": """
            def ExposureWithBackgroundAssembler(dataId, componentDict, classObj):
                exposure = componentDict['exposure']
                exposure.setBackground(componentDict['background'])
                return exposure

            def ExposureWithBackgroundDisassembler(obj, dataId, componentDict):
                componentDict['exposure'] = obj
                componentDict['background'] = obj.background
            """,
            "lsst.background": BACKGROUND_LIST,
        }
    )
    import lsst.daf.persistence as dafPersist
    from lsst.background import BackgroundList

    text = policy("background.yaml").read_text().replace("lsst.afw.math.BackgroundList", "lsst.background.BackgroundList")
    text = text.replace("storage: FitsCatalogStorage", "storage: PickleStorage", 1)
    text = text.replace("lsst.afw.image.ExposureWithBackground", "lsst.afw.image.ExposureF")
    (tmp_path / "policy.yaml").write_text(text)
    butler = dafPersist.Butler(outputs=tmp_path / "A", policy=tmp_path / "policy.yaml", allow_pickle=True)
    butler.put(simulated_exposure(), "calexp", FIELD)
    butler.put(BackgroundList([1, 2]), "calexpBackground", FIELD)
    exp = butler.get("coadd_postdetect", FIELD)
    assert type(exp) is pantler.Exposure and exp.background.levels == [1, 2]
    assert exp.bare == simulated_exposure()
    assert butler.put(exp, "coadd_postdetect", FIELD).written == []


SIDE_BY_SIDE = '''
    import numpy as np
    import pantler

    def doAssembly(obj, blue, green):
        # The text leaves this function to the imagination: here it takes both fluxes of each row.
        return pantler.Table({"id": blue["id"], "blue": blue["flux"], "green": green["flux"]})

    def srccat_bg_assembler(dataId, componentDict, classObj):
        # my understanding, per the example, is that there is no function to combine these datasets in the way
        # that the example wants to do it, so we'll just use a 'fake' function called 'doAssembly'.
        obj = classObj()
        obj = doAssembly(obj, componentDict['blue'], componentDict['green'])
        return obj
'''


def test_use_case_5_composite_object_tables(packages, tmp_path, monkeypatch):
    packages({**DAF_PERSIST, "lsst.mypackage": SIDE_BY_SIDE})
    monkeypatch.chdir(tmp_path)
    # The file's name keeps `%(filter)s` where the folder is pinned: the pinned key is meant.
    text = policy("side_by_side.yaml").read_text()
    for colour, letter in (("blue", "b"), ("green", "g")):
        text = text.replace(f"datasetType: srccat_{colour}", f"datasetType: srccat, dataId: {{filter: {letter}}}")
    (tmp_path / "policy.yaml").write_text(text)
    first = pantler.Butler(outputs="path/to/files", policy=tmp_path / "policy.yaml")
    for letter, factor in (("b", 1.0), ("g", 3.0)):
        table = pantler.Table({"id": np.arange(4), "flux": factor * np.arange(4)})
        first.put(table, "srccat", FIELD | {"filter": letter})

    import lsst.daf.persistence as dafPersist

    butler = dafPersist.Butler(inputs="path/to/files", outputs="path/to/put")
    dataId = {key: value for key, value in FIELD.items() if key != "filter"}
    bgSrcCat = butler.get("srccat_bg", dataId)
    assert list(bgSrcCat["green"]) == [0, 3, 6, 9] and bgSrcCat.columns == ["id", "blue", "green"]
    with pytest.raises(pantler.ReadOnlyError) as caught:
        butler.put(bgSrcCat, "srccat_bg", dataId)
    assert any("put it whole as" in hint for hint in caught.value.hints)
    butler.put(bgSrcCat, "post_assembled_bg_srccat", FIELD)
    assert butler.get("post_assembled_bg_srccat", FIELD) == bgSrcCat


# `ret += obj` of the text: what it returns is meant.
AGGREGATE = '''
    def AssembleAggregateDeepCoadd(dataId, componentDict, classObj):
        baseObject = classObj()
        for obj in componentDict['deepCoaddSrc']:
            baseObject += obj
        return baseObject
'''


def test_use_case_6_aggregates_and_aggregate_dataset_type_name(packages, tmp_path, monkeypatch):
    packages({**DAF_PERSIST, "lsst.mypackage": AGGREGATE})
    monkeypatch.chdir(tmp_path)
    first = pantler.Butler(outputs="my/input/dir", policy=policy("aggregate.yaml"))
    for tract in (2, 1):
        for patch in ("1,0", "0,0"):
            table = pantler.Table({"tract": np.full(3, tract), "patch": [patch] * 3}, units={"tract": "count"})
            first.put(table, "deepCoadd_src", filter="g", tract=tract, patch=patch)
    first.put(pantler.Table({"tract": np.array([9]), "patch": ["9,9"]}), "deepCoadd_src", filter="r", tract=9, patch="9,9")

    import lsst.daf.persistence as dafPersist

    butler = dafPersist.Butler(inputs="my/input/dir")
    dataId = {"filter": "g"}  # note this leaves out tract and patch
    sourceCat = butler.get("deepCoadd_src_aggregate", dataId)
    # ...use the sourceCat
    assert list(sourceCat["tract"]) == [1] * 6 + [2] * 6
    assert list(sourceCat["patch"]) == ["0,0"] * 3 + ["1,0"] * 3 + ["0,0"] * 3 + ["1,0"] * 3
    assert sourceCat.unit("tract") == "count"
    assert len(butler.get("deepCoadd_src", filter="g", tract=1, patch="0,0")) == 3
    with pytest.raises(pantler.PantlerError, match="only one of the two tables"):
        sourceCat + catalog()
